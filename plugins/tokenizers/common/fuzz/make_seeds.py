#!/usr/bin/env python3
"""Writes the inputs that fuzzing began with: one folder for each target of targets.hpp. What is in corpus/ was grown from them, then made small again:

    make_seeds.py SEEDS
    build-fuzz/bin/fuzz_NAME GROWN SEEDS/NAME
    build-fuzz/bin/fuzz_NAME -merge=1 corpus/NAME SEEDS/NAME GROWN
"""

import json
import pathlib
import sys

COMMON = pathlib.Path(__file__).resolve().parents[1]
TEXTS = ["Hello, world!", "don't 12345  \n\t x\r\n", "Straße 東京 Ünï", "aaaaaaaaaaaaaaaaaaaaaaaa", "<s>[MASK]</s>  ADDED zz", "👩‍👩‍👧 é e\u0301 \u0000\uffff", "क्ष नमस्ते ＡＢＣ ﬁ"]
PATTERNS = [r"\p{L}+|\p{N}{1,3}", r"(?i:'s|ß)|\s+(?!\S)|[^\r\n\p{L}]?+x*?", r"(?<=a)b|(?<!c)d|^e$|\bf\B", r"[a-z&&[^aeiou]]{2,4}+(?>gh|g)h", r"\A\x{1F600}\R|[[:alpha:]]\h\z", r"(a|b|(?:c*)*)*d", "(?x) a b # c\n|(?m:.)"]


def small_tokenizer(file):
    """Cuts a tokenizer.json down to what its components need."""
    model = file["model"]
    if isinstance(model["vocab"], list):
        model["vocab"] = model["vocab"][:12]
    elif model["type"] == "BPE":
        model["merges"] = [pair for pair in model["merges"] if all(len(part) == 1 for part in pair)][:3]
        kept = set("Helo,wrdĠaĊ") | {"".join(pair) for pair in model["merges"]} | {part for pair in model["merges"] for part in pair} | {token["content"] for token in file["added_tokens"]} | {"<0x0A>"}
        model["vocab"] = {token: id for token, id in model["vocab"].items() if token in kept}
    else:
        model["vocab"] = dict(list(model["vocab"].items())[:16])
    return file


def tokenizer_files():
    files = json.loads((COMMON / "pipeline/testdata/tokenizers.json").read_text(encoding="utf-8"))
    for name, file in files.items():
        yield name, json.dumps(small_tokenizer(file), ensure_ascii=False, separators=(",", ":")).encode()


def texts():
    for tokenizer in range(30):
        for text in (TEXTS[tokenizer % len(TEXTS)], " ".join(TEXTS[:3])):
            yield f"{tokenizer}-{len(text)}", bytes([tokenizer, tokenizer * 5 % 16]) + text.encode()


def rank_files():
    lines = (COMMON / "models/testdata/ranks.tiktoken").read_bytes().split(b"\n")
    yield "bytes", b"\n".join(lines[:40])
    yield "merges", b"\n".join(line.split(b" ")[0] + b" %d" % rank for rank, line in enumerate(lines[256:290]))
    yield "crlf", b"\r\n".join(lines[:3]) + b"\r\n"
    yield "gap", b"YQ== 0\nYmI= 7\nYmJi 70000\n"


def sentencepiece_models():
    """Models of a few pieces, written by the rules of the wire format."""

    def field(number, value):
        if isinstance(value, int):
            return bytes([number << 3, value]) if number < 16 else bytes([number << 3 & 0x7F | 0x80, number >> 4, value])
        return bytes([number << 3 & 0x7F | 2 | (0x80 if number > 15 else 0)]) + (bytes([number >> 4]) if number > 15 else b"") + bytes([len(value)]) + value

    def piece(text, kind):
        return field(1, field(1, text.encode()) + b"\x15\x00\x00\x80\xbf" + field(3, kind))

    pieces = piece("<unk>", 2) + piece("<s>", 3) + piece("▁Hello", 1) + piece("a", 1) + piece("aa", 4) + piece("▁", 1)
    yield "unigram", pieces
    yield "bpe", pieces + field(2, field(3, 2)) + field(3, field(1, b"identity") + field(3, 0))
    yield "bytes", pieces + b"".join(piece(f"<0x{byte:02X}>", 6) for byte in range(3)) + field(2, field(35, 1) + field(45, b"<unk>"))
    model = (COMMON / "unigram/testdata/bpe.model").read_bytes()
    yield "whole", model[:600]


def patterns():
    for i, pattern in enumerate(PATTERNS):
        yield str(i), pattern.encode() + b"\0" + TEXTS[i % len(TEXTS)].encode()
        yield f"{i}-alone", pattern.encode()


def main():
    seeds = {"tokenizer_file": tokenizer_files, "encode": texts, "tiktoken_ranks": rank_files, "sentencepiece_model": sentencepiece_models, "pattern": patterns}
    for target, inputs in seeds.items():
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in inputs():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
