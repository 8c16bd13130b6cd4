#!/usr/bin/env python3
"""Compares filters/decontaminate with datatrove's NGramsDecontFilter, document by document.

    pip install -r bench/peers/requirements.txt
    cmake --build build --target flowrun_filter_tool plugin_filters_decontaminate
    bench/peers/compare_decontaminate.py check [--limit 10000] [--planted 3000] [--evaluation FILE.jsonl ...]
    bench/peers/compare_decontaminate.py golden      # rewrites plugins/filters/decontaminate/testdata

Evaluation sets are those given, or questions and answers cut out of some of the documents of filter_documents.py; documents are the others, and variants of them into which questions
and answers are put, whole, cut, and changed in case, numbers and punctuation. Three sets of rules. Decisions must be equal, and of each document that is dropped the n-gram that both
sides name. One JSON line for each; exits with 1 where anything differs. Speeds are of processor time on one core, both sides in turn, three times.
"""

import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter, NGramsDecontIndexer
from filter_documents import documents
from loguru import logger

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, ROOT, cpu  # noqa: E402

REPEATS = 3
SPEED_BYTES = 1_000_000
RULES = {"default": {}, "short": {"n_grams": 5, "find_query_ngrams": True}, "answers": {"n_grams": 8, "find_overlap_ngrams": False}}


NGramsDecontIndexer._requires_dependencies = []  # lighteval is for its own sets alone


def answers_of(item):
    """The right answers of an item, as the plugin's keys have them."""
    if item.get("label") is not None:
        return item["label"] if isinstance(item["label"], list) else [item["label"]]
    gold = item["gold"] if isinstance(item["gold"], list) else [item["gold"]]
    return [item["choices"][place] for place in gold]


def make_peer(sets, rules, folder):
    """datatrove's filter over an index in `folder` as NGramsDecontIndexer.run writes it."""
    config = NGramsDecontConfig(**rules)
    indexer = NGramsDecontIndexer(folder, config=config)
    for name, items in sets.items():
        hashes = {h for item in items for answer in answers_of(item) for h in indexer.compute_hashes(answer, item.get("query"))}
        np.array(list(hashes), dtype=config.hash_config.np_descr).tofile(f"{folder}/{name}.index.hashes")
    return NGramsDecontFilter(folder, config=config)


def expect(peer, text):
    """(set, n-gram) of a document that is dropped, else nothing."""
    document = Document(text=text, id="")
    if peer.filter(document) is True:
        return None
    return document.metadata["contaminated_task"], document.metadata["contaminated_ngram"]


def find(sets, rules, texts, folder):
    """Reasons, texts and the seconds that the plugin took."""
    for name, items in sets.items():
        pathlib.Path(folder, f"{name}.jsonl").write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")
    parameters = {"evaluation_sets": [f"{folder}/{name}.jsonl" for name in sets]} | rules
    stdin = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    command = [BUILD / "bin/flowrun_filter_tool", BUILD / "plugins/filters/decontaminate.so"]
    dropped, ngrams = (list(map(json.loads, subprocess.run([*command, json.dumps(parameters | mode)], input=stdin, capture_output=True, check=True, encoding="utf-8").stdout.split("\n")[:-1]))
                       for mode in ({}, {"mode": "score"}))
    return [row["reason"] for row in dropped[:-1]], [(row["columns"] or {}).get("decontaminate.ngram") for row in ngrams[:-1]], dropped[-1]["seconds"]


def cut_sets(texts, draw, count=60):
    """Questions and answers out of these texts, in the three forms that the plugin reads."""
    sets = {"labels": [], "choices": [], "lists": []}
    for text in texts:
        words = text.split()
        if len(words) < 60:
            continue
        at, size = draw.randrange(len(words) - 50), draw.randrange(1, 30)
        query, answer = " ".join(words[at:at + draw.randrange(1, 25)]), " ".join(words[at + 25:at + 25 + size])
        name = draw.choice(sorted(sets))
        if len(sets[name]) < count:
            sets[name].append({"labels": {"query": query, "label": answer}, "choices": {"query": query, "choices": ["no", answer], "gold": 1}, "lists": {"label": [answer, answer.upper() + " or so"]}}[name])
    return sets


def spoil(text, draw):
    return draw.choice([str.upper, str.title, lambda t: re.sub(r"\d+", lambda m: str(draw.randrange(999)), t), lambda t: re.sub(r"[.,;]", " -", t), lambda t: t.replace(" ", " \n"), lambda t: t])(text)


