#!/usr/bin/env python3
"""Compares dedupers/minhash_lsh with datatrove, datasketch and rensa.

    pip install -r bench/peers/requirements.txt
    cmake --build build --target flowrun flowrun_minhash_tool plugins
    bench/peers/compare_minhash.py check [--documents 10000]     # mode "equal": texts, signatures and clusters are datatrove's
    bench/peers/compare_minhash.py quality [--documents 10000]   # recall and precision of all beside exact Jaccard; the error of signatures
    bench/peers/compare_minhash.py speed [--documents 10000] [--repeats 3]
    bench/peers/compare_minhash.py memory [--megabytes 20] [--memory-bytes N]
    bench/peers/compare_minhash.py golden                        # rewrites plugins/dedupers/minhash_lsh/testdata/golden.jsonl

Documents are those of filter_documents.py with planted near duplicates (near_duplicates.py), seeded. JSON lines; `check` exits with 1 where anything differs. Speeds are of
processor time, all sides in turn; flowrun's is the whole command, from a file of JSON Lines to one.
"""

import argparse
import collections
import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import zstandard
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import simplify_text
from graph_runs import cpu_seconds, peak_megabytes, run
from near_duplicates import BUCKETS, HASHES, corpus, datasketch_clusters, datatrove_clusters, in_clusters, partition, rensa_flags, similar_pairs, word_shingles, write_corpus

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, ROOT, cpu, emit  # noqa: E402

TOOL = BUILD / "bin/flowrun_minhash_tool"
GOLDEN = ROOT / "plugins/dedupers/minhash_lsh/testdata/golden.jsonl"


def run_tool(texts, *arguments):
    stdin = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    return subprocess.run([TOOL, *arguments], input=stdin, capture_output=True, check=True, encoding="utf-8").stdout.split("\n")[:-1]


def graph(mode="equal", data="data.jsonl", more=""):
    return (f'[node.read]\nplugin = "readers/jsonl"\npaths = ["{data}"]\nid_field = "id"\n[node.distinct]\nplugin = "dedupers/minhash_lsh"\nin = "read"\nmode = "{mode}"\n{more}\n'
            '[node.write]\nplugin = "writers/jsonl"\nin = "distinct"\npath = "out.jsonl"\n')


def flowrun_clusters(folder, count, mode, threads=1, more=""):
    """The first of each document's cluster, by what the run says of the documents that it drops."""
    run(folder, graph(mode, more=more), threads)
    clusters = list(range(count))
    with open(folder / "run/dropped.jsonl.zst", "rb") as file:
        for line in zstandard.ZstdDecompressor().stream_reader(file).read().decode().splitlines():
            drop = json.loads(line)
            clusters[int(drop["id"][1:])] = int(drop["kept"][1:])
    with open(folder / "run/out.jsonl", encoding="utf-8") as file:
        kept = [int(json.loads(line)["id"][1:]) for line in file]
    assert kept == [i for i, first in enumerate(clusters) if first == i], "what is written is not what the account of drops says"
    return clusters


# ---- check


def compared(name, different, **figures):
    print(json.dumps({"name": f"minhash.{name}", "unit": "differences", "value": different, "cpu": cpu(), **figures}), flush=True)
    return different == 0


def hard_texts(draw):
    """Every code point, and what the simplification looks at more than one character for."""
    every = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
    yield from (f"a{c}B" for c in every)
    marks = [chr(c) for c in (0x1B44, 0x1BAA, 0x302E, 0x302F, 0x1D165, 0x1D16D, 0x16FF0, 0x300, 0x323, 0x345, 0x94D, 0x5B0, 0x1B34, 0x903, 0x9BE, 0x102B)]
    hard = marks + list("ΣσςİAΑ.:'’ ·0१٣،٫⎖,\u00a0\u3000ᾼᴬªⓐⅧ\u00adé한\U0001d15e")
    for letters, longest, count in ((hard, 9, 100_000), (hard + list("abcXYZ  -\n"), 60, 50_000), (every, 20, 50_000)):
        yield from ("".join(draw.choices(letters, k=draw.randrange(1, longest + 1))) for _ in range(count))


def check_simplified():
    texts = list(hard_texts(random.Random(3)))
    found = [json.loads(line) for line in run_tool(texts, "simplified")]
    return compared("simplified", sum(simplify_text(text) != one for text, one in zip(texts, found, strict=True)), texts=len(texts))


def check_signatures(texts):
    configurations = (MinhashConfig(), MinhashConfig(hash_config=HashConfig(precision=32)), MinhashConfig(n_grams=3, num_buckets=9, hashes_per_bucket=5, seed=42))
    different = 0
    for config in configurations:
        peer = MinhashDedupSignature(tempfile.gettempdir(), config)
        options = {"n_grams": config.n_grams, "buckets": config.num_buckets, "hashes_per_bucket": config.hashes_per_bucket, "seed": config.seed, "hash_bits": config.hash_config.precision}
        found = [json.loads(line) for line in run_tool(texts, "signature", *(f"{key}={value}" for key, value in options.items()))]
        different += sum(expected_signature(peer, text) != one for text, one in zip(texts, found, strict=True))
    return compared("signatures", different, texts=len(texts), configurations=len(configurations))


