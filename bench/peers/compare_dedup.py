#!/usr/bin/env python3
"""Compares dedupers/exact with datatrove's three passes over the same documents, and by line and paragraph with a set of Python's.

    pip install -r bench/peers/requirements.txt
    cmake --build build --target flowrun_filter_tool plugin_dedupers_exact
    bench/peers/compare_dedup.py check [NAME ...] [--limit 10000]
    bench/peers/compare_dedup.py golden      # rewrites plugins/dedupers/common/testdata/sentences.jsonl

NAME: document and url (ExactDedup), sentences (SentenceDedup with its defaults, and with others), line and paragraph. Documents are those of filter_documents.py, of which some come
again whole, cut, joined with others, with sentences changed in case, numbers and punctuation. All of them go through one process, in order, and are also read with a
`memory_bytes` that their hashes do not fit into (`spilled`). One JSON line for each; exits with 1 where anything differs. Speeds are of processor time on one core, both sides in turn,
three times: datatrove's signature, find and filter steps together, without reading its input.
"""

import argparse
import contextlib
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

from datatrove.data import Document
from datatrove.pipeline.dedup import SentDedupConfig, SentenceDedupFilter, SentenceDedupSignature, SentenceFindDedups
from datatrove.pipeline.dedup.exact_dedup import ExactDedupConfig, ExactDedupFilter, ExactDedupSignature, ExactFindDedups
from datatrove.utils.text import split_into_parts
from filter_documents import documents
from loguru import logger

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, ROOT, cpu  # noqa: E402

REPEATS = 3
SPEED_BYTES = 1_000_000
SPILLING_BYTES = 1 << 20  # the least that the node takes


def text_of(document: Document) -> str:
    return document.text


def url_of(document: Document) -> str:
    return document.metadata["url"]


def exact_dedup(content):
    def steps(folder):
        config = ExactDedupConfig(content_getter=content)
        return (ExactDedupSignature(f"{folder}/signatures", config), ExactFindDedups(f"{folder}/signatures", f"{folder}/duplicates", config),
                ExactDedupFilter(f"{folder}/duplicates", config))
    return steps


def sentence_dedup(**options):
    def steps(folder):
        config = SentDedupConfig(**options)
        return (SentenceDedupSignature(f"{folder}/signatures", config=config), SentenceFindDedups(f"{folder}/signatures", f"{folder}/duplicates", config=config),
                SentenceDedupFilter(f"{folder}/duplicates", config=config))
    return steps


def run_datatrove(steps, rows):
    """The text of each document afterwards, None where it is gone."""
    make = lambda: (Document(text=text, id=str(i), metadata={"url": url}) for i, (text, url) in enumerate(rows))
    with tempfile.TemporaryDirectory() as folder, open("/dev/null", "w") as quiet, contextlib.redirect_stderr(quiet):
        signature, find, keep = steps(folder)
        signature.run(make())
        find.run()
        kept = {document.id: document.text for document in keep.run(make())}
    return [kept.get(str(i)) for i in range(len(rows))]


def parts_dedup(split):
    """Each document without the parts that a set has, by what is between them. `split` gives (begin, end) of parts that are not blank."""
    def run(rows):
        seen, texts = set(), []
        for text, _ in rows:
            parts = list(split(text))
            kept = [part for part in parts if not (key(text, part) in seen or seen.add(key(text, part)))]
            if len(kept) == len(parts):
                texts.append(text)
                continue
            gaps = {begin: text[begin:following] for (_, begin), (following, _) in zip(parts, parts[1:])}
            pieces = [text[begin:end] + gaps.get(end, "") for begin, end in kept]
            if pieces:
                pieces[-1] = text[slice(*kept[-1])]
            texts.append(text[:parts[0][0]] + "".join(pieces) + text[parts[-1][1]:] if kept else None)
        return texts
    return run


def key(text, part):
    return text[slice(*part)].strip(" \t\n\r\v\f")


def lines(text):
    return (m.span() for m in re.finditer(r"[^\n]*[^ \t\n\r\v\f][^\n]*", text))


def paragraphs(text):
    return (m.span() for m in re.finditer(r"[^\n]*[^ \t\n\r\v\f][^\n]*(?:\n[^\n]*[^ \t\n\r\v\f][^\n]*)*", text))


COMPARED = {
    "document": ({}, exact_dedup(text_of)),
    "url": ({"by": "url"}, exact_dedup(url_of)),
    "sentences": ({"by": "sentences"}, sentence_dedup()),
    "sentences_short": ({"by": "sentences", "n_sentences": 1, "min_doc_words": 0, "min_num_sentences": 0}, sentence_dedup(n_sentences=1, min_doc_words=0, min_num_sentences=0)),
    "line": ({"by": "line"}, parts_dedup(lines)),
    "paragraph": ({"by": "paragraph"}, parts_dedup(paragraphs)),
}


def run_flowrun(parameters, rows, memory_bytes=0):
    """The text of each document afterwards, None where it is gone, and the seconds that the node took."""
    command = [BUILD / "bin/flowrun_filter_tool", BUILD / "plugins/dedupers/exact.so", json.dumps(parameters), str(memory_bytes)]
    stdin = "".join(json.dumps({"text": text, "url": url}, ensure_ascii=False) + "\n" for text, url in rows)
    *answers, last = map(json.loads, subprocess.run(list(map(str, command)), input=stdin, capture_output=True, check=True, encoding="utf-8").stdout.split("\n")[:-1])
    return [answer["text"] for answer in answers], last["seconds"]


