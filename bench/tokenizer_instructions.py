#!/usr/bin/env python3
"""Counts the instructions of BPE encoding for a byte of text, by what they do, with valgrind's callgrind: figures that a busy machine does not change.

    bench/tokenizer_instructions.py [--tool build/bin/flowrun_bpe_tool] [--data data] [--mb 2] [--kinds latin,cjk,code] [--vocabularies trained32k,llama32k]

Loading is left out. The caches are cold at the start of the text. The vocabularies are trained on other text of all kinds: one of 32,768 tokens for byte-level BPE, by
tokenizers, and one of 32,000 like Llama 2's, by sentencepiece; so this needs the environment of bench/peers/requirements.txt. One JSON line a kind of text and vocabulary.
"""

import argparse
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))
import speed_text  # noqa: E402
from common import emit  # noqa: E402

# Where a function belongs: the first pattern that its name has. What the compiler inlines counts where it went.
PARTS = [
    ("search", re.compile(r"bpe::Bpe::|DoubleArray|JoinedPairs")),
    ("cache", re.compile(r"bpe::BpeEncoder::|PretokenCache")),
    ("scanner", re.compile(r"CharacterCuts|scan_|read_window|_starts|::skip|class_at|::decode\(|contraction_bytes|space_end|numbers_end|cased_word|word_end")),
]
LINE = re.compile(r"^\s*([\d,]+) \([^)]*\)\s+\S*?:(.*)$")


def title(vocabulary, kind):
    return f"bpe.encode.instructions.{kind}" if vocabulary == "trained32k" else f"bpe.encode.instructions.{vocabulary}.{kind}"


def part_of(function):
    return next((name for name, pattern in PARTS if pattern.search(function)), "rest")


def count(tool, tokenizer, texts, work):
    """Returns instructions by part, and what the tool said of the text."""
    slices, profile = work / "slices.jsonl", work / "callgrind.out"
    slices.write_text(json.dumps(texts, ensure_ascii=False) + "\n", encoding="utf-8")
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", "--toggle-collect=*SliceRun::work*", tool, "speed", tokenizer, slices, "1"]
    answer = json.loads(subprocess.run(command, input="0\n", capture_output=True, text=True, check=True).stdout)
    table = subprocess.run(["callgrind_annotate", "--threshold=100", profile], capture_output=True, text=True, check=True).stdout
    parts = dict.fromkeys([*(name for name, _ in PARTS), "rest"], 0)
    for line in table.splitlines():
        if (match := LINE.match(line)) and "PROGRAM TOTALS" not in line:
            parts[part_of(match[2])] += int(match[1].replace(",", ""))
    return parts, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default="build/bin/flowrun_bpe_tool")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data"))
    parser.add_argument("--mb", type=float, default=2)
    parser.add_argument("--kinds", default="latin,cjk,code")
    parser.add_argument("--vocabularies", default="trained32k,llama32k")
    arguments = parser.parse_args()
    kinds, vocabularies = arguments.kinds.split(","), arguments.vocabularies.split(",")
    if shutil.which("valgrind") is None:
        for vocabulary, kind in itertools.product(vocabularies, kinds):
            emit(title(vocabulary, kind), "instructions/byte", [], failed="valgrind is not installed: apt-get install valgrind")
        return
    from tokenizer_speed import write_llama, write_trained

    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        slices = {kind: speed_text.slices(kind, arguments.data, 2, arguments.mb) for kind in kinds}
        for vocabulary in vocabularies:
            write = {"trained32k": write_trained, "llama32k": write_llama}[vocabulary]
            folder = write(work / vocabulary, [text for _, other in slices.values() for text in other])
            for kind, (texts, _) in slices.items():
                parts, answer = count(arguments.tool, folder / "tokenizer.json", texts, work)
                each = {part: float(f"{instructions / answer['bytes']:.3g}") for part, instructions in parts.items()}
                emit(title(vocabulary, kind), "instructions/byte", [sum(parts.values()) / answer["bytes"]], **each, text_bytes=answer["bytes"], tokens=answer["tokens"])


if __name__ == "__main__":
    main()
