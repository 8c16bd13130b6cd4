#!/usr/bin/env python3
"""Compares writers/token_shards and readers/tokens with numpy, by Megatron-LM's published rules, with megatron-core itself where it is installed, and with safetensors.

    compare_shards.py [--datasets N] [--seed N]     N random datasets each way; exits with 1 where a token or a column differs
    compare_shards.py --speed [--megabytes N]       MB a second of CPU time beside numpy, and peak memory on N and 10 N MB, of format "megatron" and "flowrun"

Prints JSON lines. megatron-core needs only its own files and torch: pip install --no-deps megatron-core==0.16.1.
"""

import argparse
import json
import pathlib
import random
import shutil
import struct
import sys
import tempfile
import zlib

import numpy as np
import pyarrow.parquet as pq
from safetensors import safe_open
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench")]
from common import emit  # noqa: E402
from compare_parquet import random_table  # noqa: E402
from graph_runs import cpu_seconds, peak_megabytes, run  # noqa: E402

try:
    import torch
    from megatron.core.datasets.indexed_dataset import IndexedDataset, IndexedDatasetBuilder
except ImportError:
    IndexedDataset = None

TYPES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 8: np.uint16}


def read_index(path):
    """Reads an .idx file by its published layout: dtype, lengths, byte offsets, and the first sequence of each document."""
    data = path.read_bytes()
    magic, version, code, sequences, marks = struct.unpack_from("<9sQBQQ", data)
    assert magic == b"MMIDIDX\0\0" and version == 1, (magic, version)
    at = 34
    lengths = np.frombuffer(data, np.int32, sequences, at)
    pointers = np.frombuffer(data, np.int64, sequences, at + 4 * sequences)
    documents = np.frombuffer(data, np.int64, marks, at + 12 * sequences)
    assert len(data) == at + 12 * sequences + 8 * marks
    return np.dtype(TYPES[code]), lengths, pointers, documents