def spoil(text, draw):
    """The same to simplify_text in most places, and other bytes."""
    return draw.choice([str.upper, str.lower, lambda t: re.sub(r"\d+", lambda m: str(draw.randrange(999)), t), lambda t: t.replace(",", " -"), lambda t: re.sub(r"\s+", "\n", t), str.title])(text)


def with_repeats(texts, seed=13):
    """Documents of which three in ten come again in some form, and URLs of which a third come again."""
    draw, seen = random.Random(seed), []
    for text in texts:
        if seen and draw.random() < 0.3:
            other = draw.choice(seen)
            cut = draw.randrange(len(other) + 1)
            text = draw.choice([other, other[cut:], other[:cut], text + " " + other, other[:cut] + " " + text, spoil(other, draw), text + "\n\n" + other[:cut] + draw.choice(["", " ", "\n", " \n\n"])])
        seen.append(text)
        yield text, f"https://example.org/{draw.randrange(2 * len(seen))}"
    for text in ("", " ", "\n\n", "One. Two.", "One. Two. Three.", "One. Two. Three. "):
        yield text, f"https://example.org/{text!r}"


def answer(peer, rows):
    return peer(rows) if peer.__name__ == "run" else run_datatrove(peer, rows)


def measure(parameters, peer, rows):
    sizes, total = [], 0
    for text, _ in rows:
        total += len(text.encode())
        sizes.append(total)
    rows = rows[:sum(size <= SPEED_BYTES for size in sizes)]
    megabytes = sum(len(text.encode()) for text, _ in rows) / 1e6
    ours, theirs = [], []
    for _ in range(REPEATS):
        start = time.process_time()
        split_into_parts.cache_clear()
        answer(peer, rows)
        theirs.append(megabytes / (time.process_time() - start))
        ours.append(megabytes / run_flowrun(parameters, rows)[1])
    ours, theirs = sorted(ours), sorted(theirs)
    return {"speed_mb": round(megabytes, 2), "flowrun_mb_per_s": [round(x, 1) for x in ours], "peer_mb_per_s": [round(x, 3) for x in theirs], "ratio": round(ours[REPEATS // 2] / theirs[REPEATS // 2], 1)}


def check(name, rows, speed):
    parameters, peer = COMPARED[name]
    expected = answer(peer, rows)
    found, _ = run_flowrun(parameters, rows)
    spilled, _ = run_flowrun(parameters, rows, SPILLING_BYTES)
    wrong = [i for i, texts in enumerate(zip(expected, found, spilled, strict=True)) if len(set(texts)) > 1]
    for i in wrong[:5]:
        print(json.dumps({"name": name, "index": i, "expected": expected[i], "found": found[i], "spilled": spilled[i], "text": rows[i][0]}, ensure_ascii=False)[:3000], file=sys.stderr)
    figures = {"documents": len(rows), "text_mb": round(sum(len(t.encode()) for t, _ in rows) / 1e6, 2), "different": len(wrong), "dropped": sum(e is None for e in expected),
               "changed": sum(e is not None and e != t for e, (t, _) in zip(expected, rows))}
    if speed:
        figures |= measure(parameters, peer, rows)
    print(json.dumps({"name": f"dedupers.exact.{name}", "unit": "documents", "value": len(rows) - len(wrong), "cpu": cpu(), **figures}), flush=True)
    return not wrong and bool(rows)


def golden():
    """Documents of invented words, so that nobody's text is copied, with what datatrove leaves of them."""
    draw = random.Random(5)
    words = ["the", "of", "and", "don't", "U.S.", "Dr.", "3.5", "12", "naïve"] + ["".join(draw.choice("aeioubdfglmnprst") for _ in range(draw.randrange(2, 9))) for _ in range(80)]
    sentences = [" ".join(draw.choice(words) for _ in range(draw.randrange(3, 12))).capitalize() + draw.choice([".", "!", "?", "."]) for _ in range(70)]
    texts = []
    for _ in range(30):
        at, other = draw.randrange(60), draw.randrange(60)
        parts = sentences[at:at + draw.randrange(2, 9)] + sentences[other:other + draw.randrange(1, 6)]
        texts.append(draw.choice([" ", "\n", "  ", "\n\n"]).join(parts) + draw.choice(["", " ", "\n", "  "]))
    texts += [spoil(text, draw) for text in texts[:10]] + ["", " ", "One. Two."]
    rows = [(text, "") for text in texts]
    lines = []
    for name in ("sentences", "sentences_short"):
        parameters, peer = COMPARED[name]
        rules = {"n_sentences": 3, "min_doc_words": 50, "min_num_sentences": 3} | {k: v for k, v in parameters.items() if k != "by"}
        lines += [json.dumps({"rules": list(rules.values()), "text": text, "after": after}, ensure_ascii=False) + "\n" for text, after in zip(texts, run_datatrove(peer, rows))]
    folder = ROOT / "plugins/dedupers/common/testdata"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentences.jsonl").write_text("".join(lines), encoding="utf-8", newline="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "golden"])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--limit", type=int, default=10_000, help="documents")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="do not measure speeds")
    args = parser.parse_args()
    logger.remove()
    if args.command == "golden":
        return golden()
    rows = list(with_repeats(documents(args.limit)))
    equal = [check(name, rows, args.speed) for name in args.names or COMPARED]
    sys.exit(0 if all(equal) else 1)


if __name__ == "__main__":
    main()
