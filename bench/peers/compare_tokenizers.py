#!/usr/bin/env python3
"""Compares `flowrun tokenize` with Hugging Face tokenizers: ids, tokens, offsets and decoded text, for the tokenizers of many kinds that
plugins/tokenizers/common/pipeline/testdata holds, on random texts of many scripts.

    compare_tokenizers.py [--texts N] [--seed N]      N texts for each tokenizer

Prints a JSON line for each tokenizer with the number of texts that differ and the first of them; exits with 1 if any does.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "plugins/tokenizers/common/pipeline"
sys.path[:0] = [str(PIPELINE), str(ROOT / "bench")]
from common import FLOWRUN  # noqa: E402
from make_golden import WORDS  # noqa: E402

RANGES = [(0x20, 0x7F), (0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x780), (0x900, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2100), (0x2000, 0x2070), (0x3000, 0x30FF), (0x4E00, 0x4F00),
          (0xAC00, 0xAD00), (0xF900, 0xFB00), (0xFB50, 0x10000), (0x10000, 0x11FFF), (0x1F300, 0x1FAFF), (0x20000, 0x20100), (0xE0000, 0xE01F0)]
FREQUENT = " \n\t'st.\u2581"
MARKS = ["<s>", "</s>", "[MASK]", "[CLS]", "ADDED", "zz", "Straße", "e-mail", "<|im_start|>", "<|endoftext|>", " ", "\n", "'s", "don't"]


class Texts:
    """Random texts, the same for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def character(self, group):
        if group == len(RANGES):
            return self.random.choice(FREQUENT)
        c = self.random.randrange(*RANGES[group])
        return "" if 0xD800 <= c < 0xE000 else chr(c)

    def next(self):
        kind, length = self.random.random(), self.random.randrange(1, 40)
        groups = len(RANGES) + 1
        if kind < 0.35:
            return "".join(self.character(self.random.randrange(groups)) for _ in range(length))
        if kind < 0.6:
            group = self.random.randrange(groups)
            return "".join(self.character(group) for _ in range(length))
        if kind < 0.8:
            return "".join(self.random.choice(MARKS + WORDS) + self.random.choice(["", "", " ", "  ", ".", "\n"]) for _ in range(length // 2))
        return " ".join(self.random.choice(WORDS) for _ in range(length))


def flowrun(path, lines, *options):
    result = subprocess.run([FLOWRUN, "tokenize", "--tokenizer", path, "--jsonl", *options], input="".join(json.dumps(line) + "\n" for line in lines), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.split("\n")[:-1]]


def compare(name, path, texts):
    """Returns how many texts differ in what, and the first one that does."""
    peer = tokenizers.Tokenizer.from_file(path)
    answers = flowrun(path, texts)
    decoded = flowrun(path, [answer["ids"] for answer in answers], "--decode")
    different, first = dict.fromkeys(("ids", "tokens", "offsets", "decoded"), 0), None
    for text, answer, ours in zip(texts, answers, decoded, strict=True):
        encoding = peer.encode(text)
        expected = {"ids": encoding.ids, "tokens": encoding.tokens, "offsets": [list(pair) for pair in encoding.offsets], "decoded": peer.decode(encoding.ids)}
        for key, value in {**answer, "decoded": ours}.items():
            if value != expected[key]:
                different[key] += 1
                first = first or {"text": text, "what": key, "found": value, "expected": expected[key]}
    print(json.dumps({"name": f"tokenize.{name}", "texts": len(texts), "different": different, "first": first, "tokenizers": tokenizers.__version__}), flush=True)
    return not any(different.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    texts, equal = Texts(arguments.seed), True
    files = json.loads((PIPELINE / "testdata/tokenizers.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for name, file in files.items():
            path = f"{folder}/{name}.json"
            pathlib.Path(path).write_text(json.dumps(file, ensure_ascii=False), encoding="utf-8")
            equal = compare(name, path, [texts.next() for _ in range(arguments.texts)]) and equal
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