def read_megatron(stem):
    dtype, lengths, pointers, documents = read_index(stem.with_suffix(".idx"))
    tokens = np.memmap(stem.with_suffix(".bin"), dtype, "r") if len(lengths) and lengths.sum() else np.zeros(0, dtype)
    sequences = [tokens[pointer // dtype.itemsize : pointer // dtype.itemsize + length].tolist() for pointer, length in zip(pointers, lengths)]
    return [sum(sequences[begin:end], []) for begin, end in zip(documents, documents[1:])]


def read_raw(stem):
    index = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    tokens = np.fromfile(stem.with_suffix(".bin"), index["dtype"])
    assert len(tokens) == index["tokens"] == sum(index["lengths"]) and len(index["lengths"]) == index["documents"]
    return [part.tolist() for part in np.split(tokens, np.cumsum(index["lengths"])[:-1])] if index["lengths"] else []


def read_by_megatron_core(stem):
    dataset = IndexedDataset(str(stem))
    marks = dataset.document_indices
    return [sum((dataset[i].tolist() for i in range(begin, end)), []) for begin, end in zip(marks, marks[1:])]


def write_by_numpy(stem, documents, dtype):
    """Writes documents, each a list of sequences, by the published layout."""
    lengths = np.array([len(sequence) for document in documents for sequence in document], np.int32)
    code = next(code for code, kind in TYPES.items() if kind is dtype)
    pointers = np.concatenate([[0], np.cumsum(lengths.astype(np.int64))])[: len(lengths)] * np.dtype(dtype).itemsize
    marks = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
    np.array([token for document in documents for sequence in document for token in sequence], dtype).tofile(stem.with_suffix(".bin"))
    header = struct.pack("<9sQBQQ", b"MMIDIDX\0\0", 1, code, len(lengths), len(marks))
    stem.with_suffix(".idx").write_bytes(header + lengths.tobytes() + pointers.astype(np.int64).tobytes() + marks.astype(np.int64).tobytes())


def write_by_megatron_core(stem, documents, dtype):
    builder = IndexedDatasetBuilder(f"{stem}.bin", dtype=dtype)
    for document in documents:
        for sequence in document:
            builder.add_item(torch.tensor(sequence, dtype=torch.int64))
        builder.end_document()
    builder.finalize(f"{stem}.idx")


def shards_graph(paths, form, options, batch=4096):
    return f"""[run]
memory_bytes = 16_000_000
batch_documents = {batch}
[node.tokens]
plugin = "readers/tokens"
paths = ["{paths}"]
[node.out]
plugin = "writers/token_shards"
in = "tokens"
path = "shards"
format = "{form}"
{options}
"""


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def check_writing(folder, draw):
    """JSONL through writers/token_shards, read by each independent reader; the bytes must not depend on threads and batches."""
    form, size = draw.choice(["megatron", "raw"]), draw.choice([2, 4])
    end = 2**16 if size == 2 else 2**31 if form == "megatron" else 2**32
    documents = [[draw.randrange(end) for _ in range(draw.choice([0, 1, 9, 400]))] for _ in range(draw.choice([1, 40, 3000]))]
    (folder / "in.jsonl").write_text("".join(json.dumps({"input_ids": ids}) + "\n" for ids in documents), encoding="utf-8")
    append = draw.random() < 0.5
    options = f"token_bytes = {size}\nappend_endoftext = {str(append).lower()}\n" + draw.choice(["", "shard_tokens = 5000\n", "shard_bytes = 100000\n"]) + ("endoftext_id = 7\n" if append else "")
    runs = []
    for threads, batch in ((1, 4096), (2, 5)):
        run(folder, shards_graph("in.jsonl", form, options, batch), threads)
        runs.append(files_of(folder / "run/shards"))
    stems = sorted({path.with_suffix("") for path in (folder / "run/shards").iterdir()})
    expected = [ids + [7] * append for ids in documents]
    readers = {"numpy": read_megatron if form == "megatron" else read_raw}
    if form == "megatron" and IndexedDataset and any(expected):
        readers["megatron-core"] = lambda stem: read_by_megatron_core(stem) if stem.with_suffix(".bin").stat().st_size else read_megatron(stem)
    differing = {name for name, read in readers.items() if sum((read(stem) for stem in stems), []) != expected}
    if runs[0] != runs[1]:
        differing.add("bytes with two threads")
    return sum(map(len, expected)), sorted(differing)


def check_reading(folder, draw):
    """Files of numpy and of megatron-core through readers/tokens, whose rows writers/token_shards then gives as raw tokens."""
    dtype = draw.choice(list(TYPES.values()))
    end = min(np.iinfo(dtype).max + 1, 2**32)
    documents = [[[draw.randrange(end) for _ in range(draw.choice([0, 1, 9, 400]))] for _ in range(draw.choice([1, 1, 3]))] for _ in range(draw.choice([1, 40, 1500]))]
    differing = []
    writers = {"numpy": write_by_numpy} | ({"megatron-core": write_by_megatron_core} if IndexedDataset else {})
    for name, write in writers.items():
        shutil.rmtree(folder / "data", ignore_errors=True)
        (folder / "data").mkdir()
        write(folder / "data/a", documents, dtype)
        run(folder, shards_graph("data/*", "raw", "append_endoftext = false"), draw.choice([1, 2]))
        if read_raw(folder / "run/shards/shard-00000") != [sum(document, []) for document in documents]:
            differing.append(name)
    return sum(len(sequence) for document in documents for sequence in document), differing


class Shard:
    """A safetensors file of format "flowrun", read by docs/token-shards.md alone."""

    TYPES = {"BOOL": "?", "I8": "i1", "U8": "u1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4", "I64": "<i8", "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}

    def __init__(self, path):
        self.path = path
        self.begin = 8 + int.from_bytes(open(path, "rb").read(8), "little")
        self.header = json.loads(open(path, "rb").read(self.begin)[8:])
        metadata = self.header["__metadata__"]
        assert metadata["format"] == "flowrun_tokens" and metadata["version"] == "1", metadata
        self.columns = json.loads(metadata["schema"])["children"]
        self.documents = len(self.array("input_ids:offsets")) - 1

    def array(self, name):
        begin, end = self.header[name]["data_offsets"]
        return np.memmap(self.path, "u1", "r")[self.begin + begin : self.begin + end].view(self.TYPES[self.header[name]["dtype"]])

    def is_whole(self):
        data, block = self.path.read_bytes(), int(self.header["__metadata__"]["block_bytes"])
        end = self.begin + self.header[":checksums"]["data_offsets"][0]
        parts = [data[: self.begin]] + [data[at : min(at + block, end)] for at in range(self.begin, end, block)]
        return [zlib.crc32(part) for part in parts] == self.array(":checksums").tolist()

    def tokens(self, row):
        begin, end = self.array("input_ids:offsets")[row : row + 2]
        return self.array("input_ids")[begin:end].tolist()

    def values(self, field, name, count):
        """All values of a column, as Python has them."""
        kind = field["format"]
        if kind in ("u", "z", "+l"):
            offsets = self.array(name + ":offsets").tolist()
            items = self.values(field["children"][0], name + ":items", offsets[-1]) if kind == "+l" else self.array(name + ":bytes").tobytes()
            found = [items[begin:end] for begin, end in zip(offsets, offsets[1:])]
            found = [value.decode() for value in found] if kind == "u" else found
        else:
            found = self.array(name).tolist()
        assert len(found) == count
        return [value if valid else None for value, valid in zip(found, self.array(name + ":valid").tolist())] if field["nullable"] else found

    def rows(self):
        columns = {field["name"]: self.values(field, field["name"], self.documents) for field in self.columns if field["name"] != "input_ids"}
        return [{name: column[row] for name, column in columns.items()} | {"input_ids": self.tokens(row)} for row in range(self.documents)]


def bytes_tokenizer(path):
    """A tokenizer whose ids are bytes, in the order of their characters."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(path))
    return tokenizer


def columns_graph(names, options, batch, paths):
    """Documents with columns of every type into shards, or (with `paths`) shards into Parquet."""
    if paths:
        return f"""[run]
batch_documents = {batch}
[node.tokens]
plugin = "readers/tokens"
paths = {json.dumps(paths)}
[node.out]
plugin = "writers/parquet"
in = {{ tokens = "tokens" }}
path = "out.parquet"
"""
    return f"""[run]
batch_documents = {batch}
max_error_fraction = 1.0
[node.rows]
plugin = "readers/parquet"
paths = ["in.parquet"]
columns = {json.dumps(names)}
domain = "tables"
on_error = "skip"
[node.scored]
plugin = "filters/text_scores"
in = "rows"
scores = ["flesch", "words"]
[node.tokens]
plugin = "tokenizers/bpe"
in = "scored"
tokenizer_path = "tokenizer.json"
[node.out]
plugin = "writers/token_shards"
in = "tokens"
path = "shards"
format = "flowrun"
{options}
[node.table]
plugin = "writers/parquet"
in = {{ tokens = "tokens" }}
path = "out.parquet"
"""


def read_by_safetensors(path, row):
    with safe_open(path, "numpy") as shard:
        begin, end = shard.get_slice("input_ids:offsets")[row : row + 2]
        return shard.get_slice("input_ids")[begin:end].tolist() if begin < end else []  # safetensors 0.8 refuses an empty slice at an array's end


def check_keeping(folder, draw):
    """Tables of pyarrow through format "flowrun": read by numpy and safetensors, and by readers/tokens, whose rows must be those that were written."""
    table = random_table(draw)
    (folder / "in.parquet").unlink(missing_ok=True)
    pq.write_table(table, folder / "in.parquet")
    tokenizer = bytes_tokenizer(folder / "tokenizer.json")
    names = [name + ".part" if "struct" in name else name for name in table.column_names if name != "text"]
    options = draw.choice(["", "token_bytes = 2\n", "vocab_size = 256\n"]) + draw.choice(["", "shard_tokens = 5000\n", "shard_bytes = 100000\n"])
    runs = []
    for threads, batch in ((1, 4096), (2, 5)):
        run(folder, columns_graph(names, options, batch, None), threads)
        runs.append(files_of(folder / "run/shards"))
    differing = set() if runs[0] == runs[1] else {"bytes with two threads"}
    shutil.rmtree(folder / "shards", ignore_errors=True)
    shutil.copytree(folder / "run/shards", folder / "shards")
    direct = pq.read_table(folder / "run/out.parquet")

    shards = [Shard(path) for path in sorted((folder / "shards").iterdir())]
    found = [row for shard in shards for row in shard.rows()]
    expected = []
    for row in table.to_pylist():
        if row["text"] is not None:
            text = row["text"].decode() if isinstance(row["text"], bytes) else row["text"]
            values = {name: (row[name[:-5]] or {}).get("part") if name.endswith(".part") else row[name] for name in names}
            expected.append(values | {"domain": "tables", "bytes": len(text.encode()), "input_ids": tokenizer.encode(text).ids})
    differing |= {"numpy"} if [{key: row[key] for key in wanted} for row, wanted in zip(found, expected)] != expected or len(found) != len(expected) else set()
    differing |= {"numpy, all columns"} if found != direct.to_pylist() else set()
    differing |= {"checksums"} if not all(shard.is_whole() for shard in shards) else set()

    starts = np.cumsum([0] + [shard.documents for shard in shards])
    for position in draw.choices(range(len(found)), k=1000 if found else 0):
        number = int(np.searchsorted(starts, position, "right")) - 1
        if shards[number].tokens(position - starts[number]) != found[position]["input_ids"]:
            differing.add("numpy by position")
        if position % 10 == 0 and read_by_safetensors(shards[number].path, position - starts[number]) != found[position]["input_ids"]:
            differing.add("safetensors by position")

    run(folder, columns_graph(names, "", draw.choice([1, 4096]), ["shards/*"]), draw.choice([1, 2]))
    again = pq.read_table(folder / "run/out.parquet")
    differing |= {"readers/tokens"} if again.schema != direct.schema or again.to_pylist() != direct.to_pylist() else set()
    return sum(len(row["input_ids"]) for row in expected), sorted(differing)


def compare(arguments):
    draw = random.Random(arguments.seed)
    failed = False
    peers = f"numpy {np.__version__}, safetensors, pyarrow" + (", megatron-core" if IndexedDataset else "")
    with tempfile.TemporaryDirectory() as folder:
        for name, check in (("writing", check_writing), ("reading", check_reading), ("keeping", check_keeping)):
            tokens, differing, first = 0, 0, None
            for _ in range(arguments.datasets):
                compared, differences = check(pathlib.Path(folder), draw)
                tokens += compared
                differing += bool(differences)
                first = first or differences or None
            print(json.dumps({"name": f"token_shards.{name}", "peers": peers, "datasets": arguments.datasets, "tokens": tokens, "datasets_that_differ": differing, "first_difference": first}), flush=True)
            failed = failed or differing > 0
    sys.exit(1 if failed else 0)


def make_shards(folder, megabytes, count):
    shutil.rmtree(folder / "data", ignore_errors=True)
    (folder / "data").mkdir()
    generator = np.random.default_rng(1)
    documents = megabytes * 1_000_000 // 2 // 1000
    for number in range(count):
        tokens = generator.integers(0, 50000, documents * 1000, np.uint16)
        tokens.tofile(folder / f"data/{number}.bin")
        lengths = np.full(documents, 1000, np.int32)
        header = struct.pack("<9sQBQQ", b"MMIDIDX\0\0", 1, 8, documents, documents + 1)
        pointers = np.arange(documents, dtype=np.int64) * 2000
        (folder / f"data/{number}.idx").write_bytes(header + lengths.tobytes() + pointers.tobytes() + np.arange(documents + 1, dtype=np.int64).tobytes())


def numpy_copies(folder):
    """What a script does: documents by position, as 32-bit numbers, written again as 16-bit ones."""
    with open(folder / "copy.bin", "wb") as out:
        for stem in sorted({path.with_suffix("") for path in (folder / "data").iterdir()}):
            dtype, lengths, pointers, _ = read_index(stem.with_suffix(".idx"))
            tokens = np.memmap(stem.with_suffix(".bin"), dtype, "r")
            for pointer, length in zip(pointers // dtype.itemsize, lengths):
                out.write(tokens[pointer : pointer + length].astype(np.uint32).astype(np.uint16).tobytes())


def measure(arguments):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_shards(folder, arguments.megabytes, 1)
        graphs = {"megatron": shards_graph("data/*", "megatron", "token_bytes = 2\nappend_endoftext = false\n"), "flowrun": shards_graph("data/*", "flowrun", "token_bytes = 2\n")}
        run(folder, graphs["flowrun"])
        shutil.copytree(folder / "run/shards", folder / "kept")
        graphs["flowrun_again"] = shards_graph("kept/*", "flowrun", "token_bytes = 2\n")
        copies = {f"token_shards.copy_{label}": lambda graph=graph: run(folder, graph) for label, graph in graphs.items()}
        copies["token_shards.copy_by_numpy"] = lambda: numpy_copies(folder)
        times = {label: [] for label in copies}
        for _ in range(5):
            for label, function in copies.items():
                before = cpu_seconds()
                function()
                times[label].append(arguments.megabytes / (cpu_seconds() - before))
        for label, values in times.items():
            emit(label, "MB of uint16 tokens a CPU second, whole command", values, megabytes=arguments.megabytes)
        small = {label: peak_megabytes(folder, graphs[label]) for label in ("megatron", "flowrun")}
        make_shards(folder, arguments.megabytes, 10)
        for label, megabytes in small.items():
            emit(f"token_shards.peak_memory_{label}", "MB", [peak_megabytes(folder, graphs[label])], on_a_tenth_of_the_data=round(megabytes, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--megabytes", type=int, default=100)
    arguments = parser.parse_args()
    measure(arguments) if arguments.speed else compare(arguments)


if __name__ == "__main__":
    main()
