#!/usr/bin/env python3
"""Measures BPE encoding beside the exact engines on PyPI that can do the same: the ids first, then MB of text a second.

    cmake --build build --target flowrun_bpe_tool && scripts/fetch-data
    bench/peers/tokenizer_speed.py --tool build/bin/flowrun_bpe_tool --data data [--mb 2] [--slices 4] [--rounds 3] [--kinds latin,cjk,code]
                                    [--vocabularies cl100k,trained32k,llama32k] [--long-mb 22]

Three vocabularies. Two are byte-level and have cl100k's pattern: cl100k itself, which the quicktok wheel carries, and one of 32,768 tokens that tokenizers trains here on text
that is not measured. llama32k is like Llama 2's: sentencepiece trains 32,000 tokens on the same text, with bytes for what they lack, and its tokenizer.json lists every pair of each
token, as transformers writes it. Every engine is a process of its own, pinned to as many cores as it may use; in each round all are started afresh, the first slice of
text is the cold measurement, every further slice is new text, and the last slice is encoded once more ("again"). Engines take turns slice by slice.
With two threads there are two slices: a short one, cold, of two batches, and a long one of --long-mb, or what text there is, since flowrun gives a thread half a megabyte at a time and the last of few
batches would leave one thread waiting for the other. Each round measures two threads and one, in turns which of them first; `ratio_one_thread` is to one thread over these same slices. What
the machine itself gives is measured in the same rounds: `two_processes` are two of flowrun's processes at once, a thread and a core each, and both over the whole of the slice, together.
`cpu` is MB for a second of CPU time, of all threads, over the same slices as the figure itself, and ratios to peers are of its medians: other work on the machine
changes it least. One JSON line a figure; each list is min, median, max. Ids are compared with those of tokenizers over every slice before anything is timed.
"""

import argparse
import base64
import concurrent.futures
import contextlib
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import speed_text
from llama_vocabulary import METASPACE, write_llama
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common import emit  # noqa: E402

BYTE_LEVEL_PEERS = ["tokenizers", "tiktoken", "fastokens", "wordchipper", "quicktok-v1", "gigatoken"]
PEERS = {"cl100k": BYTE_LEVEL_PEERS, "trained32k": BYTE_LEVEL_PEERS, "llama32k": ["tokenizers", "sentencepiece", "fastokens", "gigatoken"]}
CANNOT = {"rustbpe": "encodes with vocabularies that it trained itself alone"}
RATIOS = ["tiktoken", "tokenizers", "sentencepiece", "gigatoken"]
# As tiktoken had it before 0.8; quicktok knows a pattern by its exact text.
PATTERN = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
VOCAB_SIZE = 32768
WARM_MB = 1  # before the long slice: a batch for each of two threads


# ---- vocabularies


