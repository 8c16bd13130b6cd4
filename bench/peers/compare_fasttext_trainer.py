#!/usr/bin/env python3
"""Compares filters/fasttext_trainer with fastText 0.9.2's command line program: the model's bytes with one thread, the accuracy on texts that were not trained on, and the time.

    apt-get install fasttext                                    # Debian's build, without instructions that fuse multiplications and additions
    cmake --build build --target flowrun plugins
    bench/peers/compare_fasttext_trainer.py check [--limit 6000]
    bench/peers/compare_fasttext_trainer.py golden             # rewrites plugins/filters/fasttext_trainer/testdata

Texts are those of filter_documents.py, the first half of each as it is; the label says where one comes from (books, code, reference, doc, man). Every fifth is for the test. One JSON
line for each set of options; exits with 1 where a model differs.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from filter_documents import ROOTS, documents

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import FLOWRUN, ROOT, cpu  # noqa: E402

TESTDATA = ROOT / "plugins/filters/fasttext_trainer/testdata"
REPEATS = 3
# name -> (parameters of the plugin, arguments of the program, which rounds -lr to a float)
OPTIONS = {
    "words": ({"dim": 50, "lr": 0.25}, "-dim 50 -lr 0.25"),
    "bigrams": ({"dim": 20, "word_ngrams": 2, "bucket": 200_000, "min_count": 3}, "-dim 20 -wordNgrams 2 -bucket 200000 -minCount 3"),
    "characters": ({"dim": 10, "minn": 2, "maxn": 4, "bucket": 50_000, "epochs": 2}, "-dim 10 -minn 2 -maxn 4 -bucket 50000 -epoch 2"),
}
GRAPH = """
[node.labelled]
plugin = "readers/jsonl"
paths = ["{train}"]
columns = ["label"]

[node.trainer]
plugin = "filters/fasttext_trainer"
in = "labelled"
seed = {seed}
memory_bytes = 4_000_000_000
{options}

[node.asked]
plugin = "readers/jsonl"
paths = ["{asked}"]
columns = ["label"]

[node.scored]
plugin = "filters/fasttext"
in = "asked"
model = "trainer"
scores = [{labels}]

