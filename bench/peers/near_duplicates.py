"""Documents with planted near duplicates, what is truly alike among them, and what datatrove, datasketch and rensa find, with their usual calls."""

import collections
import contextlib
import io
import json
import random
import re
import shutil

import numpy as np
from filter_documents import documents
from loguru import logger

N_GRAMS, BUCKETS, HASHES, SEED = 5, 14, 8, 1  # datatrove's defaults
WORD = re.compile(r"\w+")
KINDS = ("exact", "0.005", "0.01", "0.02", "0.04", "0.08", "0.15", "lead", "tail", "shout", "marks")


def vary(text, kind, words, draw):
    """A near copy: some words replaced at a rate, text before or behind, upper case, other punctuation."""
    if kind == "exact":
        return text
    if kind == "shout":
        return text.upper()
    if kind == "marks":
        return re.sub(r"\s+", lambda m: draw.choice([" ", "  ", " - ", ", ", "\n"]) if draw.random() < 0.3 else m.group(), text)
    if kind in ("lead", "tail"):
        more = " ".join(draw.choices(words, k=max(5, len(text) // 60)))
        return f"{more}\n{text}" if kind == "lead" else f"{text}\n{more}"
    return re.sub(r"\S+", lambda m: draw.choice(words) if draw.random() < float(kind) else m.group(), text)


def corpus(limit, seed=7):
    """`limit` documents, of which two in seven are near copies of others, and some of these of copies, in random order."""
    draw = random.Random(seed)
    base = list(documents(limit - limit * 2 // 7))
    words = [word for text in base[:300] for word in text.split()]
    made = list(base)
    while len(made) < limit:
        source = draw.choice(made if draw.random() < 0.2 else base)
        made.append(vary(source, draw.choice(KINDS), words, draw))
    draw.shuffle(made)
    return [{"id": f"d{i}", "text": text} for i, text in enumerate(made)]


def write_corpus(path, docs):
    path.write_text("".join(json.dumps(doc, ensure_ascii=False) + "\n" for doc in docs), encoding="utf-8")


def word_shingles(text):
    words = WORD.findall(text.lower())
    return {" ".join(words[i:i + N_GRAMS]) for i in range(len(words) - N_GRAMS + 1)}


def similar_pairs(sets, least=0.2):
    """Exact Jaccard similarity of all pairs that reach `least`, through an inverted index of every shingle."""
    index = collections.defaultdict(list)
    for i, shingles in enumerate(sets):
        for shingle in shingles:
            index[shingle].append(i)
    common = collections.Counter()
    for holders in index.values():
        if len(holders) <= 200:  # what stands in more documents opens no pair, but counts below
            for x, a in enumerate(holders):
                for b in holders[:x]:
                    common[b, a] += 1
    pairs = {}
    for (a, b), count in common.items():
        if count >= least * min(len(sets[a]), len(sets[b])) / 2:
            both = len(sets[a] & sets[b])
            if (similarity := both / (len(sets[a]) + len(sets[b]) - both)) >= least:
                pairs[a, b] = similarity
    return pairs


# ---- peers: each gives the cluster of every document, and the seconds of processor that `clock` counts, by step


def datatrove_clusters(folder, docs, clock):
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature

    logger.remove()
    for name in ("signatures", "buckets", "clusters"):
        shutil.rmtree(folder / name, ignore_errors=True)
    signatures, buckets, clusters = (str(folder / name) for name in ("signatures", "buckets", "clusters"))

    def read():
        return (Document(text=doc["text"], id=doc["id"]) for doc in docs)

    seconds, start = {}, clock()
    with contextlib.redirect_stderr(io.StringIO()):
        MinhashDedupSignature(signatures).run(read(), 0, 1)
        seconds["signatures"] = clock() - start
        for rank in range(BUCKETS):
            MinhashDedupBuckets(signatures, buckets).run(None, rank, BUCKETS)
        MinhashDedupCluster(buckets, clusters, save_cluster_id=True).run(None, 0, 1)
        seconds["clusters"] = clock() - start - seconds["signatures"]
    ids = {}
    path = folder / "clusters/000000.clusters"
    if path.exists():
        ids = {int(d): int(c) for d, c in np.frombuffer(path.read_bytes(), dtype="<u4").reshape(-1, 2)}
    kept = sum(1 for _ in MinhashDedupFilter(clusters).run(read(), 0, 1))
    seconds["filter"] = clock() - start - sum(seconds.values())
    return [ids.get(i, -1 - i) for i in range(len(docs))], seconds, kept


def datasketch_clusters(docs, clock):
    from datasketch import MinHash, MinHashLSH

    start = clock()
    first, sketches = MinHash(num_perm=BUCKETS * HASHES, seed=SEED), []
    for doc in docs:
        sketches.append(first.copy())
        if shingles := [shingle.encode() for shingle in word_shingles(doc["text"])]:
            sketches[-1].update_batch(shingles)
    seconds = {"signatures": clock() - start}
    lsh, pairs = MinHashLSH(num_perm=BUCKETS * HASHES, params=(BUCKETS, HASHES)), []
    for i, sketch in enumerate(sketches):
        pairs += [(j, i) for j in lsh.query(sketch)]
        lsh.insert(i, sketch)
    seconds["clusters"] = clock() - start - seconds["signatures"]
    return components(len(docs), pairs), seconds


def rensa_flags(docs, clock):
    """Which documents rensa takes for duplicates of any other: its fastest calls give flags, not clusters."""
    from rensa import RMinHash, RMinHashLSH

    start = clock()
    sets = [list(word_shingles(doc["text"])) for doc in docs]
    seconds = {"shingles": clock() - start}
    matrix = RMinHash.digest_matrix_from_token_sets(sets, BUCKETS * HASHES, 42)
    seconds["signatures"] = clock() - start - seconds["shingles"]
    flags = RMinHashLSH(0.72, BUCKETS * HASHES, BUCKETS).query_duplicate_flags_matrix_one_shot(matrix)
    seconds["clusters"] = clock() - start - sum(seconds.values())
    return {i for i, flag in enumerate(flags) if flag}, seconds


def components(count, pairs):
    parent = list(range(count))

    def root(x):
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for a, b in pairs:
        a, b = sorted((root(a), root(b)))
        parent[b] = a
    return [root(i) for i in range(count)]


def partition(clusters):
    """Clusters as a set of tuples of documents, whatever their names."""
    groups = collections.defaultdict(list)
    for document, cluster in enumerate(clusters):
        groups[cluster].append(document)
    return {tuple(group) for group in groups.values() if len(group) > 1}


def in_clusters(clusters):
    return {document for group in partition(clusters) for document in group}
