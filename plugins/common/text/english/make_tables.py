#!/usr/bin/env python3
"""Writes the tables of words.cpp from an installed spaCy: what its blank English pipeline cuts words by.

    pip install spacy==3.8.18
    ./make_tables.py        # rewrites tables.inc beside it

spaCy (MIT licence, Copyright ExplosionAI GmbH, 2016 SpaCy GmbH, 2015 Matthew Honnibal) keeps them as regular expressions and a dictionary
of exceptions. Here they become classes of characters, lists of strings, and the pieces of each exception. The C++ code knows the shape of
the expressions, so that shape is checked: the script builds each expression anew from the parts it writes down and stops if spaCy's differs.
"""
import os
import re
import unicodedata

import spacy
from spacy.attrs import ORTH
from spacy.lang import char_classes as cc
from spacy.lang import tokenizer_exceptions

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tables.inc")

SUFFIX_RULES = [  # beside single characters and strings
    r"\.\.+",
    r"(?<=[0-9])\+",
    r"(?<=°[FfCcKk])\.",
    rf"(?<=[0-9])(?:{cc.CURRENCY})",
    rf"(?<=[0-9])(?:{cc.UNITS})",
    rf"(?<=[0-9{cc.ALPHA_LOWER}%²\-\+{cc.PUNCT}(?:{cc.CONCAT_QUOTES})])\.",
    rf"(?<=[{cc.ALPHA_UPPER}][{cc.ALPHA_UPPER}])\.",
]
ICONS = f"[{cc.ICONS}]"
INFIX_RULES = [
    r"\.\.+",
    "…",
    ICONS,
    r"(?<=[0-9])[+\-\*^](?=[0-9-])",
    rf"(?<=[{cc.ALPHA_LOWER}{cc.CONCAT_QUOTES}])\.(?=[{cc.ALPHA_UPPER}{cc.CONCAT_QUOTES}])",
    rf"(?<=[{cc.ALPHA}]),(?=[{cc.ALPHA}])",
    rf"(?<=[{cc.ALPHA}0-9])(?:{cc.HYPHENS})(?=[{cc.ALPHA}])",
    rf"(?<=[{cc.ALPHA}0-9])[:<>=/](?=[{cc.ALPHA}])",
]
HYPHENS = ["-", "–", "—", "--", "---", "——", "~"]  # in this order
PREFIX_RULES = [r"\+(?![0-9])", r"\.\.+"]
PREFIX_STRINGS = ["……", "US$", "C$", "A$"]
SUFFIX_STRINGS = ["……", "'s", "'S", "’s", "’S"]
URL = (
    r"(?u)^(?:(?:[\w\+\-\.]{2,})://)?(?:\S+(?::\S*)?@)?(?:(?!(?:10|127)(?:\.\d{1,3}){3})(?!(?:169\.254|192\.168)(?:\.\d{1,3}){2})"
    r"(?!172\.(?:1[6-9]|2\d|3[0-1])(?:\.\d{1,3}){2})(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3])(?:\.(?:1?\d{1,2}|2[0-4]\d|25[0-5])){2}"
    r"(?:\.(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-4]))|(?:(?:[A-Za-z0-9\u00a1-\uffff][A-Za-z0-9\u00a1-\uffff_-]{0,62})?[A-Za-z0-9\u00a1-\uffff]\.)+"
    rf"(?:[{cc.ALPHA_LOWER}]{{2,63}}))(?::\d{{2,5}})?(?:[/?#]\S*)?$"
)

nlp = spacy.blank("en")
tokenizer = nlp.tokenizer


def pattern(method):
    return method.__self__.pattern


def alternatives(text, rules, start="", end=""):
    """Splits an expression into single characters and strings; its rules must be those given, and nothing may be left."""
    pieces = [start + rule + end for rule in rules]
    for piece in sorted(pieces, key=len, reverse=True):
        assert piece in text, piece
        text = text.replace(piece, "\0")
    strings = []
    for part in filter(lambda p: p != "\0", text.split("|")):
        part = part.removeprefix(start).removesuffix(end) if end else part.removeprefix(start)
        strings.append(re.sub(r"\\(.)", r"\1", part))
    return strings


def singles(strings, expected_longer):
    longer = [s for s in strings if len(s) > 1]
    assert longer == expected_longer, longer
    return {s for s in strings if len(s) == 1}


def matching(expression):
    return set(filter(re.compile(expression).fullmatch, CHARACTERS))


CHARACTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def classes():
    """The classes of classes.hpp, in the order of their bits."""
    prefix = alternatives(pattern(tokenizer.prefix_search), [*PREFIX_RULES, ICONS], start="^")
    suffix = alternatives(pattern(tokenizer.suffix_search), [*SUFFIX_RULES, ICONS], end="$")
    icons = matching(ICONS)
    return [
        ("kSpace", {c for c in CHARACTERS if c.isspace()}),
        ("kPrefix", singles(prefix, PREFIX_STRINGS) | icons),
        ("kSuffix", singles(suffix, SUFFIX_STRINGS) | icons),
        ("kIcon", icons),
        ("kAlpha", matching(f"[{cc.ALPHA}]")),
        ("kLower", matching(f"[{cc.ALPHA_LOWER}]")),
        ("kUpper", matching(f"[{cc.ALPHA_UPPER}]")),
        ("kQuote", matching(f"[{cc.CONCAT_QUOTES}]")),
        ("kBeforePeriod", matching(rf"[0-9{cc.ALPHA_LOWER}%²\-\+{cc.PUNCT}(?:{cc.CONCAT_QUOTES})]")),
        ("kWord", matching(r"\w")),
        ("kDigit", matching(r"\d")),
        ("kHost", matching("[A-Za-z0-9\u00a1-\uffff]")),
        ("kCategoryP", {c for c in CHARACTERS if unicodedata.category(c).startswith("P")}),
        ("kSentenceEnd", {c for c in spacy.pipeline.Sentencizer.default_punct_chars if len(c) == 1}),
    ]


def segments(named):
    """Ranges of code points with the same bits, those without any left out."""
    bits = [0] * 0x110000
    for i, (_, characters) in enumerate(named):
        for c in characters:
            bits[ord(c)] |= 1 << i
    out, begin = [], 0
    for c in range(1, 0x110001):
        if c == 0x110000 or bits[c] != bits[begin]:
            if bits[begin]:
                out.append((begin, c - 1, bits[begin]))
            begin = c
    return out


def quote(text):
    return '"' + "".join(c if " " <= c < "\x7f" and c not in '"\\' else "".join(f"\\{b:03o}" for b in c.encode()) for c in text) + '"'


def wrap(items, width=180):
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > width:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join([*lines, line])


def main():
    assert "|".join(INFIX_RULES) == pattern(tokenizer.infix_finditer)
    assert URL == pattern(tokenizer.url_match) == tokenizer_exceptions.URL_MATCH.__self__.pattern
    assert tokenizer.token_match is None and tokenizer.faster_heuristics
    assert cc.HYPHENS.split("|") == HYPHENS
    assert all(len(c) == 1 for c in spacy.pipeline.Sentencizer.default_punct_chars)
    named = classes()
    exceptions = []
    for text, pieces in sorted(tokenizer.rules.items()):
        if not any(c.isspace() for c in text):  # white space is no word whatever it is cut into
            exceptions.append([piece[ORTH] for piece in pieces])
    after_digit = sorted({re.sub(r"\\(.)", r"\1", unit) for unit in [*cc.CURRENCY.split("|"), *cc.UNITS.split("|")]}, key=lambda s: (len(s), s))
    with open(TARGET, "w", encoding="utf-8") as out:
        out.write(
            f"// Made by make_tables.py from spaCy {spacy.__version__} (MIT licence, Copyright ExplosionAI GmbH, 2016 SpaCy GmbH,\n"
            f"// 2015 Matthew Honnibal) and Unicode {unicodedata.unidata_version}: do not edit.\n\n"
            f"// Ranges of code points and their bits: {', '.join(name for name, _ in named)}.\n"
            "constexpr ClassRange kClassRanges[] = {\n" + wrap(f"{{0x{a:X}, 0x{b:X}, 0x{bits:X}}}" for a, b, bits in segments(named)) + "\n};\n\n"
            "// Units and currencies, which are cut off behind a digit; characters of the longest.\n"
            f"constexpr std::size_t kLongestUnit = {max(map(len, after_digit))};\n"
            "constexpr std::string_view kAfterDigit[] = {\n" + wrap(map(quote, after_digit)) + "\n};\n\n"
            "// Exceptions, as the pieces that make them up.\n"
            f"constexpr std::array<std::string_view, {max(map(len, exceptions))}> kExceptions[] = {{\n" + wrap("{%s}" % ", ".join(map(quote, pieces)) for pieces in exceptions) + "\n};\n"
        )
    print(len(segments(named)), "ranges,", len(exceptions), "exceptions")


if __name__ == "__main__":
    main()
