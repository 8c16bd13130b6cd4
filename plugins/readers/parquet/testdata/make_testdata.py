#!/usr/bin/env python3
"""Writes the files of this folder with pyarrow 26.0.0: one table in ten physical layouts, what every layout must be read as, and files that are refused.

    make_testdata.py      writes beside itself; the same version gives the same bytes
"""

import json
import pathlib
import random

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
draw = random.Random(5)
ROWS = 60
WORDS = ["alpha", "Bär", "東京", "😀", "\n", "\0", '"', "lorem ipsum", ""]


def text(row):
    return None if row % 13 == 5 else " ".join(draw.choice(WORDS) for _ in range(draw.choice([0, 1, 5, 20])))


def maybe(value):
    return None if draw.random() < 0.2 else value


def items(make, most=4):
    return maybe([maybe(make()) for _ in range(draw.randrange(most))])


TEXTS = [text(row) for row in range(ROWS)]
TABLE = {
    "number": pa.array([maybe(draw.randrange(-(2**63), 2**63)) for _ in range(ROWS)], pa.int64()),
    "text": pa.array(TEXTS, pa.string()),
    "topic": pa.array([draw.choice(["web", "books", None]) for _ in range(ROWS)], pa.string()),
    "score": pa.array([maybe(draw.random() * 10 ** draw.randrange(-300, 300)) for _ in range(ROWS)], pa.float64()),
    "ratio": pa.array([maybe(draw.random()) for _ in range(ROWS)], pa.float32()),
    "kept": pa.array([maybe(draw.random() < 0.5) for _ in range(ROWS)], pa.bool_()),
    "tiny": pa.array([maybe(draw.randrange(-128, 128)) for _ in range(ROWS)], pa.int8()),
    "byte": pa.array([maybe(draw.randrange(256)) for _ in range(ROWS)], pa.uint8()),
    "short": pa.array([maybe(draw.randrange(-(2**15), 2**15)) for _ in range(ROWS)], pa.int16()),
    "word": pa.array([maybe(draw.randrange(2**16)) for _ in range(ROWS)], pa.uint16()),
    "int": pa.array([maybe(draw.randrange(-(2**31), 2**31)) for _ in range(ROWS)], pa.int32()),
    "uint": pa.array([draw.randrange(2**32) for _ in range(ROWS)], pa.uint32()),
    "long": pa.array([maybe(draw.randrange(2**64)) for _ in range(ROWS)], pa.uint64()),
    "input_ids": pa.array([items(lambda: draw.randrange(2**32), 9) for _ in range(ROWS)], pa.list_(pa.uint32())),
    "tags": pa.array([items(lambda: draw.choice(WORDS)) for _ in range(ROWS)], pa.list_(pa.string())),
    "meta": pa.array([maybe({"url": maybe(f"u/{row}"), "size": maybe(row)}) for row in range(ROWS)], pa.struct([("url", pa.string()), ("size", pa.int32())])),
}
KEPT = ["score", "ratio", "kept", "tiny", "byte", "short", "word", "int", "uint", "long", "input_ids", "tags", "meta.url", "meta.size"]


def value(name, row):
    for part in name.split("."):
        found = TABLE[part][row].as_py() if part in TABLE else found and found[part]
    return found




def expected():
    for row in range(ROWS):
        if TEXTS[row] is None:
            continue
        number, topic = value("number", row), value("topic", row)
        record = {"id": f"#{row}" if number is None else str(number), "text": TEXTS[row], "domain": topic or "none"}
        # A float is written as the double that it is; the reader writes the shortest decimal of the float.
        yield json.dumps(record | {name: value(name, row) for name in KEPT}, ensure_ascii=False)


def retyped(table, name, kind):
    return table.set_column(table.column_names.index(name), name, table[name].cast(kind))


def write(name, table, **options):
    pq.write_table(table, HERE / f"{name}.parquet", **({"row_group_size": 25, "compression": "zstd"} | options))


def main():
    (HERE / "expected.jsonl").write_text("\n".join(expected()) + "\n", encoding="utf-8")
    table = pa.table(TABLE)
    write("zstd", table)
    write("plain_small_pages", table, compression="none", use_dictionary=False, data_page_size=64, write_batch_size=7)
    write("dictionary_type", retyped(retyped(table, "text", pa.dictionary(pa.int32(), pa.string())), "topic", pa.dictionary(pa.int8(), pa.string())), compression="snappy")
    write("large_string", retyped(retyped(table, "text", pa.large_string()), "topic", pa.string_view()), compression="gzip")
    write("binary_without_name", retyped(table, "text", pa.binary()), compression="brotli", store_schema=False)
    write("page_version_2", table, data_page_version="2.0", compression="lz4")
    write("delta", table, use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY", "topic": "DELTA_LENGTH_BYTE_ARRAY", "number": "DELTA_BINARY_PACKED", "score": "BYTE_STREAM_SPLIT"})
    write("page_checksums", table, write_page_checksum=True, data_page_size=256, write_batch_size=16)
    write("seven_groups", table, row_group_size=9, write_statistics=False)
    write("version_1", table, version="1.0", use_compliant_nested_type=False, write_page_index=True)

    write("bad_utf8", pa.table({"text": pa.array([b"good", b"ab\xff", b"last"], pa.binary()), "tags": pa.array([[b"x"], [b"y"], [b"z", b"\xc3"]], pa.list_(pa.binary()))}))
    write("other_types", pa.table({"text": ["a", "b"], "score": pa.array([1, 2], pa.int32())}))
    write("no_text", pa.table({"content": ["a"], "when": pa.array([0], pa.timestamp("ms")), "deep": pa.array([[[1]]], pa.list_(pa.list_(pa.int32()))), "two": [{"a": 1, "b": 2}]}))
    write("large_page", pa.table({"text": ["small", "x" * 3_000_000, "last"]}), row_group_size=1, use_dictionary=False)
    write("empty", pa.table({"text": pa.array([], pa.string()), "score": pa.array([], pa.float64())}))


if __name__ == "__main__":
    main()
