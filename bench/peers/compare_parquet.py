#!/usr/bin/env python3
"""Compares readers/parquet and writers/parquet with pyarrow: rows read from tables that pyarrow has laid out in random ways, and files that pyarrow reads back.

    compare_parquet.py [--tables N] [--seed N]     N random tables each way; exits with 1 where a value differs
    compare_parquet.py --speed [--megabytes N]     MB of text a second of CPU time beside pyarrow, and peak memory on N and 10 N MB

Prints JSON lines.
"""

import argparse
import json
import pathlib
import random
import shutil
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench")]
from common import emit  # noqa: E402
from graph_runs import cpu_seconds, peak_megabytes, run  # noqa: E402

WORDS = ["alpha", "Bär", "東京", "😀", "\n", "\0", '"', "lorem", "ipsum dolor", ""]
NUMBERS = {"int8": 7, "uint8": 8, "int16": 15, "uint16": 16, "int32": 31, "uint32": 32, "int64": 63, "uint64": 64}
ENCODINGS = ["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", None]


def random_column(draw, kind, rows):
    maybe = lambda make: None if draw.random() < 0.15 else make()  # noqa: E731
    if kind == "text":
        return pa.array([maybe(lambda: " ".join(draw.choices(WORDS, k=draw.choice([0, 1, 5, 300])))) for _ in range(rows)], pa.string())
    if kind == "flag":
        return pa.array([maybe(lambda: draw.random() < 0.5) for _ in range(rows)], pa.bool_())
    if kind == "double":
        return pa.array([maybe(lambda: draw.uniform(-1, 1) * 10.0 ** draw.randrange(-300, 300)) for _ in range(rows)], pa.float64())
    if kind == "list":
        return pa.array([maybe(lambda: [maybe(lambda: draw.randrange(2**32)) for _ in range(draw.choice([0, 1, 7, 900]))]) for _ in range(rows)], pa.list_(pa.uint32()))
    if kind == "texts":
        return pa.array([maybe(lambda: [maybe(lambda: draw.choice(WORDS)) for _ in range(draw.randrange(4))]) for _ in range(rows)], pa.list_(pa.string()))
    if kind == "struct":
        return pa.array([maybe(lambda: {"part": maybe(lambda: draw.choice(WORDS))}) for _ in range(rows)], pa.struct([("part", pa.string())]))
    bits = NUMBERS[kind]
    return pa.array([maybe(lambda: draw.randrange(-(2**bits) if kind[0] == "i" else 0, 2**bits)) for _ in range(rows)], getattr(pa, kind)())


