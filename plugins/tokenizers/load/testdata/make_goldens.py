#!/usr/bin/env python3
"""Writes the golden files of this folder from tiktoken 0.14.0 and sentencepiece 0.2.3.

small.tiktoken   320 ranks that the corpus of tokenizers/bpe_trainer gives, those above the bytes in another order: some tokens are made of larger ranks,
                 some of none
*.model          small models that sentencepiece trains on that corpus
goldens.jsonl    for each file a line with its name and the pattern of ranks, then a line for each text: the text, its ids, and the text of these ids

    pip install tiktoken==0.14.0 sentencepiece==0.2.3 && ./make_goldens.py
"""

import base64
import json
import os
import random
import sys
import tempfile

import sentencepiece
import tiktoken

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "../../bpe_trainer/testdata/corpus.txt")
RANKS = os.path.join(HERE, "../../common/models/testdata/ranks.tiktoken")
sys.path.insert(0, os.path.join(HERE, "../../common/unigram/testdata"))
from make_goldens import without_paths  # noqa: E402

CL100K = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
MODELS = {
    "unigram": {"vocab_size": 280, "normalization_rule_name": "identity", "user_defined_symbols": ["<sep>", "and"], "remove_extra_whitespaces": True},
    "unigram_bytes": {"vocab_size": 520, "normalization_rule_name": "identity", "byte_fallback": True, "add_dummy_prefix": False, "remove_extra_whitespaces": False},
    "bpe": {"model_type": "bpe", "vocab_size": 520, "normalization_rule_name": "identity", "byte_fallback": True, "remove_extra_whitespaces": False},
    "bpe_symbols": {"model_type": "bpe", "vocab_size": 280, "normalization_rule_name": "identity", "user_defined_symbols": ["<sep>", "and", "<mask><sep>"]},
}
PARTS = ["<sep>", "<mask><sep>", "and", "<s>", "</s>", "<unk>", "<0x0A>", " ", "  ", "\n", "\t", "\r\n", "\u2581", "123", "4567", "é", "東京", "\U0001f600", "e\u0301", "'s", "'LL", "...", "\x00"]
random_ = random.Random(6)


def texts():
    with open(CORPUS, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip()]
    whole = ["", " ", "  ", "\u2581", "a", " a ", "<sep>", "<s>", "and and", "a \n  ", " \u2581 "]
    for _ in range(110):
        line = random_.choice(lines)
        begin = random_.randrange(len(line))
        words = line[begin:begin + random_.randrange(50)]
        whole.append("".join(random_.choice([words, words, random_.choice(PARTS)]) for _ in range(random_.randrange(1, 4))))
    return whole


def small_ranks():
    with open(RANKS, encoding="ascii") as file:
        ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in file)}
    longer = [token for token, rank in ranks.items() if len(token) > 1 and rank < 320]
    names = [ranks[token] for token in longer]
    random_.shuffle(names)
    return {token: rank for token, rank in ranks.items() if len(token) == 1} | dict(zip(longer, names))


def main():
    if (tiktoken.__version__, sentencepiece.__version__) != ("0.14.0", "0.2.3"):
        raise SystemExit(f"tiktoken {tiktoken.__version__} and sentencepiece {sentencepiece.__version__}, expected 0.14.0 and 0.2.3")
    lines, all_texts = [], texts()
    ranks = small_ranks()
    with open(os.path.join(HERE, "small.tiktoken"), "w", encoding="ascii") as file:
        file.writelines(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in sorted(ranks.items(), key=lambda item: item[1]))
    encoding = tiktoken.Encoding("small", pat_str=CL100K, mergeable_ranks=ranks, special_tokens={})
    lines.append({"file": "small.tiktoken", "pattern": "cl100k", "model": "BPE"})
    lines += [[text, ids, encoding.decode(ids)] for text, ids in ((text, encoding.encode_ordinary(text)) for text in all_texts)]
    for name, options in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            sentencepiece.SentencePieceTrainer.train(input=CORPUS, model_prefix=f"{folder}/m", num_threads=1, minloglevel=2, **options)
            with open(f"{folder}/m.model", "rb") as file, open(os.path.join(HERE, name + ".model"), "wb") as copy:
                copy.write(without_paths(file.read(), folder, CORPUS))
        model = sentencepiece.SentencePieceProcessor(model_file=os.path.join(HERE, name + ".model"))
        lines.append({"file": name + ".model", "pattern": "", "model": "BPE" if options.get("model_type") == "bpe" else "Unigram"})
        lines += [[text, ids, model.decode(ids)] for text, ids in ((text, model.encode(text)) for text in all_texts)]
    with open(os.path.join(HERE, "goldens.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


if __name__ == "__main__":
    main()
