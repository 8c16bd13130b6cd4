#!/usr/bin/env python3
"""Compares whole tokenizers with those that define them, on a million strings of every kind (tokenizer_texts.py):

- ids, tokens, offsets and decoded text with Hugging Face tokenizers: those of plugins/tokenizers/common/pipeline/testdata, others with added tokens of all
  flags, truncation and padding, and byte-level BPE with the vocabularies of cl100k_base, o200k_base, Llama 3 and Qwen 3; each with and without the special
  tokens of the post-processor;
- ids with tiktoken, as documents are encoded: GPT-2's pattern, and the vocabularies above;
- ids with Hugging Face tokenizers, as documents are encoded: those whose texts are encoded part by part, and Llama 2's in every spelling of spaces, with the vocabulary of testdata,
  whose tokens cross spaces, and with one that sentencepiece trains here on real text;
- the time of one letter 250,000, 500,000 and a million times, printed alone.

    compare_tokenizers.py [--texts N] [--seed N] [--tool FILE] [--kinds NAME...]      N random texts and N real ones for each, beside the odd ones

The vocabularies are those that the wheel of quicktok-v1 carries. Prints a JSON line for each kind of tokenizer with the number of strings, tokens and
differences, and the first difference; exits with 1 if there is one.
"""

import argparse
import dataclasses
import importlib.util
import itertools
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time

import tiktoken
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "plugins/tokenizers/common/pipeline"
sys.path[:0] = [str(PIPELINE), str(ROOT / "bench")]
from common import BUILD  # noqa: E402
from llama_vocabulary import METASPACE, sentencepiece_model, tokenizer_of  # noqa: E402
from make_golden import WORDS  # noqa: E402
from tokenizer_texts import MARKS, Texts, odd_texts, real_texts  # noqa: E402

CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+{CONTRACTION}?|"
         rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]+[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]*{CONTRACTION}?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace("{1,3}", "")
VOCABULARIES = {"cl100k_base": CL100K, "o200k_base": O200K, "llama3_128k": LLAMA3, "qwen3_152k": QWEN}
REPEATS = (250_000, 500_000, 1_000_000)


# ---- vocabularies as tokenizer.json and as ranks


def byte_characters():
    """GPT-2's character for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (256 + i for i in itertools.count())
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


SPELLING = byte_characters()


def spelled(token):
    return "".join(SPELLING[byte] for byte in token)


def read_ranks(name):
    """Reads a vocabulary of quicktok: a count, then for each token its length (16 bits), bytes and rank."""
    data = (pathlib.Path(importlib.util.find_spec("quicktok").origin).parent / f"data/{name}.vocab").read_bytes()
    (count,), at, ranks = struct.unpack_from("<I", data), 4, {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        ranks[data[at + 2 : at + 2 + length]] = struct.unpack_from("<I", data, at + 2 + length)[0]
        at += 6 + length
    return ranks


def merges_of(token, rank, ranks):
    """The pair that smaller ranks leave of a token; where they leave more, every pair that spells it."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        best, at = min((ranks.get(a + b, rank), i) for i, (a, b) in enumerate(zip(parts, parts[1:])))
        if best >= rank:
            return [(token[:cut], token[cut:]) for cut in range(1, len(token)) if token[:cut] in ranks and token[cut:] in ranks]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return [tuple(parts)]


def byte_level(model, pattern):
    tokenizer = Tokenizer(model)
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return json.loads(tokenizer.to_str())


def published(name, pattern):
    ranks = read_ranks(name.split("_")[0])
    merges = [(spelled(a), spelled(b)) for token, rank in sorted(ranks.items(), key=lambda item: item[1]) if len(token) > 1 for a, b in merges_of(token, rank, ranks)]
    vocab = {spelled(token): rank for token, rank in ranks.items()}
    return byte_level(models.BPE(vocab=vocab, merges=merges, ignore_merges=True), pattern), tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


def gpt2_like(file):
    """tiktoken's form of a small byte-level tokenizer: its ids must be ranks, so they are numbered anew."""
    bytes_of = {character: byte for byte, character in enumerate(SPELLING)}
    tokens = [bytes([byte]) for byte in range(256)] + [bytes(bytes_of[c] for c in left + right) for left, right in file["model"]["merges"]]
    ranks = {token: rank for rank, token in enumerate(tokens)}
    merges = [(left, right) for left, right in file["model"]["merges"]]
    tokenizer = byte_level(models.BPE(vocab={spelled(token): rank for token, rank in ranks.items()}, merges=merges), GPT2)
    return tokenizer, tiktoken.Encoding("gpt2", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})


# ---- tokenizers with flags and limits


