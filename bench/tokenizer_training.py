#!/usr/bin/env python3
"""Training of tokenizers: seconds of byte-level BPE beside the peers on 100 MB of text, and the peak memory of each trainer at 100 MB, 500 MB and 2 GB.

    bench/tokenizer_training.py PYTHON [--text data/large] [--repeats 3]     PYTHON: the environment of bench/peers/requirements.txt
    bench/tokenizer_training.py --only memory [--trainer bpe wordpiece unigram] [--megabytes 100 500 2000]    the peak memory alone

Ours is the whole command, `flowrun` on a graph of a reader and the trainer, from files to tokenizer.json; a peer's time is that of its training call on text that is
in memory already. All but gigatoken, which has its own, have Llama 3's pattern, a vocabulary of 32,768 and as many threads as they take by themselves; engines take turns. The vocabularies are
compared with that of tokenizers: token by token in their order, and as sets, since engines break ties in their own ways.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from common import FLOWRUN, emit

VOCAB_SIZE = 32768
TRAINERS = ("bpe", "wordpiece", "unigram")
PEERS = ("tokenizers", "rustbpe", "gigatoken")
PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
DOCUMENT_BYTES = 16_000  # about what readers/text gives

# The run's memory is for documents that are read and not yet counted, the node's for counts and training.
GRAPH = """[run]
memory_bytes = {memory_bytes}

[node.text]
plugin = "readers/text"
paths = [{paths}]
split = "bytes"

[node.vocabulary]
plugin = "tokenizers/{trainer}_trainer"
in = "text"
vocab_size = {vocab_size}
{pattern}memory_bytes = {memory_bytes}
"""


# ---- peers, each in a process of its own


def documents(path):
    """The text in pieces that end at a line; readers/text cuts a little differently, so that counts may differ by a few words in a million."""
    text = pathlib.Path(path).read_text(encoding="utf-8", errors="strict")
    pieces, begin = [], 0
    while begin < len(text):
        end = text.find("\n", begin + DOCUMENT_BYTES)
        end = len(text) if end < 0 else end + 1
        pieces.append(text[begin:end])
        begin = end
    return pieces


def train_tokenizers(pieces):
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(vocab_size=VOCAB_SIZE, show_progress=False, special_tokens=[], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    start = time.perf_counter()
    tokenizer.train_from_iterator(pieces, trainer)
    seconds = time.perf_counter() - start
    byte_of = bytes_of_characters()
    vocabulary = tokenizer.get_vocab()
    return seconds, [bytes(byte_of[c] for c in token) for token in sorted(vocabulary, key=vocabulary.get)]


def train_rustbpe(pieces):
    import rustbpe

    tokenizer = rustbpe.Tokenizer()
    start = time.perf_counter()
    tokenizer.train_from_iterator(iter(pieces), VOCAB_SIZE, pattern=PATTERN)
    seconds = time.perf_counter() - start
    return seconds, [bytes(token) for token, _ in sorted(tokenizer.get_mergeable_ranks(), key=lambda item: item[1])]


def train_gigatoken(pieces):
    import gigatoken

    data = "\x00".join(pieces).encode()
    start = time.perf_counter()
    vocabulary, _ = gigatoken.train_bpe(data, VOCAB_SIZE, [], separator=b"\x00")  # its pattern is its own
    seconds = time.perf_counter() - start
    return seconds, [vocabulary[token_id] for token_id in sorted(vocabulary)]


def bytes_of_characters():
    """GPT-2's byte for each character of a token."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


def worker(engine, path):
    seconds, tokens = globals()[f"train_{engine}"](documents(path))
    print(json.dumps({"seconds": seconds, "tokens": [token.hex() for token in tokens]}))


# ---- one measurement