[node.out]
plugin = "writers/jsonl"
in = "scored"
path = "scored.jsonl"
"""


def labelled(limit):
    """The same number of texts of each root, where it has so many, in random order; at most 2,000 characters of each."""
    roots = [root for root in ROOTS if pathlib.Path(root).exists()]
    texts = [{"label": pathlib.Path(root).name, "text": " ".join(text[:2000].split())} for root in roots for text in documents(limit // len(roots), roots=(root,))]
    random.Random(1).shuffle(texts)
    return texts


def write_lines(path, texts):
    path.write_text("".join(f"__label__{t['label']} {t['text']}\n" for t in texts), encoding="utf-8")


def write_jsonl(path, texts):
    path.write_text("".join(json.dumps(t) + "\n" for t in texts), encoding="utf-8")


def run_fasttext(folder, arguments, seed, threads):
    start = time.monotonic()
    subprocess.run(["fasttext", "supervised", "-input", "train.txt", "-output", f"peer{threads}", "-seed", str(seed), "-thread", str(threads), "-verbose", "0", *arguments.split()], cwd=folder, check=True)
    return time.monotonic() - start, folder / f"peer{threads}.bin"


def peer_accuracy(folder, model):
    out = subprocess.run(["fasttext", "test", str(model), "asked.txt"], cwd=folder, check=True, capture_output=True, encoding="utf-8").stdout
    return float(next(line for line in out.splitlines() if line.startswith("P@1")).split()[1])


def run_flowrun(folder, parameters, seed, labels, attempt):
    graph = folder / "graph.toml"
    options = "\n".join(f"{key} = {value}" for key, value in parameters.items())
    graph.write_text(GRAPH.format(train=folder / "train.jsonl", asked=folder / "asked.jsonl", seed=seed, options=options, labels=", ".join(f'"{label}"' for label in labels)))
    artifacts, output = folder / f"artifacts{attempt}", folder / f"run{attempt}"
    summary = json.loads(subprocess.run([str(FLOWRUN), "run", str(graph), "--artifacts", str(artifacts), "--output", str(output), "--json", "-q"], check=True, capture_output=True, encoding="utf-8").stdout)
    (model,) = artifacts.rglob("model.bin")
    return summary["stages"][0]["seconds"], model, [json.loads(line) for line in (output / "scored.jsonl").read_text().splitlines()]


def accuracy(scored, labels):
    return sum(max(labels, key=lambda label: row[f"score.{label}"]) == row["label"] for row in scored) / len(scored)


def compare(name, folder, labels, texts):
    parameters, arguments = OPTIONS[name]
    ours, theirs = [], []
    for attempt in range(REPEATS):
        peer_seconds, peer_model = run_fasttext(folder, arguments, 3, 1)
        seconds, model, scored = run_flowrun(folder, parameters, 3, labels, f"{name}{attempt}")
        ours.append(seconds)
        theirs.append(peer_seconds)
    equal = model.read_bytes() == peer_model.read_bytes()
    two_seconds, two_threads = run_fasttext(folder, arguments, 3, 2)
    ours.sort(), theirs.sort()
    print(json.dumps({
        "name": f"fasttext_trainer.{name}", "unit": "accuracy", "value": round(accuracy(scored, labels), 4), "cpu": cpu(), "trained_on": len(texts), "asked": len(scored), "model_bytes": model.stat().st_size,
        "same_bytes": equal, "fasttext_accuracy": peer_accuracy(folder, peer_model), "fasttext_accuracy_two_threads": peer_accuracy(folder, two_threads),
        "flowrun_seconds": [round(s, 3) for s in ours], "fasttext_seconds": [round(s, 3) for s in theirs], "fasttext_seconds_two_threads": round(two_seconds, 3),
        "ratio": round(theirs[REPEATS // 2] / ours[REPEATS // 2], 2)}), flush=True)
    return equal


def check(args):
    texts = labelled(args.limit)
    train, asked = [t for i, t in enumerate(texts) if i % 5], texts[::5]
    labels = sorted({t["label"] for t in texts})
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_lines(folder / "train.txt", train), write_lines(folder / "asked.txt", asked)
        write_jsonl(folder / "train.jsonl", train), write_jsonl(folder / "asked.jsonl", asked)
        return all([compare(option, folder, labels, train) for option in args.names or OPTIONS])


def golden():
    """Examples of invented words and the program's models of them."""
    draw = random.Random(4)
    topics = [["".join(draw.choice("aeioubdfglmnprst") for _ in range(draw.randrange(2, 7))) for _ in range(15)] for _ in range(3)]
    texts = [{"label": f"topic{topic}", "text": " ".join(draw.choice(topics[topic] if draw.random() < 0.6 else topics[0]) for _ in range(draw.randrange(2, 12)))} for topic in (draw.randrange(3) for _ in range(90))]
    TESTDATA.mkdir(parents=True, exist_ok=True)
    write_jsonl(TESTDATA / "examples.jsonl", texts)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_lines(folder / "train.txt", texts)
        for file, arguments in {"words.bin": "-dim 6 -epoch 4 -lr 0.5", "ngrams.bin": "-dim 4 -minCount 2 -wordNgrams 2 -minn 2 -maxn 3 -bucket 200"}.items():
            (TESTDATA / file).write_bytes(run_fasttext(folder, arguments, 0, 1)[1].read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "golden"])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(OPTIONS)}; without names all")
    parser.add_argument("--limit", type=int, default=6000, help="texts")
    args = parser.parse_args()
    if args.command == "golden":
        golden()
    else:
        sys.exit(0 if check(args) else 1)


if __name__ == "__main__":
    main()