def expected_signature(peer, text):
    shingles = peer.get_shingles(text)
    return [value for bucket in peer.get_signature(shingles) for value in bucket] if shingles.size else []


def check_clusters(docs):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_corpus(folder / "data.jsonl", docs)
        theirs, _, kept = datatrove_clusters(folder, docs, time.process_time)
        ours = flowrun_clusters(folder, len(docs), "equal")
        spilled = flowrun_clusters(folder, len(docs), "equal", threads=2, more="memory_bytes = 200000")
    a, b = partition(theirs), partition(ours)
    return compared("clusters", len(a ^ b) + (ours != spilled), documents=len(docs), clusters=len(a), in_clusters=len(in_clusters(theirs)), largest=max(map(len, a)), kept=kept,
                    kept_by_flowrun=len(set(ours)))


def check(args):
    docs = corpus(args.documents)
    equal = [check_simplified(), check_signatures([doc["text"] for doc in docs[:1500]] + ["", "a b c d", "a b c d e"]), check_clusters(docs)]
    sys.exit(0 if all(equal) else 1)


# ---- quality


def quality(args):
    docs = corpus(args.documents)
    sets = [{hash(shingle) for shingle in word_shingles(doc["text"])} for doc in docs]
    pairs = similar_pairs(sets)
    best = collections.defaultdict(float)
    for (a, b), similarity in pairs.items():
        best[a], best[b] = max(best[a], similarity), max(best[b], similarity)
    strong, alike = {i for i, s in best.items() if s >= 0.8}, {i for i, s in best.items() if s >= 0.5}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_corpus(folder / "data.jsonl", docs)
        found = {
            "flowrun_equal": in_clusters(flowrun_clusters(folder, len(docs), "equal")),
            "flowrun_fast": in_clusters(flowrun_clusters(folder, len(docs), "fast")),
            "datatrove": in_clusters(datatrove_clusters(folder, docs, time.process_time)[0]),
            "datasketch": in_clusters(datasketch_clusters(docs, time.process_time)[0]),
            "rensa": rensa_flags(docs, time.process_time)[0],
        }
    for name, flagged in found.items():
        print(json.dumps({"name": f"minhash.quality.{name}", "unit": "recall", "value": round(len(flagged & strong) / len(strong), 4), "precision": round(len(flagged & alike) / len(flagged), 4),
                          "flagged": len(flagged), "documents": len(docs), "with_partner_0.8": len(strong), "with_partner_0.5": len(alike), "cpu": cpu()}), flush=True)
    signature_error(docs, pairs)


def signature_error(docs, pairs, permutations=1024):
    """How far the share of equal minima is from the exact similarity, beside what k random permutations give: sqrt(J (1 - J) / k)."""
    chosen = random.Random(5).sample(sorted(pairs), min(2000, len(pairs)))
    needed = sorted({i for pair in chosen for i in pair})
    for k in (BUCKETS * HASHES, permutations):
        for name, fast in (("equal", 0), ("fast", 1)):
            lines = run_tool([docs[i]["text"] for i in needed], "signature", f"fast={fast}", f"buckets={k // 8}", "hashes_per_bucket=8")
            signatures = dict(zip(needed, map(json.loads, lines), strict=True))
            errors, expected = [], []
            for a, b in chosen:
                if signatures[a] and signatures[b]:
                    errors.append(sum(x == y for x, y in zip(signatures[a], signatures[b], strict=True)) / k - pairs[a, b])
                    expected.append(pairs[a, b] * (1 - pairs[a, b]) / k)
            print(json.dumps({"name": f"minhash.error.{name}", "unit": "root mean square", "value": round(math.sqrt(statistics.fmean(e * e for e in errors)), 5),
                              "of_random_permutations": round(math.sqrt(statistics.fmean(expected)), 5), "mean": round(statistics.fmean(errors), 5), "permutations": k, "pairs": len(errors), "cpu": cpu()}),
                  flush=True)


# ---- speed and memory


def timed(clock, call):
    start = clock()
    call()
    return clock() - start


