#!/usr/bin/env python3
"""Damages files of every format in seeded ways, cuts and flipped bits, and checks that nothing is lost without a word.

    bench/readers_damage.py [--count 400] [--seed 1] [--only csv,code]     one JSON line a reader; exits with 1 if something was silent

For each damage: where a document is missing, differs or appears, the reader must have reported an error that names the file and a place in it. (What a stream gives before
its checksum is met may differ: `differing` counts the damages with such documents.) Formats are stored with the checksums of their compression (Parquet with those of its pages): a bit that flips in plain
text is another text, which no reader can know.
"""

import argparse
import gzip
import json
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))
import reader_tool  # noqa: E402
from source_files import READERS  # noqa: E402

MEGABYTES = 0.12  # of a source: a dozen documents a file


def cut(data, draw):
    """Returns the bytes cut, but not between two members or frames: that is a whole file, in which nothing says that more was to come."""
    while True:
        end = draw.randrange(len(data))
        if not data[end:].startswith((b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd")) or end == 0:
            return data[:end]


def damage(data, draw):
    """Returns the bytes cut, or with some bits flipped."""
    if draw.random() < 0.4:
        return cut(data, draw)
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 8))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def parameters_of(toml):
    """Returns the parameters of a node's TOML as the reader tool takes them."""
    parameters = {}
    for line in toml.splitlines():
        key, value = (part.strip() for part in line.split("=", 1))
        parameters[key] = json.loads(value)
    return parameters


def read(reader, files, parameters):
    documents, errors = reader_tool.documents(f"readers/{reader}", files, **parameters)
    return {document["id"]: document for document in documents}, errors


def silent(good, found, errors):
    """Returns what is wrong with the answer to a damage, or None."""
    if found != good and not errors:
        return f"{len(good) - len(found)} documents are missing, {sum(found[name] != good.get(name) for name in found)} differ, without an error"
    return next((f"error {error} names no place" for error in errors if not error["file"] or (error["offset"] < 0 and error["record"] < 0 and error["file_bytes"] <= 0 and "byte" not in error["message"])), None)


def check(reader, count, seed):
    maker, toml = READERS[reader]
    draw = random.Random(f"{reader} {seed}")
    parameters = parameters_of(toml)
    same = reported = differing = 0
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        maker(folder, MEGABYTES)
        files = sorted(folder.iterdir())
        for file in files:  # what is plain gets checksums; readers go by content
            if file.suffix in (".txt", ".xml", ".jsonl"):
                file.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
        good, errors = read(reader, files, parameters)
        assert good and not errors, (reader, errors)
        for number in range(count):
            file = draw.choice(files)
            data = file.read_bytes()
            file.write_bytes(damage(data, draw))
            found, errors = read(reader, files, parameters)
            file.write_bytes(data)
            fault = silent(good, found, errors)
            if fault:
                wrong.append({"damage": number, "file": file.name, "fault": fault})
            same, reported = same + (found == good and not errors), reported + bool(errors)
            differing += any(document != good.get(name) for name, document in found.items())
    print(json.dumps({"name": "readers_damage", "reader": reader, "seed": seed, "damages": count, "documents": len(good), "read_equal": same, "reported": reported, "differing": differing, "silent": len(wrong), "first": wrong[:3]}), flush=True)
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(READERS))
    options = parser.parse_args()
    passed = [check(reader, options.count, options.seed) for reader in options.only.split(",")]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