def plant(texts, sets, count, draw):
    items = [item for items in sets.values() for item in items]
    for text in texts[:count]:
        item = draw.choice(items)
        answer = draw.choice(answers_of(item))
        part = draw.choice([answer, item.get("query") or answer, (item.get("query") or "") + draw.choice([" ", "", "\n"]) + answer])
        words = part.split()
        part = " ".join(words[draw.choice([0, 0, draw.randrange(len(words) + 1)]):][:draw.choice([99, 99, 12, 11, 5])])
        at = draw.randrange(len(text) + 1)
        yield f"{text[:at]} {spoil(part, draw)} {text[at:]}"[:6000]


def measure(peer, sets, rules, texts, folder):
    total = 0
    sizes = [total := total + len(text.encode()) for text in texts]
    texts = texts[:sum(size <= SPEED_BYTES for size in sizes)]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    ours, theirs = [], []
    for _ in range(REPEATS):
        start = time.process_time()
        for text in texts:
            expect(peer, text)
        theirs.append(megabytes / (time.process_time() - start))
        ours.append(megabytes / find(sets, rules, texts, folder)[2])
    ours, theirs = sorted(ours), sorted(theirs)
    return {"speed_mb": round(megabytes, 2), "flowrun_mb_per_s": [round(x, 1) for x in ours], "datatrove_mb_per_s": [round(x, 3) for x in theirs], "ratio": round(ours[REPEATS // 2] / theirs[REPEATS // 2], 1)}


def check(name, sets, texts, speed):
    rules = RULES[name]
    with tempfile.TemporaryDirectory() as folder:
        peer = make_peer(sets, rules, folder)
        expected = [expect(peer, text) for text in texts]
        reasons, ngrams, _ = find(sets, rules, texts, folder)
        figures = measure(peer, sets, rules, [text for text, e in zip(texts, expected) if e is None], folder) if speed else {}
    wrong = [i for i, (e, reason, ngram) in enumerate(zip(expected, reasons, ngrams, strict=True)) if (None, "") != (reason, ngram) != ("contaminated", e and e[1]) or (e is None) != (reason is None)]
    for i in wrong[:5]:
        print(json.dumps({"name": name, "expected": expected[i], "found": [reasons[i], ngrams[i]], "text": texts[i]}, ensure_ascii=False)[:3000], file=sys.stderr)
    print(json.dumps({"name": f"filters.decontaminate.{name}", "unit": "documents", "value": len(texts) - len(wrong), "cpu": cpu(), "documents": len(texts), "different": len(wrong),
                      "text_mb": round(sum(len(t.encode()) for t in texts) / 1e6, 2), "items": sum(map(len, sets.values())), "contaminated": sum(e is not None for e in expected), **figures}), flush=True)
    return not wrong and bool(texts)


def golden():
    """Documents of invented words, so that nobody's text is copied, with the n-gram that datatrove names."""
    draw = random.Random(5)
    words = ["the", "of", "and", "don't", "U.S.", "3.5", "12", "naïve", "Ende,"] + ["".join(draw.choice("aeioubdfglmnprst") for _ in range(draw.randrange(2, 9))) for _ in range(300)]
    texts = [" ".join(draw.choice(words) for _ in range(draw.randrange(60, 80))) for _ in range(45)]
    sets = cut_sets(texts[:20], draw)
    texts = texts[20:] + list(plant(texts[20:], sets, 40, draw))
    folder = ROOT / "plugins/filters/decontaminate/testdata"
    folder.mkdir(parents=True, exist_ok=True)
    for name, items in sets.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8", newline="")
    lines = []
    for name, rules in RULES.items():
        with tempfile.TemporaryDirectory() as index:
            peer = make_peer(sets, rules, index)
            for text in texts:
                found = expect(peer, text)
                lines.append(json.dumps({"rules": name, "text": text, "ngram": found and found[1]}, ensure_ascii=False) + "\n")
    (folder / "golden.jsonl").write_text("".join(line for line in lines if '"ngram": null' not in line or draw.random() < 0.2), encoding="utf-8", newline="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "golden"])
    parser.add_argument("--limit", type=int, default=10_000, help="real documents")
    parser.add_argument("--planted", type=int, default=3_000, help="variants of them")
    parser.add_argument("--evaluation", nargs="*", default=[], metavar="FILE", help="evaluation sets to use; keys as the plugin's defaults")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="do not measure speeds")
    args = parser.parse_args()
    logger.remove()
    if args.command == "golden":
        return golden()
    draw = random.Random(9)
    real = list(documents(args.limit + 400))
    sets = {pathlib.Path(file).stem: [json.loads(line) for line in open(file, encoding="utf-8")] for file in args.evaluation} or cut_sets(real[args.limit:], draw)
    real = real[:args.limit]
    texts = real + list(plant(real, sets, args.planted, draw))
    equal = [check(name, sets, texts, args.speed) for name in RULES]
    sys.exit(0 if all(equal) else 1)


if __name__ == "__main__":
    main()