def tokenizer_of(model):
    tokenizer = Tokenizer(model)
    split = pre_tokenizers.Split(Regex(PATTERN), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def characters():
    """GPT-2's character for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


CHARACTER_OF = characters()
BYTE_OF = {character: byte for byte, character in CHARACTER_OF.items()}


def spelled(token):
    return "".join(CHARACTER_OF[byte] for byte in token)


def parts_of(token, ranks):
    """The two tokens that `token` was merged from: what the merges before it leave of its bytes."""
    parts, limit = [bytes([byte]) for byte in token], ranks[token]
    while len(parts) > 2:
        joined = [ranks.get(a + b, limit) for a, b in zip(parts, parts[1:])]
        best = min(joined)
        at = joined.index(best)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return tuple(parts)


def cl100k_tokens():
    import quicktok

    encoding = quicktok.get_encoding("cl100k_base")
    return [encoding.decode_bytes([rank]) for rank in range(100256)]


def write_vocabulary(folder, tokens, merges):
    folder.mkdir()
    vocab = {spelled(token): rank for rank, token in enumerate(tokens)}
    merges = [(spelled(left), spelled(right)) for left, right in merges]
    tokenizer_of(models.BPE(vocab=vocab, merges=merges)).save(str(folder / "tokenizer.json"))
    (folder / "ranks.tiktoken").write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens)))
    (folder / "pattern.txt").write_text(PATTERN)
    return folder


def write_cl100k(folder):
    tokens = cl100k_tokens()
    ranks = {token: rank for rank, token in enumerate(tokens)}
    return write_vocabulary(folder, tokens, [parts_of(token, ranks) for token in tokens if len(token) > 1])


def write_trained(folder, texts):
    trainer = trainers.BpeTrainer(vocab_size=VOCAB_SIZE, show_progress=False, special_tokens=[], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer = tokenizer_of(models.BPE())
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    as_bytes = lambda text: bytes(BYTE_OF[character] for character in text)  # noqa: E731
    tokens = [as_bytes(token) for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1])]
    return write_vocabulary(folder, tokens, [(as_bytes(left), as_bytes(right)) for left, right in model["merges"]])


def spellings(folder):
    """The bytes that each id stands for, by id."""
    if (ranks := folder / "ranks.tiktoken").exists():
        return [base64.b64decode(line.split()[0]) for line in open(ranks, "rb")]
    vocab = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return [bytes([int(token[3:5], 16)]) if token.startswith("<0x") and len(token) == 6 else token.replace(METASPACE, " ").encode() for token in sorted(vocab, key=vocab.get)]


# ---- engines


class Engine:
    """A process that encodes slices on request."""

    def __init__(self, name, tool, folder, slices_path, threads, cores):
        self.name = name
        tail = [str(slices_path), str(threads)]
        if name == "flowrun":
            command = [tool, "speed", str(folder / "tokenizer.json"), *tail]
        else:
            command = [sys.executable, str(HERE / "speed_worker.py"), name, str(folder), *tail]
        self.errors = tempfile.TemporaryFile("w+")
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, cores)
        )

    def encode(self, number, ids_path=None):
        """Returns MB for a second and for a second of CPU time; None where the engine has ended."""
        try:
            self.process.stdin.write(f"{number} {ids_path or ''}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self.process.stdout.readline()
        if not line:
            return None
        answer = json.loads(line)
        return answer["bytes"] / 1e6 / answer["seconds"], answer["bytes"] / 1e6 / max(answer["cpu_seconds"], 1e-6)

    def failure(self):
        self.errors.seek(0)
        return (self.errors.read().strip().splitlines() or [f"ended with {self.process.wait()}"])[-1][:300]

    def close(self):
        with contextlib.suppress(BrokenPipeError):  # it has ended by itself: `failure` has told why
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def read_ids(path, documents):
    numbers = np.fromfile(path, dtype=np.uint32)
    return np.split(numbers[documents:], np.cumsum(numbers[:documents])[:-1])


def first_difference(texts, expected, found, tokens):
    """Returns what is needed to see a difference, or None."""
    for text, theirs, ours in zip(texts, expected, found, strict=True):
        if np.array_equal(theirs, ours):
            continue
        same = next((i for i, pair in enumerate(zip(theirs, ours)) if pair[0] != pair[1]), min(len(theirs), len(ours)))
        before = sum(len(tokens[i]) for i in theirs[:same])
        around = text.encode()[max(0, before - 20) : before + 30].decode(errors="replace")
        return {"text": around, "expected": theirs[same : same + 5].tolist(), "found": ours[same : same + 5].tolist()}
    return None


class Comparison:
    """All engines over one vocabulary and one kind of text."""

    def __init__(self, arguments, folder, kind, slices, work, rotates=True):
        self.arguments, self.folder, self.kind, self.slices, self.work, self.rotates = arguments, folder, kind, slices, work, rotates
        self.slices_path = work / f"{kind}.jsonl"
        self.slices_path.write_text("".join(json.dumps(texts, ensure_ascii=False) + "\n" for texts in slices), encoding="utf-8")
        self.peers = PEERS[folder.name]
        self.failed, self.ids = {}, {}

    def start(self, name, threads, cores):
        return Engine(name, self.arguments.tool, self.folder, self.slices_path, threads, cores)

    def open(self, names, threads):
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        return [self.start(name, threads, cores) for name in names if name not in self.failed]

    def compare_ids(self):
        """Fills `ids`: "equal", or what is the first difference from tokenizers, by engine."""
        tokens = spellings(self.folder)
        expected = None
        for engine in self.open(["tokenizers", "flowrun", *self.peers[1:]], 1):
            found = []
            for number, texts in enumerate(self.slices):
                if engine.encode(number, self.work / "ids") is None:
                    self.failed[engine.name] = engine.failure()
                    break
                found.append(read_ids(self.work / "ids", len(texts)))
            engine.close()
            if engine.name in self.failed:
                continue
            expected = expected or found
            differences = (first_difference(*slice_, tokens) for slice_ in zip(self.slices, expected, found))
            self.ids[engine.name] = next((d for d in differences if d), "equal")
        self.tokens = sum(len(ids) for slice_ in expected for ids in slice_)

    def measure(self, *thread_counts, after_round=lambda: None):
        """Returns MB/s by engine for each number of threads: {"cold": [...], "new": [...], "again": [...], "cpu": [...]}; "cpu" is of the slices of "new"."""
        rates = {threads: {} for threads in thread_counts}
        for turn in range(self.arguments.rounds):
            for threads in thread_counts if turn % 2 == 0 else reversed(thread_counts):
                self.measure_round(turn * self.rotates, threads, rates[threads])
            after_round()
        return [rates[threads] for threads in thread_counts]

    def measure_two_processes(self):
        """Returns the MB/s of two of flowrun's processes at once, each on a core of its own: what two threads can reach where they share nothing."""
        engines = [self.start("flowrun", 1, [core]) for core in sorted(os.sched_getaffinity(0))[-2:]]
        for engine in engines:
            engine.encode(0)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            rates = list(pool.map(lambda engine: engine.encode(1)[0], engines))
        for engine in engines:
            engine.close()
        return sum(rates)

    def measure_round(self, turn, threads, rates):
        engines = self.open(["flowrun", *self.peers], threads)
        order = [(i + turn) % len(self.slices) for i in range(len(self.slices))]
        for step, number in enumerate([*order, order[-1]]):
            kind = "cold" if step == 0 else "again" if step == len(order) else "new"
            for engine in engines:
                if answer := engine.encode(number):
                    found = rates.setdefault(engine.name, {"cold": [], "new": [], "again": [], "cpu": []})
                    found[kind].append(answer[0])
                    if kind == "new":
                        found["cpu"].append(answer[1])
        for engine in engines:
            engine.close()

    def run_one_thread(self):
        self.compare_ids()
        self.report(*self.measure(1), 1)

    def run_two_threads(self):
        self.compare_ids()
        processes = []
        two, one = self.measure(2, 1, after_round=lambda: processes.append(self.measure_two_processes()))
        self.report(two, 2, one, processes)

    def report(self, rates, threads, one=None, processes=()):
        median = {name: statistics.median(found["cpu"]) for name, found in rates.items()}
        for name in ["flowrun", *self.peers]:
            title = f"bpe.encode.{self.folder.name}.{self.kind}.{name}"
            version = importlib.metadata.version(name) if name != "flowrun" else None
            if name not in rates:
                emit(title, "MB/s", [], threads=threads, version=version, failed=self.failed.get(name))
                continue
            found = rates[name]
            median_new = statistics.median(found["new"])
            extra = {f"ratio_{peer}": float(f"{median[name] / median[peer]:.3g}") for peer in RATIOS if peer in median and peer != name}
            if one is not None:
                extra["one_thread"] = [float(f"{f(one[name]['new']):.4g}") for f in (min, statistics.median, max)]
                extra["ratio_one_thread"] = float(f"{median_new / statistics.median(one[name]['new']):.3g}")
            if processes and name == "flowrun":
                extra["two_processes"] = [float(f"{f(processes):.4g}") for f in (min, statistics.median, max)]
                extra["ratio_two_processes"] = float(f"{median_new / statistics.median(processes):.3g}")
            ids = self.ids.get(name, "equal")
            if ids != "equal":
                extra |= {"first_difference": ids}
            spread = {kind: [float(f"{f(found[kind]):.4g}") for f in (min, statistics.median, max)] for kind in ("cpu", "cold", "again")}
            emit(title, "MB/s", found["new"], threads=threads, ids="equal" if ids == "equal" else "not equal", **spread, **extra, tokens=self.tokens, version=version)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default="build/bin/flowrun_bpe_tool")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data"))
    parser.add_argument("--mb", type=float, default=2, help="MB of text in a slice")
    parser.add_argument("--long-mb", type=float, default=22, help="MB of text in the long slice for two threads, half as many at least; 0 leaves two threads out")
    parser.add_argument("--slices", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="latin,cjk,code")
    parser.add_argument("--vocabularies", default=",".join(PEERS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        kinds = {kind: speed_text.slices(kind, arguments.data, arguments.slices + 1, arguments.mb) for kind in arguments.kinds.split(",")}
        training_texts = [text for slices in kinds.values() for text in slices[-1]]
        writers = {"cl100k": write_cl100k, "trained32k": lambda folder: write_trained(folder, training_texts), "llama32k": lambda folder: write_llama(folder, training_texts)}
        for name, reason in CANNOT.items():
            emit(f"bpe.encode.{name}", "MB/s", [], version=importlib.metadata.version(name), failed=reason)
        for vocabulary in arguments.vocabularies.split(","):
            folder = writers[vocabulary](work / vocabulary)
            for kind, slices in kinds.items():
                Comparison(arguments, folder, kind, slices[:-1], work).run_one_thread()
                if arguments.long_mb > 0 and len(os.sched_getaffinity(0)) > 1:
                    long = speed_text.warm_and_long(kind, arguments.data, slices[-1], WARM_MB, arguments.long_mb)
                    Comparison(arguments, folder, kind, long, work, rotates=False).run_two_threads()


if __name__ == "__main__":
    main()