def run_measured(command, **options):
    """Runs a command; returns its output, its seconds from fork to exit and its peak resident memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, **options)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with {status}")
    return output, time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e6


def run_trainer(trainer, files, memory_bytes, folder):
    """Returns seconds of the whole command, peak MB, and the model of tokenizer.json."""
    graph = folder / "train.toml"
    pattern = 'pattern = "llama3"\n' if trainer == "bpe" else ""
    graph.write_text(GRAPH.format(trainer=trainer, paths=", ".join(f'"{file}"' for file in files), vocab_size=VOCAB_SIZE + 3, pattern=pattern, memory_bytes=memory_bytes),
                     encoding="utf-8")
    _, seconds, peak = run_measured([str(FLOWRUN), str(graph), "-q", "--output", str(folder / "run"), "--artifacts", str(folder / "artifacts")], stderr=subprocess.DEVNULL)
    return seconds, peak, json.loads(next((folder / "artifacts").rglob("tokenizer.json")).read_text(encoding="utf-8"))["model"]


def train_flowrun(files, memory_bytes, folder):
    """Returns seconds of the whole command, peak MB, and the tokens of BPE in their order without the special ones."""
    seconds, peak, model = run_trainer("bpe", files, memory_bytes, folder)
    byte_of = bytes_of_characters()
    tokens = [bytes(byte_of[c] for c in token) for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1])[3:]]
    return seconds, peak, tokens


def measure_memory(trainer, files, sizes, repeats):
    for memory_mib in (64, 256):
        for megabytes in sizes:
            peaks, times = [], []
            for _ in range(repeats if megabytes < 2000 else 1):
                with tempfile.TemporaryDirectory(dir=files[0].parent.parent) as folder:
                    seconds, peak, _ = run_trainer(trainer, files[: megabytes // 100], memory_mib << 20, pathlib.Path(folder))
                peaks.append(peak)
                times.append(seconds)
            size = sum(file.stat().st_size for file in files[: megabytes // 100]) / 1e6
            emit(f"{trainer}.train.peak_memory", "MB", peaks, text_mb=round(size), memory_bytes=memory_mib << 20, seconds=sorted(times))


def measure_speed(python, file, repeats):
    seconds = {engine: [] for engine in ("flowrun", *PEERS)}
    peaks = {engine: [] for engine in seconds}
    tokens = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(dir=file.parent.parent) as folder:
            elapsed, peak, tokens["flowrun"] = train_flowrun([file], 256 << 20, pathlib.Path(folder))
        seconds["flowrun"].append(elapsed)
        peaks["flowrun"].append(peak)
        for engine in PEERS:
            try:
                output, _, peak = run_measured([python, __file__, "worker", engine, str(file)])
            except RuntimeError as error:
                emit(f"bpe.train.{engine}", "s", [], reason=str(error))
                continue
            answer = json.loads(output.splitlines()[-1])  # gigatoken says more
            seconds[engine].append(answer["seconds"])
            peaks[engine].append(peak)
            tokens[engine] = [bytes.fromhex(token) for token in answer["tokens"]]
    for engine, times in seconds.items():
        reference = tokens["tokenizers"]
        same = sum(a == b for a, b in zip(tokens.get(engine, []), reference, strict=False))
        emit(f"bpe.train.{engine}", "s", times, text_mb=100, vocab_size=VOCAB_SIZE, peak_mb=sorted(peaks[engine]), tokens=len(tokens.get(engine, [])), same_place=same,
             same_token=len(set(tokens.get(engine, [])) & set(reference)))
        if engine != "flowrun" and times:
            emit(f"bpe.train.over_{engine}", "times", [theirs / ours for theirs, ours in zip(times, seconds["flowrun"], strict=True)])


def main():
    if sys.argv[1:2] == ["worker"]:
        return worker(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="?", help="not needed for the memory alone")
    parser.add_argument("--text", default="data/large", type=pathlib.Path)
    parser.add_argument("--repeats", default=3, type=int)
    parser.add_argument("--only", choices=("speed", "memory"))
    parser.add_argument("--trainer", nargs="+", choices=TRAINERS, default=["bpe"], help="whose memory is measured; the speed is that of BPE")
    parser.add_argument("--megabytes", nargs="+", type=int, default=(100, 500, 2000), help="of text, in hundreds")
    args = parser.parse_args()
    import training_text

    files = [file.resolve() for file in training_text.parts(args.text)]
    if args.only != "memory":
        if args.python is None:
            parser.error("the speed of the peers needs PYTHON; --only memory does not")
        measure_speed(args.python, files[0], args.repeats)
    if args.only != "speed":
        for trainer in args.trainer:
            measure_memory(trainer, files, args.megabytes, args.repeats)


if __name__ == "__main__":
    main()
