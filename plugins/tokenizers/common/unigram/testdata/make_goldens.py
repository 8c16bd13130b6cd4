#!/usr/bin/env python3
"""Writes the golden files of this folder from Hugging Face tokenizers 0.23.3 and sentencepiece 0.2.3.

unigram.model, bpe.model   small models that sentencepiece trains on the corpus of tokenizers/bpe_trainer, with the charsmap of RULES
models.jsonl               what sentencepiece says of them
unigram.jsonl              vocabularies, each followed by texts and their tokens (id, begin, end in bytes, flat) by tokenizers' Unigram
precompiled.jsonl          the charsmap in base64, then texts, what tokenizers' Precompiled makes of them and where each character comes from
marks.txt                  ranges of code points before which tokenizers sees no grapheme boundary behind a letter
trained.json               what tokenizers' UnigramTrainer makes of the words of the corpus (in tokenizers/unigram_trainer/testdata)

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 && ./make_goldens.py
"""
import base64
import collections
import json
import os
import random
import tempfile

import sentencepiece
import tokenizers
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram, WordLevel
from tokenizers.trainers import UnigramTrainer

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "../../../bpe_trainer/testdata/corpus.txt")
TRAINER_DATA = os.path.join(HERE, "../../../unigram_trainer/testdata")

# Replacements of each kind: of equal length, longer, shorter, none, of sequences, of a prefix of a sequence, of a line end.
RULES = ([(chr(c), chr(c + 32)) for c in range(0x41, 0x5B)] + [(chr(c), chr(c - 0xFEE0)) for c in range(0xFF21, 0xFF5B)] +
         [("\u2122", "tm"), ("\ufb01", "fi"), ("\u00bd", "1\u20442"), ("\u3300", "アパート"), ("\u3000", " "), ("\t", " "), ("\r", " "), ("\r\n", " "),
          ("E\u0301", "é"), ("カ\u3099", "ガ"), ("ｶ", "カ"), ("ｶﾞ", "ガ"), ("ﾞ", "\u3099"), ("\u00aa", "a"), ("\u0149", "ʼn"), ("\U0001d400", "A"),
          ("\u0958", "\u0915\u093c"), ("\u0e33", "\u0e4d\u0e32"), ("\U0001f1e6", "A"), ("\u0600", "#")] +
         [(c, "") for c in "\x07\x1e\u00ad\u200b\ufeff"])

random_ = random.Random(6)


def write(name, rows, folder=HERE):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        for row in rows:
            file.write((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False, separators=(",", ":"))) + "\n")


def any_character():
    while True:
        c = random_.randrange(random_.choice([0x80, 0x250, 0x800, 0x3000, 0x10000, 0x20000, 0x110000]))
        if not 0xD800 <= c < 0xE000:
            return chr(c)