def random_table(draw):
    rows = draw.choice([0, 1, 50, 1500])
    kinds = draw.sample(["flag", "double", "list", "texts", "struct", *NUMBERS], 5)
    columns = {"text": random_column(draw, "text", rows), **{f"c{i}_{kind}": random_column(draw, kind, rows) for i, kind in enumerate(kinds)}}
    text = draw.choice([pa.string(), pa.large_string(), pa.binary(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
    columns["text"] = columns["text"].cast(text) if not pa.types.is_dictionary(text) else columns["text"].dictionary_encode()
    return pa.table(columns)


def random_layout(draw):
    encoding = draw.choice(ENCODINGS)
    return {
        "compression": draw.choice(["none", "snappy", "gzip", "zstd", "brotli", "lz4"]),
        "row_group_size": draw.choice([1, 17, 400, 10**6]),
        "data_page_version": draw.choice(["1.0", "2.0"]),
        "data_page_size": draw.choice([100, 5000, 2**20]),
        "write_batch_size": draw.choice([3, 1024]),
        "version": draw.choice(["1.0", "2.4", "2.6"]),
        "write_page_checksum": draw.random() < 0.5,
        "store_schema": draw.random() < 0.5,
        "use_compliant_nested_type": draw.random() < 0.8,
        **({"use_dictionary": draw.random() < 0.7} if encoding is None else {"use_dictionary": False, "column_encoding": {"text": encoding}}),
    }


def check_reading(folder, draw):
    """Returns the number of values compared and the first difference."""
    table = random_table(draw)
    (folder / "in.parquet").unlink(missing_ok=True)
    pq.write_table(table, folder / "in.parquet", **random_layout(draw))
    names = [name + ".part" if "struct" in name else name for name in table.column_names if name != "text"]
    run(folder, f"""[run]
max_error_fraction = 1.0
[node.rows]
plugin = "readers/parquet"
paths = ["in.parquet"]
columns = {json.dumps(names)}
on_error = "skip"
[node.out]
plugin = "writers/jsonl"
in = "rows"
path = "out.jsonl"
""", draw.choice([1, 2]))
    found = [json.loads(line) for line in (folder / "run/out.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    expected = []
    for number, row in enumerate(table.to_pylist()):
        if row["text"] is None:
            continue
        text = row["text"].decode() if isinstance(row["text"], bytes) else row["text"]
        values = {name: (row[name[:-5]] or {}).get("part") if name.endswith(".part") else row[name] for name in names}
        expected.append({"id": f"in.parquet#{number}", "text": text, "domain": "", "source": "in.parquet", **values})
    differences = [pair for pair in zip(found, expected) if pair[0] != pair[1]]
    if len(found) != len(expected):
        differences.append((len(found), len(expected)))
    return sum(len(row) for row in expected), differences[:1]


def check_writing(folder, draw):
    """Documents through writers/parquet, read by pyarrow; the bytes must not depend on threads."""
    rows = [{"id": f"d{i}", "text": " ".join(draw.choices(WORDS, k=draw.choice([0, 1, 5, 2000]))), "domain": draw.choice(["web", "books"])} for i in range(draw.choice([0, 1, 3000]))]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    files = []
    for threads, batch in ((1, 4096), (2, 7)):
        run(folder, f"""[run]
batch_documents = {batch}
[node.rows]
plugin = "readers/jsonl"
paths = ["in.jsonl"]
id_field = "id"
domain_field = "domain"
[node.out]
plugin = "writers/parquet"
in = "rows"
path = "out.parquet"
row_group_bytes = {draw.choice([200_000])}
""", threads)
        files.append((folder / "run/out.parquet").read_bytes())
    found = pq.read_table(folder / "run/out.parquet").to_pylist()
    expected = [row | {"source": "in.jsonl"} for row in rows]
    differences = [pair for pair in zip(found, expected) if pair[0] != pair[1]]
    if len(found) != len(expected):
        differences.append((len(found), len(expected)))
    if files[0] != files[1]:
        differences.append(("bytes with one thread", "bytes with two"))
    return 4 * len(expected), differences[:1]


def compare(arguments):
    draw = random.Random(arguments.seed)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, check in (("reading", check_reading), ("writing", check_writing)):
            values, differing, first = 0, 0, None
            for _ in range(arguments.tables):
                compared, differences = check(pathlib.Path(folder), draw)
                values += compared
                differing += bool(differences)
                first = first or (differences[0] if differences else None)
            print(json.dumps({"name": f"parquet.{name}", "peer": f"pyarrow {pa.__version__}", "tables": arguments.tables, "values": values, "tables_that_differ": differing, "first_difference": first},
                             ensure_ascii=False), flush=True)
            failed = failed or differing > 0
    sys.exit(1 if failed else 0)


# What may wait between nodes is the run's affair: a small limit shows what the plugins themselves hold.
READ = """[run]
threads = 1
memory_bytes = 16_000_000
[node.rows]
plugin = "readers/parquet"
paths = ["data/*.parquet"]
{options}
[node.parts]
plugin = "filters/split"
in = "rows"
heldout_fraction = 0.000001
[node.out]
plugin = "writers/jsonl"
in = "parts.heldout"
path = "out.jsonl"
"""
WRITE = """[run]
threads = 1
memory_bytes = 16_000_000
[node.rows]
plugin = "readers/parquet"
paths = ["data/*.parquet"]
[node.out]
plugin = "writers/parquet"
in = "rows"
path = "out.parquet"
"""


def make_text(folder, megabytes):
    """Writes English-like text of a made vocabulary, about 3 KB a document, and returns its bytes."""
    draw = random.Random(1)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randrange(2, 10))) for _ in range(20000)]
    shutil.rmtree(folder / "data", ignore_errors=True)
    (folder / "data").mkdir()
    texts = [" ".join(draw.choices(words, k=450)) for _ in range(megabytes * 1000 // 3)]
    table = pa.table({"id": [str(i) for i in range(len(texts))], "text": texts, "score": [draw.random() for _ in texts]})
    pq.write_table(table, folder / "data/0.parquet", compression="zstd", row_group_size=5000)
    return sum(map(len, texts))


def rate(megabytes, function, *arguments):
    before = cpu_seconds()
    function(*arguments)
    return megabytes / (cpu_seconds() - before)


def pyarrow_reads(folder):
    total = 0
    for path in sorted((folder / "data").iterdir()):
        for batch in pq.ParquetFile(path).iter_batches(batch_size=256, columns=["text"], use_threads=False):
            total += batch.column(0).nbytes
    return total


def pyarrow_copies(folder):
    with pq.ParquetWriter(folder / "copy.parquet", pa.schema([("text", pa.string())]), compression="zstd", use_dictionary=False, write_statistics=False) as writer:
        for path in sorted((folder / "data").iterdir()):
            for batch in pq.ParquetFile(path).iter_batches(batch_size=5000, columns=["text"], use_threads=False):
                writer.write_batch(batch)


def measure(arguments):
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        megabytes = make_text(folder, arguments.megabytes) / 1e6
        read, kept = READ.format(options=""), READ.format(options='id_field = "id"\ncolumns = ["score"]')
        times = {"parquet.read": [], "parquet.read_with_id_and_score": [], "parquet.read_by_pyarrow": [], "parquet.copy": [], "parquet.copy_by_pyarrow": []}
        for _ in range(5):
            times["parquet.read"].append(rate(megabytes, run, folder, read, 1))
            times["parquet.read_with_id_and_score"].append(rate(megabytes, run, folder, kept, 1))
            times["parquet.copy"].append(rate(megabytes, run, folder, WRITE, 1))
            for peer, function in (("parquet.read_by_pyarrow", pyarrow_reads), ("parquet.copy_by_pyarrow", pyarrow_copies)):
                times[peer].append(rate(megabytes, function, folder))
        for label, values in times.items():
            emit(label, "MB of text a CPU second, whole command", values, text_megabytes=round(megabytes))
        small = {"read": peak_megabytes(folder, kept), "write": peak_megabytes(folder, WRITE)}
        for copy in range(1, 10):
            shutil.copy(folder / "data/0.parquet", folder / f"data/{copy}.parquet")
        for label, graph in (("read", kept), ("write", WRITE)):
            emit(f"parquet.peak_memory_{label}", "MB", [peak_megabytes(folder, graph)], on_a_tenth_of_the_data=round(small[label], 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--megabytes", type=int, default=100)
    arguments = parser.parse_args()
    measure(arguments) if arguments.speed else compare(arguments)


if __name__ == "__main__":
    main()