def speed(args):
    docs = corpus(args.documents)
    few = docs[:args.peer_documents]  # datatrove takes minutes for all of them
    large = corpus(args.large_documents)  # seconds on the clock must be many beside those of a start and of durable files
    all_bytes, few_bytes, large_bytes = (sum(len(doc["text"].encode()) for doc in part) for part in (docs, few, large))
    count = {name: len(few) for name in ("datatrove", "datasketch")}
    times = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_corpus(folder / "data.jsonl", docs)
        write_corpus(folder / "large.jsonl", large)
        texts = [doc["text"] for doc in docs]
        for _ in range(args.repeats):
            times["datatrove"].append(few_bytes / sum(datatrove_clusters(folder, few, time.process_time)[1].values()))
            times["datasketch"].append(few_bytes / sum(datasketch_clusters(few, time.process_time)[1].values()))
            rensa = rensa_flags(docs, time.process_time)[1]
            times["rensa"].append(all_bytes / sum(rensa.values()))
            times["rensa_without_shingles"].append(all_bytes / (rensa["signatures"] + rensa["clusters"]))
            for mode in ("equal", "fast"):
                times[f"flowrun_{mode}"].append(all_bytes / timed(cpu_seconds, lambda: run(folder, graph(mode))))
                times[f"flowrun_{mode}_signatures"].append(all_bytes / float(run_tool(texts, "seconds", f"fast={int(mode == 'fast')}")[0]))
                for threads in (1, 2):
                    times[f"flowrun_{mode}_elapsed_{threads}_threads"].append(large_bytes / timed(time.perf_counter, lambda: run(folder, graph(mode, "large.jsonl"), threads)))
    middle = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        ratios = {f"times_{peer}": round(middle[name] / middle[peer], 1) for peer in ("datatrove", "rensa")} if name.startswith("flowrun") and "elapsed" not in name else {}
        emit(f"minhash.speed.{name}", "MB/s", [value / 1e6 for value in values], documents=count.get(name, len(large if "elapsed" in name else docs)), **ratios)


def memory(args):
    """Peak memory of a whole run on 1x, 5x and 20x distinct text, at a bound that even 1x passes."""
    draw = random.Random(9)
    words = ["".join(draw.choices("aeioubdfglmnprst", k=draw.randrange(2, 10))) for _ in range(50_000)]
    for mode in ("equal", "fast"):
        figures = {}
        for times in (1, 5, 20):
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                with open(folder / "data.jsonl", "w", encoding="utf-8") as file:
                    for i in range(int(args.megabytes * times * 1000)):
                        file.write(json.dumps({"id": f"d{i}", "text": " ".join(draw.choices(words, k=150))}) + "\n")
                figures[times] = peak_megabytes(folder, graph(mode, more=f"memory_bytes = {args.memory_bytes}"))
        emit(f"minhash.peak_memory.{mode}", "MB", [figures[20]], at_1x=round(figures[1], 1), at_5x=round(figures[5], 1), ratio=round(figures[20] / figures[1], 3), ratio_to_5x=round(figures[20] / figures[5], 3), memory_bytes=args.memory_bytes,
             text_megabytes=args.megabytes, documents=int(args.megabytes * 20_000))


# ---- golden


def golden(_):
    """Small clusters of invented words, so that nobody's text is copied, with datatrove's simplified texts, signatures (of few hashes) and clusters (of all)."""
    draw = random.Random(7)
    words = ["the", "of", "don't", "U.S.", "1,234.5", "Σίσυφος", "café", "東京", "x²", "C++"] + ["".join(draw.choices("aeioubdfglmnprst", k=draw.randrange(2, 9))) for _ in range(300)]
    docs = []
    for _ in range(24):
        text = " ".join(draw.choice(words) for _ in range(draw.randrange(25, 60))).capitalize() + "."
        docs.append(text)
        for rate in draw.sample((0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2), draw.randrange(0, 4)):
            docs.append(" ".join(draw.choice(words) if draw.random() < rate else word for word in text.split()))
    docs += ["", "four words are few", "Just five words, these are."]
    draw.shuffle(docs)
    docs = [{"id": f"d{i}", "text": text} for i, text in enumerate(docs)]
    with tempfile.TemporaryDirectory() as name:
        clusters, _, _ = datatrove_clusters(pathlib.Path(name), docs, time.process_time)
        peer = MinhashDedupSignature(name, MinhashConfig(num_buckets=2, hashes_per_bucket=2, seed=3))
        first = {cluster: min(i for i, c in enumerate(clusters) if c == cluster) for cluster in clusters}
        lines = [{"id": doc["id"], "text": doc["text"], "first": docs[first[cluster]]["id"], "simplified": simplify_text(doc["text"]), "signature": list(map(str, expected_signature(peer, doc["text"])))}
                 for doc, cluster in zip(docs, clusters, strict=True)]
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    print(json.dumps({"name": "minhash.golden", "documents": len(docs), "clusters": len(partition(clusters)), "in_clusters": len(in_clusters(clusters))}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = {"check": check, "quality": quality, "speed": speed, "memory": memory, "golden": golden}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--peer-documents", type=int, default=1_500, help="of these, how many datatrove and datasketch take for their speed")
    parser.add_argument("--large-documents", type=int, default=50_000, help="for flowrun's speed on the clock, with one thread and two")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=20, help="of text at 1x")
    parser.add_argument("--memory-bytes", type=int, default=2_000_000)
    args = parser.parse_args()
    commands[args.command](args)


if __name__ == "__main__":
    main()
