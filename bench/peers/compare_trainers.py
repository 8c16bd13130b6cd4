#!/usr/bin/env python3
"""Training of WordPiece and Unigram: is the tokenizer that of Hugging Face tokenizers, and how long does it take?

    bench/peers/compare_trainers.py [--data data] [--megabytes 25] [--repeats 3] [--only wordpiece|unigram]

Texts are pieces of 8,192 characters of the files under --data. Both sides learn from the same ones; engines take turns. Ours is the whole command, `flowrun` on a
graph of a reader and the trainer, from a file to tokenizer.json; the peer's time is that of its training call on text in memory. Processor seconds are
given beside those of the clock: they do not count what else runs on the machine.

WordPiece is compared once more with all pieces "##x" as special tokens, which fixes their ids, since the library numbers them in an order that changes from run
to run: then the vocabularies must be equal, id by id. Unigram's scores must agree to 1e-9, but for characters that lost their pieces, which get
scores in an order that changes as well.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, FLOWRUN, emit  # noqa: E402

VOCAB_SIZE = {"wordpiece": 30000, "unigram": 8000}
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OURS = ["<|endoftext|>", "<|pad|>", "<|mask|>", "<unk>"]
PIECE_CHARACTERS = 8192

GRAPH = """[node.text]
plugin = "readers/jsonl"
paths = ["{texts}"]

[node.vocabulary]
plugin = "tokenizers/{kind}_trainer"
in = "text"
"""


def read_texts(folder, megabytes):
    texts, size = [], 0
    for path in sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file()):
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        for begin in range(0, len(text), PIECE_CHARACTERS):
            texts.append(text[begin : begin + PIECE_CHARACTERS])
            size += len(texts[-1].encode())
            if size >= megabytes * 1e6:
                return texts, size
    return texts, size


def train_flowrun(kind, texts_path, parameters, folder):
    """Returns seconds, processor seconds and the file."""
    graph = folder / "train.toml"
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in parameters.items()]
    graph.write_text(GRAPH.format(texts=texts_path, kind=kind) + "\n".join(lines) + "\n", encoding="utf-8")
    command = [str(FLOWRUN), str(graph), "-q", "--plugins", str(BUILD / "plugins"), "--output", str(folder / "run"), "--artifacts", str(folder / "artifacts"), "--fresh"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    elapsed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(next((folder / "artifacts").rglob("tokenizer.json")).read_text(encoding="utf-8"))


def make_tokenizer(kind, parameters):
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    if kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        options = {"min_frequency": 2, "limit_alphabet": 1000, "special_tokens": BERT} | parameters
        return tokenizer, trainers.WordPieceTrainer(show_progress=False, **options)
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer, trainers.UnigramTrainer(show_progress=False, special_tokens=OURS, unk_token="<unk>", **parameters)


def train_peer(kind, texts, parameters):
    tokenizer, trainer = make_tokenizer(kind, parameters)
    used, start = time.process_time(), time.perf_counter()
    tokenizer.train_from_iterator(texts, trainer)
    return time.perf_counter() - start, time.process_time() - used, json.loads(tokenizer.to_str())


def compare_word_piece(texts, texts_path, folder):
    tokenizer, _ = make_tokenizer("wordpiece", {})
    inside = {c for text in texts for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)) for c in word[1:]}
    # No limit: of characters that occur equally often the library drops any.
    parameters = {"vocab_size": 20000, "limit_alphabet": 1000000, "special_tokens": BERT + ["##" + c for c in sorted(inside)]}
    ours = train_flowrun("wordpiece", texts_path, parameters, folder)[2]["model"]["vocab"]
    theirs = train_peer("wordpiece", texts, parameters)[2]["model"]["vocab"]
    different = sum(ours.get(token) != id_ for token, id_ in theirs.items()) + abs(len(ours) - len(theirs))
    emit("wordpiece.train.differences", "tokens", [different], of=len(theirs), special_tokens=len(parameters["special_tokens"]))
    return different == 0


def compare_unigram(ours, theirs):
    ours, theirs = dict(map(tuple, ours["model"]["vocab"])), dict(map(tuple, theirs["model"]["vocab"]))
    lost = min(theirs.values()) + 0.1  # what characters without a piece get, 0.0001 apart
    missing = set(ours) ^ set(theirs)
    largest = max((abs(ours[piece] - score) for piece, score in theirs.items() if piece in ours and score > lost), default=0.0)
    emit("unigram.train.differences", "pieces", [len(missing)], of=len(theirs), largest_score_difference=largest)
    return not missing and largest < 1e-9


def measure(kind, texts, texts_path, size, repeats):
    """Returns the last tokenizers of both."""
    times = {"flowrun": [], "tokenizers": []}
    used = {"flowrun": [], "tokenizers": []}
    files = {}
    parameters = {"vocab_size": VOCAB_SIZE[kind]}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for engine, (seconds, processor, file) in (
                ("flowrun", train_flowrun(kind, texts_path, parameters, pathlib.Path(folder))),
                ("tokenizers", train_peer(kind, texts, parameters)),
            ):
                times[engine].append(seconds)
                used[engine].append(processor)
                files[engine] = file
    for engine in times:
        emit(f"{kind}.train.{engine}", "s", times[engine], text_mb=round(size / 1e6, 1), processor_seconds=[round(seconds, 3) for seconds in sorted(used[engine])])
    emit(f"{kind}.train.over_tokenizers", "times", [theirs / ours for ours, theirs in zip(times["flowrun"], times["tokenizers"])])
    emit(f"{kind}.train.over_tokenizers_processor", "times", [theirs / ours for ours, theirs in zip(used["flowrun"], used["tokenizers"])])
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=pathlib.Path(__file__).resolve().parents[2] / "data")
    parser.add_argument("--megabytes", default=25.0, type=float)
    parser.add_argument("--repeats", default=3, type=int)
    parser.add_argument("--only", choices=("wordpiece", "unigram"))
    args = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    texts, size = read_texts(args.data, args.megabytes)
    equal = True
    with tempfile.TemporaryDirectory() as folder:
        texts_path = pathlib.Path(folder) / "texts.jsonl"
        texts_path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        if args.only != "unigram":
            with tempfile.TemporaryDirectory() as other:
                equal &= compare_word_piece(texts, texts_path, pathlib.Path(other))
            measure("wordpiece", texts, texts_path, size, args.repeats)
        if args.only != "wordpiece":
            files = measure("unigram", texts, texts_path, size, args.repeats)
            equal &= compare_unigram(files["flowrun"], files["tokenizers"])
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