def with_flags(file):
    """Adds a token for each combination of the flags."""
    tokenizer = Tokenizer.from_str(json.dumps(file))
    contents = iter(["zz", "Straße", " of", "E-Mail", "don't", "aa", "İ", "the", "42", "東京", "\u2581x", "ADDED", "<tag>", "e\u0301", "it's", "…"] * 2)
    for index, flags in enumerate(itertools.product((False, True), repeat=5)):
        single_word, lstrip, rstrip, normalized, special = flags
        content = next(contents) + ("" if index < 16 else "!")
        token = AddedToken(content, single_word=single_word, lstrip=lstrip, rstrip=rstrip, normalized=normalized, special=special)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([token])
    return json.loads(tokenizer.to_str())


def with_limits(file):
    """Yields the file with truncation and padding of both sides and many lengths."""
    for number, (direction, length, pad, multiple) in enumerate(itertools.product(("Left", "Right"), (2, 5, 17), ("Left", "Right"), (None, 8))):
        limits = json.loads(json.dumps(file))
        limits["truncation"] = {"direction": direction, "max_length": length, "strategy": "LongestFirst", "stride": 0}
        strategy = {"Fixed": 12} if number % 3 else "BatchLongest"
        limits["padding"] = {"strategy": strategy, "direction": pad, "pad_to_multiple_of": multiple, "pad_id": 3, "pad_type_id": 1, "pad_token": "[PAD]"}
        yield f"{direction}{length}-{pad}{multiple or ''}", limits


# ---- tokenizers like Llama 2's


def llama_forms(name, file):
    """Yields the file with its spaces spelt in all ways."""
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": METASPACE}
    split = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    prepend = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": METASPACE}, replace]}
    forms = {"prepended": (prepend, None), "replaced": (replace, None), "gemma": (replace, split)}
    for scheme, pieces in itertools.product(("always", "first", "never"), (False, True)):
        forms[f"metaspace_{scheme}" + "_split" * pieces] = (None, {"type": "Metaspace", "replacement": METASPACE, "prepend_scheme": scheme, "split": pieces})
    for form, (normalizer, pre_tokenizer) in forms.items():
        yield f"{name}_{form}", {**file, "normalizer": normalizer, "pre_tokenizer": pre_tokenizer}


def trained_llama(draw):
    texts = real_texts(draw, 20_000)
    return json.loads(tokenizer_of(sentencepiece_model(texts, vocab_size=8000)).to_str())


# ---- comparison


@dataclasses.dataclass
class Row:
    """One kind of tokenizer: what has been compared so far."""

    name: str
    peer: str
    strings: int = 0
    tokens: int = 0
    different: int = 0
    first: dict | None = None

    def add(self, text, what, found, expected):
        self.different += 1
        shorten = lambda value: value if len(json.dumps(value)) < 2000 else json.dumps(value)[:2000]  # noqa: E731
        self.first = self.first or {"text": shorten(text), "what": what, "found": shorten(found), "expected": shorten(expected)}

    def show(self):
        print(json.dumps({"name": f"tokenize.{self.name}", "peer": self.peer, "strings": self.strings, "tokens": self.tokens, "different": self.different, "first": self.first}), flush=True)


class Comparison:
    def __init__(self, tool, folder):
        self.tool, self.folder = tool, pathlib.Path(folder)
        self.rows = {}

    def row(self, name, peer):
        return self.rows.setdefault(name, Row(name, peer))

    def start(self, file, texts, *arguments):
        """Starts the tool; its answers are in the file that is returned once it has ended."""
        tokenizer, lines, answers = self.folder / "tokenizer.json", self.folder / "texts.jsonl", self.folder / "answers.jsonl"
        tokenizer.write_text(json.dumps(file, ensure_ascii=False), encoding="utf-8")
        lines.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
        mode, *rest = arguments
        with lines.open("rb") as source, answers.open("wb") as sink:
            return subprocess.Popen([self.tool, mode, tokenizer, *rest], stdin=source, stdout=sink), answers

    def lines(self, process, answers):
        if process.wait() != 0:
            raise SystemExit(f"{self.tool} ended with {process.returncode}")
        return answers.read_text(encoding="utf-8").split("\n")[:-1]

    def with_tokenizers(self, name, file, texts):
        row = self.row(name, f"tokenizers {tokenizers.__version__}")
        half = len(texts) // 2
        for part, special in ((texts[:half], True), (texts[half:], False)):
            process, answers = self.start(file, part, "answers", *([] if special else ["no_special_tokens"]))
            peer = Tokenizer.from_str(json.dumps(file))
            # A batch would be padded to its longest text.
            batch = [peer.encode(text, add_special_tokens=special) for text in part] if file["padding"] else peer.encode_batch(part, add_special_tokens=special)
            decoded = peer.decode_batch([encoding.ids for encoding in batch])
            for text, encoding, back, ours in zip(part, batch, decoded, self.lines(process, answers), strict=True):
                expected = [encoding.ids, encoding.tokens, encoding.offsets, back]
                row.strings, row.tokens = row.strings + 1, row.tokens + len(expected[0])
                # Both write JSON the same way, so that only what differs need be read.
                if ours != json.dumps(expected, ensure_ascii=False, separators=(",", ":")):
                    compare_fields(row, text, json.loads(ours), json.loads(json.dumps(expected)))

    def with_tiktoken(self, name, file, peer, texts):
        row = self.row(f"documents.{name}", f"tiktoken {tiktoken.__version__}")
        process, answers = self.start(file, texts, "documents")
        expected = peer.encode_ordinary_batch(texts, num_threads=2)
        for text, ids, ours in zip(texts, expected, self.lines(process, answers), strict=True):
            row.strings, row.tokens = row.strings + 1, row.tokens + len(ids)
            if ours != json.dumps(ids, separators=(",", ":")):
                row.add(text, "ids", json.loads(ours), ids)

    def documents_with_tokenizers(self, name, file, texts):
        row = self.row(f"documents.{name}", f"tokenizers {tokenizers.__version__}")
        process, answers = self.start(file, texts, "documents")
        peer = Tokenizer.from_str(json.dumps(file))
        peer.encode_special_tokens = True  # text is data
        for text, encoding, ours in zip(texts, peer.encode_batch(texts, add_special_tokens=False), self.lines(process, answers), strict=True):
            row.strings, row.tokens = row.strings + 1, row.tokens + len(encoding.ids)
            if ours != json.dumps(encoding.ids, separators=(",", ":")):
                row.add(text, "ids", json.loads(ours), encoding.ids)

    def repeated_letter(self, name, file):
        """Prints how long a letter takes for more and more of them, less the time that the tool needs for none."""
        seconds = []
        for count in (0, *REPEATS):
            start = time.perf_counter()
            process, answers = self.start(file, ["a" * count], "documents")
            self.lines(process, answers)
            seconds.append(time.perf_counter() - start)
        taken = [max(0.0, round(value - seconds[0], 4)) for value in seconds[1:]]
        print(json.dumps({"name": f"tokenize.repeated_letter.{name}", "unit": "s", "letters": REPEATS, "seconds": taken}), flush=True)


