#!/usr/bin/env python3
"""Writes the golden files of the models: what Hugging Face tokenizers 0.23.3 and tiktoken 0.14.0 make of strings.jsonl.

Needs both packages. All models are trained on ../../../bpe_trainer/testdata/corpus.txt, so the files can be made anew; ids of trained models
with a prefix or suffix may then change (the trainer numbers such pieces in the order of a hash), their agreement with the strings does not.
"""

import base64
import json
import pathlib
import random

import tiktoken
import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
CORPUS = (HERE / "../../../bpe_trainer/testdata/corpus.txt").read_text(encoding="utf-8")
SCRIPTS = (
    "Straße naïve café œuvre Ångström Ελληνικά κόσμος русский война 中文分词测试 日本語東京 한국어 العربية עברית देवनागरी ไทย "
    "👩‍👩‍👧 😀 🏳️‍🌈 🇩🇪 👍🏽 e\u0301 o\u0308\u0323 \u200d \ufeff \u00ad ∑∫ ℵ𝔘 ½ ﬁ "
    "## ### a##b ##a # ▁the ▁of <unk> [UNK] <0x41> </w> the</w> \U0010ffff \u0001"
).split()


def make_strings():
    rng = random.Random(1)
    words = sorted(set(CORPUS.split()))
    letters = sorted(set("".join(SCRIPTS)))
    strings = ["", " ", "\n", "the", "\u0000"] + SCRIPTS
    strings += [c * n for c in "ae#é中😀▁" for n in (2, 20, 21, 100, 101)]
    strings += ["".join(rng.choice(words) for _ in range(20)) for _ in range(5)]
    while len(strings) < 2000:
        kind = rng.random()
        word = rng.choice(words)
        if kind < 0.35:
            strings.append(word)
        elif kind < 0.5:
            strings.append(word.lower())
        elif kind < 0.65:
            at = rng.randrange(len(word) + 1)
            strings.append(word[:at] + rng.choice(letters) + word[at:])
        elif kind < 0.75:
            strings.append("".join(rng.choice(letters) for _ in range(rng.randrange(1, 9))))
        elif kind < 0.85:
            strings.append("".join(rng.choice("etaoinshrd") for _ in range(rng.randrange(1, 14))))
        elif kind < 0.95:
            strings.append("▁" + word + "▁" + rng.choice(words))
        else:
            code_points = (rng.randrange(1, 0x110000) for _ in range(rng.randrange(1, 6)))
            strings.append("".join(chr(c) if not 0xD800 <= c < 0xE000 else "?" for c in code_points))
    return strings


def trained(model, trainer, pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(CORPUS.split("\n"), trainer)
    return json.loads(tokenizer.to_str())["model"]


def bpe(vocab_size, alphabet_size, pre_tokenizer, specials=(), trainer_options={}, **options):
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, limit_alphabet=alphabet_size, special_tokens=list(specials), show_progress=False, **trainer_options)
    return trained(models.BPE(**options), trainer, pre_tokenizer)


def ambiguous_merges():
    """Merges in no order of a training: several pairs make one token, and some pairs stand twice."""
    rng = random.Random(5)
    vocabulary, merges = ["<unk>", *"abcetho"], []
    for _ in range(300):
        left, right = rng.choice(vocabulary[1:]), rng.choice(vocabulary[1:])
        if len(left + right) > 5:
            continue
        if left + right not in vocabulary:
            vocabulary.append(left + right)
        merges.append([left, right])
    return {
        "type": "BPE", "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
        "byte_fallback": False, "ignore_merges": False, "vocab": {token: i for i, token in enumerate(vocabulary)}, "merges": merges,
    }


def make_models():
    spaces = pre_tokenizers.WhitespaceSplit()
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    bert = trained(
        models.WordPiece(unk_token="[UNK]"),
        trainers.WordPieceTrainer(vocab_size=900, special_tokens=["[PAD]", "[UNK]"], show_progress=False),
        pre_tokenizers.BertPreTokenizer(), normalizers.BertNormalizer(),
    )
    yield "bert", bert
    odd = json.loads(json.dumps(bert)) | {"max_input_chars_per_word": 20}
    for token in ["##", "#", "###", "##a##b", "##😀", "中", "##中", "##ab"]:
        odd["vocab"].setdefault(token, len(odd["vocab"]))
    yield "bert_odd", odd
    yield "word_level", trained(
        models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=500, special_tokens=["[UNK]"], show_progress=False), spaces
    )
    yield "gpt", trained(
        models.BPE(), trainers.BpeTrainer(vocab_size=800, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False),
        pre_tokenizers.ByteLevel(),
    )
    llama = bpe(1000, 60, pre_tokenizers.Metaspace(), ["<unk>", "<s>", "</s>", *byte_tokens], unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    yield "llama", llama
    # Some bytes only: unknown tokens and byte tokens come side by side.
    partial = json.loads(json.dumps(llama))
    for byte in [*range(0x90, 0xA8), 0xF0]:
        del partial["vocab"][f"<0x{byte:02X}>"]
    yield "llama_partial", partial
    suffix = dict(end_of_word_suffix="</w>")
    yield "clip", bpe(800, 60, spaces, ["<unk>"], suffix, unk_token="<unk>", **suffix)
    both = dict(continuing_subword_prefix="@", end_of_word_suffix="</w>")
    yield "prefix_and_suffix", bpe(800, 60, spaces, ["<unk>"], both, unk_token="<unk>", fuse_unk=True, **both)
    yield "ambiguous", ambiguous_merges()


def load(model):
    options = {key: value for key, value in model.items() if key != "type" and value is not None}
    options.pop("dropout", None)
    if "merges" in options:
        options["merges"] = [tuple(merge) for merge in options["merges"]]
    return getattr(models, model["type"])(**options)


def flat(tokens):
    """Pairs of id and end; each token begins where the one before it ends."""
    begin = 0
    numbers = []
    for token in tokens:
        assert token.offsets[0] == begin
        begin = token.offsets[1]
        numbers += [token.id, begin]
    return numbers


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def byte_level(text):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)[0][0] if text else ""


def main():
    assert tokenizers.__version__ == "0.23.3" and tiktoken.__version__ == "0.14.0"
    strings = make_strings()
    (HERE / "strings.jsonl").write_text("".join(map(dump, strings)), encoding="utf-8")
    for name, model in make_models():
        peer = load(model)
        spelt = map(byte_level, strings) if name == "gpt" else strings
        lines = [dump(model)] + [dump(flat(peer.tokenize(text))) for text in spelt]
        (HERE / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        if name == "gpt":
            write_ranks(model, strings)


def write_ranks(model, strings):
    alphabet = {byte_level(chr(c))[0]: c for c in range(128)} | {byte_level(chr(c))[-1]: 0x80 | c & 0x3F for c in range(0x80, 0xC0)}
    for byte in range(256):  # leading bytes, and those of no UTF-8, are printable in Latin-1
        alphabet.setdefault(chr(byte), byte)
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    ranks = {bytes(alphabet[c] for c in token): rank for rank, token in enumerate(tokens)}
    assert len(ranks) == len(tokens) == 800
    encoding = tiktoken.Encoding("golden", pat_str=r"[\s\S]+", mergeable_ranks=ranks, special_tokens={})
    (HERE / "ranks.tiktoken").write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items()))
    (HERE / "tiktoken_ids.jsonl").write_text("".join(dump(encoding.encode(text)) for text in strings), encoding="utf-8")


if __name__ == "__main__":
    main()
