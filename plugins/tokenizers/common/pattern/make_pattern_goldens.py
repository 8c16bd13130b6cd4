#!/usr/bin/env python3
"""Writes testdata/pattern_splits.jsonl: what Hugging Face tokenizers 0.23.3 makes of texts with patterns.

One line for a pattern, with the pieces of pre_tokenizers.Split(Regex(pattern), behavior) for the behaviours "isolated" (matches and what is between
them) and "removed" (only that), as byte ranges. The patterns are those of published tokenizers and one or more for each construct.

    pip install tokenizers==0.23.3 && ./make_pattern_goldens.py > testdata/pattern_splits.jsonl
"""
import json
import random

import tokenizers
from tokenizers import Regex, pre_tokenizers

VERSION = "0.23.3"
CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
PUBLISHED = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + CONTRACTION
    + r"?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + CONTRACTION
    + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?:\r?\n)+(?!\r?\n)", r"\d{1,3}(?=(?:\d{3})*\b)", r"\p{Han}+|\p{Hiragana}+|\p{Katakana}+|\p{Hangul}+", r"[0-9][0-9][0-9]", r"\s?\p{L}+",
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", r" {2,}", r"(?<=\d)(?=\p{L})"]
CONSTRUCTS = [
    "", "a", "a|b", "a*", "a+?", "a??b", "a++a", "a{2}+b", "a{1,2}+a", "a{,2}", "a{,}", "a{2,1}b", "a{2}?", "a{1,3}?b", "(?:a?)*", "(?:|a)+b", "(?:a|b??)*c",
    ".", "(?m:.)+", r"\R", r"\h+", r"\w+", r"[\w]+", r"\W", r"\S+", r"\D+", r"\d", r"\p{^L}", r"\P{L}+", r"\p{Lu}\p{Ll}*", r"\p{Letter}", r"\p{S}",
    r"\bab", r"\Ba", "^a", "a$", "^", "$", r"\Aa", r"a\z", r"a\Z", "(?=a)", "(?!a).", "(?<=a)b", "(?<!a)b", "(?<=a|bc)b", "(?<=a+)b", "(?<=^|b)a", "(?>a|ab)c",
    "(?i)k", "(?i)ss", "(?i)ß", "(?i:'s)b?", "a(?i)b|c", "(?i)[a-k]+", "(?i)[^k]", "(?i)[ß]", "(?i)ﬃ", "(?-i)a", "(?x) a b # c", "(?#c)a", "(?<n>a)b",
    "[a-c&&[^b]]", "[^a-b&&a]", "[[ab]c]", "[]a]", "[a-]", "[a-b-c]", "[^\\s]", "[[:alpha:]]+", "[[:^alpha:]]+", "[[:punct:]]+", "[[:upper:]]", r"[\x41-\x43]",
    r"\x61", r"\x{1F642}", r"\u6F22", r"\.", r"\-\/", r"[\-\]]", r"\n|\t|\r|\f|\v", "a{", "a{x}", "]", "}", "(a|b)*c", "((a)b)+", "a|", "|a", "(?:a+)+b|a"]
PARTS = ["a", "b", "ab", "abc", "aab", "c", "A", "B", "1", "12", "1234", " ", "  ", "\n", "\n\n", "\r\n", "\t", "'s", "'S", "'\u017f", "'ll", "ss", "SS", "ß", "ẞ", "\u017f",
         "k", "K", "\u212a", "é", "É", "e\u0301", "漢字", "かな", "カナ", "한글", "ไทย", "🙂", "²", "½", "ǅ", "İ", "ffi", "ﬃ", ".", "!?", "-", "_", "/", "[", "]", "}", "{", "x", "\u00a0",
         "\u2028", "\u0085", "<|endoftext|>"]


def texts(rng, count):
    for _ in range(count):
        yield "".join(rng.choice(PARTS) for _ in range(rng.choice([1, 2, 4, 8, 12])))


def pieces(pattern, text, behavior):
    split = pre_tokenizers.Split(Regex(pattern), behavior).pre_tokenize_str(text)
    at = [len(text[:i].encode()) for i in range(len(text) + 1)]
    return [[at[begin], at[end]] for _, (begin, end) in split]


def main():
    if tokenizers.__version__ != VERSION:
        raise SystemExit(f"tokenizers is {tokenizers.__version__}, expected {VERSION}")
    rng = random.Random(6)
    for pattern in PUBLISHED + CONSTRUCTS:
        splits = [{"text": text, **{behavior: pieces(pattern, text, behavior) for behavior in ("isolated", "removed")}}
                  for text in texts(rng, 40 if pattern in PUBLISHED else 16)]
        print(json.dumps({"pattern": pattern, "splits": splits}, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
