#!/usr/bin/env python3
"""Compares filters/gopher_quality with datatrove's GopherQualityFilter whose words come from str.split(): every decision must be equal.

    pip install numpy regex datatrove==0.10.1
    cmake --build build --target flowrun_gopher_tool
    bench/peers/compare_gopher.py check --tool build/bin/flowrun_gopher_tool --text data    # exit 1 where a decision differs
    bench/peers/compare_gopher.py golden                                                    # rewrites the plugin's testdata
    bench/peers/compare_gopher.py punctuation                                               # PUNCTUATION_SET as ranges

--text takes files and folders; every file of valid UTF-8 is read, JSONL by its `text`, others in pieces of 8,000 characters. From each
real document some damaged ones are made (seeded), so that every reason comes up. Every result is one JSON line on stdout.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import sys
import time

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.filters import gopher_quality_filter as peer
from datatrove.utils.text import PUNCTUATION_SET

TESTDATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "plugins", "filters", "gopher_quality", "testdata")
SPACES = [chr(c) for c in range(0x110000) if chr(c).isspace()]
LETTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and chr(c).isalpha()]
MARKS = sorted(PUNCTUATION_SET)


def decide(text):
    """datatrove's reason, or None. A division by zero, which ends datatrove's run, is None here and is not compared."""
    result = FILTER.filter(Document(text=text, id=""))
    return None if result is True else result[1]


peer.split_into_words = lambda text, language: text.split()
FILTER = peer.GopherQualityFilter()


def documents(roots):
    for root in roots:
        names = [root] if os.path.isfile(root) else sorted(os.path.join(d, f) for d, _, files in os.walk(root) for f in files)
        for name in names:
            try:
                text = open(name, encoding="utf-8", newline="").read()
            except (UnicodeDecodeError, OSError):
                continue
            if name.endswith(".jsonl"):
                yield from (json.loads(line)["text"] for line in text.split("\n") if line)
            else:
                yield from (text[i:i + 8000] for i in range(0, len(text), 8000))


def mutations(text, rng):
    """Variants that come near each rule's threshold."""
    words, lines = text.split(), text.splitlines()
    yield " ".join(words[:rng.randrange(45, 56)])
    yield " ".join(w[:rng.randrange(1, 5)] for w in words)
    yield "".join(w + rng.choice(["", "", " "]) for w in words)
    yield " ".join(w + ("#" if rng.random() < 0.1 else "") for w in words)
    yield " ".join(w + (rng.choice(["...", "…", "....."]) if rng.random() < 0.1 else "") for w in words)
    yield rng.choice(SPACES).join(words)
    yield "".join(w + rng.choice(SPACES) for w in words)
    share = rng.choice([0.85, 0.9, 0.95])
    yield "\n".join((rng.choice(["- ", " • ", "\u3000-", "-"]) if rng.random() < share else "") + line for line in lines)
    share = rng.choice([0.25, 0.3, 0.35])
    yield rng.choice(["\n", "\r\n", "\x85", "\u2028", "\v"]).join(line + (rng.choice(["...", "…", "... ", "…\u00a0"]) if rng.random() < share else "") for line in lines)
    yield " ".join(w if rng.random() < 0.8 else str(rng.randrange(10**4)) for w in words)
    yield " ".join(rng.choice(MARKS) * 3 if rng.random() < 0.2 else w for w in words)
    yield " ".join(w for w in words if w not in peer.STOP_WORDS) + rng.choice(["", " the", " the of", " The Of", " the the", " the, of"])
    yield " ".join("".join(rng.choice(LETTERS) for _ in range(rng.randrange(2, 9))) for _ in range(120)) + " the of"


def cases(roots, limit):
    rng = random.Random(11)
    count = 0
    for text in documents(roots):
        for variant in [text, *mutations(text, rng)]:
            if count == limit:
                return
            if variant.split():  # without words datatrove divides by zero
                count += 1
                yield variant


def check(args):
    texts = list(cases(args.text, args.limit))
    stdin = "".join(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts)
    start = time.perf_counter()
    expected = [decide(t) for t in texts]
    peer_seconds = time.perf_counter() - start
    run = lambda *flags: subprocess.run([args.tool, *flags], input=stdin, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    found = [json.loads(line)["reason"] for line in run().splitlines()]
    seconds = float(run("--seconds"))
    wrong = [i for i, (a, b) in enumerate(zip(expected, found, strict=True)) if a != b]
    megabytes = sum(len(t.encode()) for t in texts) / 1e6
    print(json.dumps({"name": "gopher_quality.decisions", "value": len(texts) - len(wrong), "of": len(texts), "text_mb": round(megabytes, 2),
                      "reasons": collections.Counter(r or "kept" for r in expected), "datatrove_mb_per_s": round(megabytes / peer_seconds, 2),
                      "flowrun_mb_per_s": round(megabytes / seconds, 1)}))
    for i in wrong[:5]:
        print(json.dumps({"expected": expected[i], "found": found[i], "text": texts[i][:400]}, ensure_ascii=False), file=sys.stderr)
    sys.exit(1 if wrong or not texts else 0)


def golden(_):
    """Documents of invented words, so that nobody's text is copied, with datatrove's decision and the value behind it."""
    rng = random.Random(7)
    words = ["the", "of", "and", "with", "that"] + ["".join(rng.choice("aeioubdfglmnprst") for _ in range(rng.randrange(2, 9))) for _ in range(300)]
    lines = []
    wanted = collections.Counter()
    while len(lines) < 160:
        text = "\n".join(" ".join(rng.choice(words) for _ in range(rng.randrange(4, 15))) + "." for _ in range(rng.randrange(8, 14)))
        for variant in mutations(text, rng):
            reason = decide(variant)
            if wanted[reason] < 16 and len(lines) < 160:
                wanted[reason] += 1
                lines.append(json.dumps({"text": variant, "reason": reason}, ensure_ascii=False))
    os.makedirs(TESTDATA, exist_ok=True)
    with open(os.path.join(TESTDATA, "golden.jsonl"), "w", encoding="utf-8", newline="") as out:
        out.write("\n".join(lines) + "\n")
    print(json.dumps({"name": "gopher_quality.golden", "reasons": {str(k): v for k, v in wanted.items()}}))


def punctuation(_):
    ranges = []
    for c in sorted(map(ord, PUNCTUATION_SET)):
        if ranges and ranges[-1][1] + 1 == c:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    print(", ".join("{0x%X, 0x%X}" % tuple(r) for r in ranges))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check")
    command.add_argument("--tool", required=True)
    command.add_argument("--text", nargs="+", required=True)
    command.add_argument("--limit", type=int, default=20000, help="documents")
    command.set_defaults(run=check)
    commands.add_parser("golden").set_defaults(run=golden)
    commands.add_parser("punctuation").set_defaults(run=punctuation)
    np.seterr(all="raise")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