def compare_fields(row, text, ours, theirs):
    for what, found, expected in zip(("ids", "tokens", "offsets", "decoded"), ours, theirs):
        if found != expected:
            row.add(text, what, found, expected)
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tool", default=BUILD / "bin/flowrun_tokenizer_tool")
    parser.add_argument("--kinds", nargs="*")
    arguments = parser.parse_args()
    random_texts, draw = Texts(arguments.seed, WORDS), random.Random(arguments.seed)
    odd = odd_texts(arguments.seed)

    def texts(count=arguments.texts):
        chosen = [random_texts.next() for _ in range(count)] + real_texts(draw, count) + odd
        draw.shuffle(chosen)
        return chosen

    wanted = lambda name: not arguments.kinds or name in arguments.kinds  # noqa: E731
    golden = json.loads((PIPELINE / "testdata/tokenizers.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(arguments.tool, folder)
        for name, file in golden.items():
            if wanted(name):
                comparison.with_tokenizers(name, file, texts())
                comparison.rows[name].show()
        if wanted("flags"):
            for name in ("gpt2", "qwen2", "llama2", "bert_uncased", "t5", "whitespace"):
                comparison.with_tokenizers("flags", with_flags(golden[name]), [random_texts.next() for _ in range(3000)] + MARKS)
            comparison.rows["flags"].show()
        if wanted("limits"):
            for name in ("roberta", "llama3", "t5"):
                for _, file in with_limits(golden[name]):
                    comparison.with_tokenizers("limits", file, [random_texts.next() for _ in range(300)])
            comparison.rows["limits"].show()
        for name in ("gpt2_like", *VOCABULARIES):
            if not wanted(name):
                continue
            file, peer = gpt2_like(golden["gpt2"]) if name == "gpt2_like" else published(name, VOCABULARIES[name])
            comparison.with_tiktoken(name, file, peer, texts())
            comparison.rows[f"documents.{name}"].show()
            comparison.with_tokenizers(name, file, texts(arguments.texts // 2))
            comparison.rows[name].show()
        for name in ("bert_uncased", "bert_cased", "t5", "whitespace", "metaspace_first"):
            if wanted(f"documents.{name}"):
                comparison.documents_with_tokenizers(name, golden[name], texts(arguments.texts // 2))
                comparison.rows[f"documents.{name}"].show()
        if wanted("documents.llama"):
            for name, form in (*llama_forms("llama2", golden["llama2"]), *llama_forms("llama_trained", trained_llama(draw))):
                comparison.documents_with_tokenizers(name, form, texts(arguments.texts // 2))
                comparison.rows[f"documents.{name}"].show()
        for name in ("gpt2", "llama3", "llama2", "clip", "bert_uncased", "t5", "whitespace"):
            if wanted(name):
                comparison.repeated_letter(name, golden[name])
    rows = comparison.rows.values()
    total = {key: sum(getattr(row, key) for row in rows) for key in ("strings", "tokens", "different")}
    print(json.dumps({"name": "tokenize.total", **total, "seed": arguments.seed}))
    sys.exit(1 if total["different"] else 0)


if __name__ == "__main__":
    main()
