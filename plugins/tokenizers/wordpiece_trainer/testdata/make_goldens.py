#!/usr/bin/env python3
"""Writes vocabularies.jsonl: what the WordPieceTrainer of Hugging Face tokenizers 0.23.3 makes of word counts.

The library numbers pieces with a prefix or suffix in an order that changes from run to run, and ties of merges go by these numbers. So all
of these pieces are special tokens here, which fixes their numbers; what is left to chance (a pair that is queued twice with one count, ties of
limit_alphabet) is left out by training every case eight times and keeping those that always gave the same.
"""

import collections
import json
import pathlib
import random

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
CORPUS = (HERE / "../../bpe_trainer/testdata/corpus.txt").read_text(encoding="utf-8").split()


def train(case):
    options = dict(
        vocab_size=case["vocab_size"], min_frequency=case["min_frequency"], special_tokens=case["specials"], show_progress=False,
        initial_alphabet=case["initial_alphabet"], continuing_subword_prefix=case["prefix"],
    )
    if case["suffix"]:
        options["end_of_word_suffix"] = case["suffix"]
    if case["limit_alphabet"] is not None:
        options["limit_alphabet"] = case["limit_alphabet"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator([" ".join([word] * count) for word, count in case["words"].items()], trainers.WordPieceTrainer(**options))
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    return sorted(vocabulary, key=vocabulary.get)


def pieces(words, prefix, suffix):
    characters = sorted(set("".join(words)))
    made = [prefix + c for c in characters]
    if suffix:
        made += [c + suffix for c in characters] + [prefix + c + suffix for c in characters]
    return made


def make_case(words, vocab_size, prefix="##", suffix="", rng=None, **more):
    specials = ["[PAD]", "[UNK]"] + pieces(words, prefix, suffix)
    if rng:
        rng.shuffle(specials)
    case = dict(words=dict(collections.Counter(words)), vocab_size=vocab_size, min_frequency=0, specials=specials)
    return case | dict(limit_alphabet=None, initial_alphabet=[], prefix=prefix, suffix=suffix) | more


def make_cases():
    rng = random.Random(1)
    yield make_case(CORPUS, 1500)
    yield make_case(CORPUS[:4000], 5000, min_frequency=7, limit_alphabet=40, initial_alphabet=["ß", "中"])
    yield make_case(CORPUS[:1500], 700, suffix="</w>")
    for seed in range(60):  # few letters: ties, runs, and merges whose token is there already
        rng = random.Random(seed)
        letters = rng.choice(["ab", "a#", "ab#", "#", "é中#a", "etaoin"])
        words = ["".join(rng.choice(letters) for _ in range(rng.randrange(1, rng.choice([4, 8, 16])))) for _ in range(rng.randrange(1, 40))]
        yield make_case(
            words, rng.randrange(20, 120), rng.choice(["##", "##", "#", "a"]), rng.choice(["", "", "</w>"]), rng,
            min_frequency=rng.choice([0, 1, 2, 4]), initial_alphabet=[c for c in "xé😀" if rng.random() < 0.2],
        )
    # A pair is queued twice, and what comes out is right only if the entry that got its count first goes first.
    words = "bbababaaaaaaaba aaaabaabbaaaa abaaaaaaaba aaa aaa baaaaaba aaaaab babaababababab abbaabbaaabaab baabaababb".split()
    yield make_case(words, 26, "a") | dict(specials=["aa", "ab", "[UNK]"])


def main():
    assert tokenizers.__version__ == "0.23.3"
    with open(HERE / "vocabularies.jsonl", "w", encoding="utf-8") as file:
        for case in make_cases():
            vocabularies = [train(case) for _ in range(8)]
            if all(vocabulary == vocabularies[0] for vocabulary in vocabularies):
                file.write(json.dumps(case | {"vocabulary": vocabularies[0]}, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