def corpus_lines():
    with open(CORPUS, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def train_models():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/rules.tsv", "w") as rules:
            for old, new in RULES:
                rules.write(" ".join(f"{ord(c):X}" for c in old) + "\t" + " ".join(f"{ord(c):X}" for c in new) + "\n")
        common = dict(input=CORPUS, normalization_rule_tsv=f"{folder}/rules.tsv", num_threads=1, minloglevel=2)
        train = sentencepiece.SentencePieceTrainer.train
        train(model_prefix=f"{folder}/unigram", vocab_size=500, byte_fallback=True, pad_id=3, user_defined_symbols=["<sep>"], **common)
        train(model_prefix=f"{folder}/bpe", model_type="bpe", vocab_size=200, bos_id=-1, unk_id=1, eos_id=0, treat_whitespace_as_suffix=True,
              add_dummy_prefix=False, remove_extra_whitespaces=False, character_coverage=0.98, **common)
        for name in ("unigram", "bpe"):
            with open(f"{folder}/{name}.model", "rb") as file, open(os.path.join(HERE, name + ".model"), "wb") as copy:
                copy.write(without_paths(file.read(), folder))
    for name in ("unigram", "bpe"):
        model = sentencepiece.SentencePieceProcessor(model_file=os.path.join(HERE, name + ".model"))
        kinds = lambda i: [model.is_unknown(i), model.is_control(i), model.is_unused(i), model.is_byte(i)].index(True) if any(
            (model.is_unknown(i), model.is_control(i), model.is_unused(i), model.is_byte(i))) else -1
        rows.append({"model": name, "ids": [model.unk_id(), model.bos_id(), model.eos_id(), model.pad_id()],
                     "pieces": [[model.id_to_piece(i), model.get_score(i), kinds(i)] for i in range(model.get_piece_size())]})
    write("models.jsonl", rows)
    return rows[0]["pieces"]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def encode_varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def fields(message):
    """Each field of a protobuf message as (number, its bytes with the key, where its content begins)."""
    at = 0
    while at < len(message):
        begin = at
        key, at = varint(message, at)
        content = at
        if key & 7 == 2:
            length, content = varint(message, at)
            at = content + length
        else:
            at = {0: lambda: varint(message, at)[1], 1: lambda: at + 8, 5: lambda: at + 4}[key & 7]()
        yield key >> 3, message[begin:at], content - begin


def without_paths(model, folder, corpus=CORPUS):
    """The model without the names of the files it was trained from."""
    out = b""
    for number, field, content in fields(model):
        if number in (2, 3):
            kept = b"".join(f for _, f, _ in fields(field[content:]) if folder.encode() not in f and corpus.encode() not in f)
            field = field[:1] + encode_varint(len(kept)) + kept
        out += field
    return out


def random_vocabulary(size, alphabet, scores, longest, unk=True, repeat=False, extra=()):
    pieces = []
    while len(pieces) < size:
        piece = "".join(random_.choice(alphabet) for _ in range(random_.randint(1, longest)))
        if repeat or piece not in (p for p, _ in pieces):
            pieces.append([piece, random_.choice(scores)])
    if unk:
        pieces.insert(random_.randrange(size + 1), ["<unk>", 0.0])
    return pieces + list(extra)


def unigram_rows(trained):
    all_bytes = [["<0x%02X>" % b, -6.0 - b / 256] for b in range(256)]
    trained = [[piece, score] for piece, score, _ in trained]
    pairs = [["<unk>", 0.0]] + [[a + b, -30.0] for a in "xyzé" for b in "xyzé"] + [["a", -1.0]]
    lines = corpus_lines()
    real = lambda: "▁" + random_.choice(lines)[:40].replace(" ", "▁")
    rare = lambda: real()[:20] + "".join(any_character() for _ in range(random_.randint(0, 4))) + real()[:10] + random_.choice(["", "<unk>"])
    letters = lambda pool: lambda: "".join(random_.choice(pool) for _ in range(random_.randint(0, 20)))
    sets = [  # name, pieces, byte_fallback, texts
        ("trained", trained, True, [real, rare]), ("trained_without_bytes", trained, False, [rare]),
        ("ties", random_vocabulary(60, "abc", [-1.0, -2.0, -3.0], 5), False, [letters("abc"), letters("abcd")]),
        ("zeros", random_vocabulary(80, "ab<>unk", [0.0, -0.5], 4), False, [letters(["a", "b", "<unk>", "<", ">", "un", "k"])]),
        ("repeated", random_vocabulary(60, "abé", [-1.0, -1.5, -2.5], 4, repeat=True, extra=all_bytes), True, [letters("abé日c")]),
        ("some_bytes", random_vocabulary(60, "abé日", [-1.0, -3.0], 4, extra=all_bytes[::3]), True, [letters("abé日🙂c"), letters("bcdfé")]),
        ("no_unk", random_vocabulary(60, "abc", [-1.0, -2.0], 5, unk=False), False, [letters("abc"), letters("abcabcabcd")]),
        ("worse_than_unknown", random_vocabulary(60, "abcdé", [-1.0, -50.0], 6), False, [letters("abcdé")]),
        ("positive", random_vocabulary(40, "ab", [1.0, 2.0, 3.0, -40.0], 6), False, [letters("abc")]),
        ("only_unk", [["<unk>", 0.0]], False, [letters(["a", "<unk>", "é"])]), ("pairs", pairs, True, [letters("xyzéa")])]
    for name, pieces, byte_fallback, texts in sets:
        unk_id = next((i for i, (piece, _) in enumerate(pieces) if piece == "<unk>"), None)
        yield {"vocabulary": name, "pieces": pieces, "unk_id": unk_id, "byte_fallback": byte_fallback}
        model = Unigram([tuple(p) for p in pieces], unk_id, byte_fallback)
        for i in range(350 if len(texts) > 1 else 250):
            text = texts[i % len(texts)]()
            try:
                yield {"text": text, "tokens": [n for t in model.tokenize(text) for n in (t.id, *t.offsets)]}
            except Exception:
                yield {"text": text, "tokens": None}


def charsmap():
    with open(os.path.join(HERE, "unigram.model"), "rb") as file:
        normalizer = next(field[content:] for number, field, content in fields(file.read()) if number == 3)
    return next(field[content:] for number, field, content in fields(normalizer) if number == 2)


def precompiled_rows(binary):
    yield {"precompiled_charsmap": base64.b64encode(binary).decode()}
    tokenizer = Tokenizer(WordLevel({"<unk>": 0}, unk_token="<unk>"))  # each character of the normalized text is a token
    tokenizer.normalizer = normalizers.Precompiled(binary)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    marks = list("\u0301\u0327\u05b4\u064b\u200d\ufe0f\u3099\u309a\u20e3\u094d\u0903\u1161\u11a8\u0897\u1acf\U00010d69\r\n") + ["\U0001f3fb"]
    sources = [old for old, _ in RULES]
    pick = [any_character, lambda: random_.choice(sources), lambda: random_.choice(marks), lambda: random_.choice("aé1 カ"), lambda: "\u1100"]
    for i in range(1500):
        text = "".join(random_.choice(pick)() for _ in range(random_.randint(0, 12)))
        places = [0]
        for c in text:
            places.append(places[-1] + len(c.encode()))
        yield {"text": text, "normalized": tokenizer.normalizer.normalize_str(text),
               "offsets": [[places[b], places[e]] for b, e in tokenizer.encode(text).offsets]}


def mark_rows(binary):
    normalizer = normalizers.Precompiled(binary)
    ranges = []
    for c in range(0x80, 0x110000):
        if 0xD800 <= c < 0xE000 or normalizer.normalize_str("A" + chr(c)) != "a":
            continue
        if chr(c) in (old for old, _ in RULES):
            continue
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return [f"{first:X} {last:X}" for first, last in ranges]


def trained():
    pre_tokenizer = pre_tokenizers.Metaspace()
    counts = collections.Counter(word for line in corpus_lines() for word, _ in pre_tokenizer.pre_tokenize_str(line))
    tokenizer = Tokenizer(Unigram())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(corpus_lines(), UnigramTrainer(vocab_size=400, special_tokens=["<s>", "<unk>"], unk_token="<unk>", show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    os.makedirs(TRAINER_DATA, exist_ok=True)
    write("trained.json", [{"words": sorted(counts.items()), "vocab_size": 400, "special_tokens": ["<s>", "<unk>"], "unk_token": "<unk>", "unk_id": model["unk_id"],
                            "pieces": model["vocab"]}], TRAINER_DATA)


def main():
    if (tokenizers.__version__, sentencepiece.__version__) != ("0.23.3", "0.2.3"):
        raise SystemExit(f"tokenizers {tokenizers.__version__} and sentencepiece {sentencepiece.__version__}, expected 0.23.3 and 0.2.3")
    pieces = train_models()
    write("unigram.jsonl", unigram_rows(pieces))
    write("precompiled.jsonl", precompiled_rows(charsmap()))
    write("marks.txt", mark_rows(charsmap()))
    trained()


if __name__ == "__main__":
    main()
