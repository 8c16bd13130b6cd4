#!/usr/bin/env python3
"""Peak memory of every reader on 1x and 10x distinct text: the whole command, one thread, nothing behind the reader.

    bench/readers_memory.py [--megabytes 30] [--repeats 3] [--only csv,code] [--many-files 100000]     JSON lines; the values are MB at 10x

With as many files at 10x as at 1x (gutenberg and latex: ten times as many), and then what a file costs: the reader of plain text on a tenth of so many
files and on all of them, a line each. Parquet needs pyarrow and is left out without it.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))
from common import emit  # noqa: E402
from graph_runs import peak_megabytes  # noqa: E402
from source_files import READERS  # noqa: E402


def peaks(reader, parameters, make, repeats):
    """Makes data in a folder of its own by `make(folder)`; returns the peak of each run and the number of files."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "data").mkdir()
        make(folder / "data")
        graph = f'[node.read]\nplugin = "readers/{reader}"\npaths = ["data/*"]\n{parameters}\n'
        return [peak_megabytes(folder, graph) for _ in range(repeats)], sum(1 for _ in (folder / "data").iterdir())


def measure(reader, megabytes, repeats):
    maker, parameters = READERS[reader]
    (small, small_files), (large, large_files) = (peaks(reader, parameters, lambda folder: maker(folder, megabytes * times), repeats) for times in (1, 10))
    tenth, all_of_it = statistics.median(small), statistics.median(large)
    emit(f"{reader}_reader.peak_memory", "MB", large, on_a_tenth_of_the_text=round(tenth, 1), ratio=round(all_of_it / tenth, 3), text_megabytes=megabytes * 10, files=large_files, files_at_a_tenth=small_files)


def measure_files(count, repeats):
    def make(number):
        return lambda folder: [(folder / f"document-{i:07}.txt").write_text(f"The text of document {i}.\n", encoding="utf-8") for i in range(number)]

    (small, small_files), (large, large_files) = (peaks("text", "", make(number), repeats) for number in (count // 10, count))
    emit("text_reader.memory_per_file", "bytes", [(b - a) * 1024 * 1024 / (large_files - small_files) for a, b in zip(sorted(small), sorted(large))], files=large_files, peak_megabytes=round(statistics.median(large), 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default=",".join(READERS), help="readers, by commas; none: \"\"")
    parser.add_argument("--many-files", type=int, default=100000, help="0: leave out")
    options = parser.parse_args()
    for reader in filter(None, options.only.split(",")):
        try:
            measure(reader, options.megabytes, options.repeats)
        except ImportError as error:
            emit(f"{reader}_reader.peak_memory", "MB", [], reason=str(error))
    if options.many_files:
        measure_files(options.many_files, options.repeats)


if __name__ == "__main__":
    main()
