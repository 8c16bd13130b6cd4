#!/usr/bin/env python3
"""Peak memory of every reader on 1x and 10x distinct text: the whole command, one thread, nothing behind the reader.

    bench/readers_memory.py [--megabytes 30] [--only csv,code]     JSON lines; the values are MB at 10x

Parquet needs pyarrow and is left out without it.
"""

import argparse
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))
from common import emit  # noqa: E402
from graph_runs import peak_megabytes  # noqa: E402
from source_files import READERS  # noqa: E402

def measure(reader, megabytes):
    maker, parameters = READERS[reader]
    peaks = []
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "data").mkdir()
            maker(folder / "data", megabytes * times)
            peaks.append(peak_megabytes(folder, f'[node.read]\nplugin = "readers/{reader}"\npaths = ["data/*"]\n{parameters}\n'))
    emit(f"{reader}_reader.peak_memory", "MB", [peaks[1]], on_a_tenth_of_the_text=round(peaks[0], 1), ratio=round(peaks[1] / peaks[0], 3), text_megabytes=megabytes * 10)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=30)
    parser.add_argument("--only", default=",".join(READERS))
    options = parser.parse_args()
    for reader in options.only.split(","):
        try:
            measure(reader, options.megabytes)
        except ImportError as error:
            emit(f"{reader}_reader.peak_memory", "MB", [], reason=str(error))


if __name__ == "__main__":
    main()
