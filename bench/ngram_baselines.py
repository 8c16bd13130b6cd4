#!/usr/bin/env python3
"""The final held-out loss of a causal run beside what counting gives: a unigram model with add-1 smoothing, and a bigram model with add-k
smoothing (the best k of 1, 0.1, 0.01, 0.001). Both are counted on exactly the sequences that the model was trained on and score exactly the
tokens that evaluators/perplexity scored: documents cut in windows of the sequence length, every token but a window's first.

    bench/ngram_baselines.py [RUN]      RUN: runs/pretrain

Prints one JSON line each, in nats a token, and exits with 1 unless the model is at least 1.0 below the unigram model and below the bigram model.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from common import BUILD, emit

SMOOTHING = (1.0, 0.1, 0.01, 0.001)


def read_tokens(run):
    """Returns the training sequences [n, T] that the model saw, and the held-out documents."""
    state = json.loads((run / "checkpoints/latest/state.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run([BUILD / "bin/dump_tokens", run / "run.toml", str(state["position"]), folder], check=True, capture_output=True, text=True)
        sizes = json.loads(result.stdout)
        sequences, ids, lengths = (np.fromfile(pathlib.Path(folder) / f"{name}.u32", dtype=np.uint32).astype(np.int64)
                                   for name in ("sequences", "heldout", "heldout_lengths"))
    return sequences.reshape(sizes["sequences"], sizes["sequence_length"]), np.split(ids, np.cumsum(lengths)[:-1])


def scored_pairs(documents, length):
    """Returns (previous token, token) for every token that is scored."""
    windows = [document[begin:begin + length] for document in documents for begin in range(0, len(document), length)]
    return np.concatenate([window[:-1] for window in windows]), np.concatenate([window[1:] for window in windows])


def unigram_loss(sequences, targets, vocabulary):
    counts = np.bincount(sequences.ravel(), minlength=vocabulary)
    return -np.log((counts[targets] + 1) / (sequences.size + vocabulary)).mean()


def bigram_loss(sequences, previous, targets, vocabulary, k):
    contexts = np.bincount(sequences[:, :-1].ravel(), minlength=vocabulary)
    pairs, counts = np.unique(sequences[:, :-1] * vocabulary + sequences[:, 1:], return_counts=True)
    wanted = previous * vocabulary + targets
    place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    found = np.where(pairs[place] == wanted, counts[place], 0)
    return -np.log((found + k) / (contexts[previous] + k * vocabulary)).mean()


def main():
    run = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "runs/pretrain")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    final = [line for line in lines if line["kind"] == "eval" and line["domain"] == "all"][-1]
    vocabulary = json.loads((run / "model/config.json").read_text(encoding="utf-8"))["vocab_size"]
    sequences, documents = read_tokens(run)
    previous, targets = scored_pairs(documents, sequences.shape[1])
    if len(targets) != final["tokens"]:
        sys.exit(f"{len(targets)} tokens would be scored here, but metrics.jsonl says {final['tokens']}; is it a causal run that evaluates all documents?")
    unigram = unigram_loss(sequences, targets, vocabulary)
    bigram, k = min((bigram_loss(sequences, previous, targets, vocabulary, k), k) for k in SMOOTHING)
    of = {"scored_tokens": len(targets), "training_tokens": int(sequences.size)}
    emit("held_out_loss.model", "nats/token", [final["loss"]], step=final["step"], **of)
    emit("held_out_loss.unigram_add_1", "nats/token", [float(unigram)], above_model=round(float(unigram) - final["loss"], 4), **of)
    emit("held_out_loss.bigram_add_k", "nats/token", [float(bigram)], k=k, above_model=round(float(bigram) - final["loss"], 4), **of)
    sys.exit(0 if final["loss"] <= unigram - 1.0 and final["loss"] < bigram else 1)


if __name__ == "__main__":
    main()
