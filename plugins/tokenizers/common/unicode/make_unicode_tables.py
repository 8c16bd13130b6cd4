#!/usr/bin/env python3
"""Writes property_tables.cpp, script_tables.cpp and normalization_tables.cpp beside itself, from the Unicode Character Database.

Each table has the Unicode version that the corresponding place in Hugging Face tokenizers 0.23.3 has, found by comparing all 1,112,064
scalar values with it (make_unicode_golden.py writes what it answers, and the tests compare):

    16.0  general category (Onig's \\p{..}) and \\w (Onig and the Rust crate `regex`)
    17.0  char::is_numeric and char::to_lowercase of Rust's standard library
     9.0  normalization and is_combining_mark (crate `unicode-normalization-alignments`), scripts (`UnicodeScripts`)
     8.0  punctuation, control and non-spacing marks of the BERT parts (crate `unicode_categories`)

An older version is today's database without the code points that came later, which Unicode's stability policy grants for normalization;
the few code points whose general category or script changed meanwhile are listed below.

    pip install unicodedataplus==16.0.0.post1 unicodedata2==17.0.0 && ./make_unicode_tables.py
"""
import pathlib
import string
import unicodedata

import unicodedata2 as ucd17
import unicodedataplus as ucd16

CODE_POINTS = range(0x110000)
BLOCK = 128  # code points a block: of 64, 128 and 256 the one with the smallest tables

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
WHITE_SPACE = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
# Symbols that are Alphabetic (PropList.txt, Other_Alphabetic): circled, squared and negative letters.
ALPHABETIC_SYMBOLS = {*range(0x24B6, 0x24EA), *range(0x1F130, 0x1F14A), *range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)}
# General categories of Unicode 8.0 and 9.0 that are others in 16.0, and those of 8.0 alone.
CATEGORIES_9 = {0x166D: "Po", 0x111C9: "Po", 0x1734: "Mn", 0x1171E: "Mn", 0xA9BD: "Mc", 0x1CF2: "Mc", 0x1CF3: "Mc"}
CATEGORIES_8 = {**CATEGORIES_9, 0x1885: "Lo", 0x1886: "Lo"}
# Scripts of Unicode 9.0 that are others in 16.0.
SCRIPTS_9 = {0x589: "Common", 0x61C: "Common", 0x953: "Devanagari", 0x954: "Devanagari"}


def age(c):
    text = ucd16.age(chr(c))
    return tuple(map(int, text.split("."))) if text[0].isdigit() else (99, 0)


AGES = [age(c) for c in CODE_POINTS]


def category_of(c, version):
    if AGES[c] > version:
        return "Cn"
    return (CATEGORIES_8 if version == (8, 0) else CATEGORIES_9).get(c) or ucd16.category(chr(c))


def is_word(c):
    category = ucd16.category(chr(c))
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc") or c in ALPHABETIC_SYMBOLS


def lower(c):
    """Returns the lower case of Unicode 17.0 (only U+0130 has two code points). Letters newer than this Python are paired by their names."""
    if unicodedata.category(chr(c)) == "Cn" and ucd17.category(chr(c)) == "Lu":
        return ucd17.lookup(ucd17.name(chr(c)).replace("CAPITAL", "SMALL"))
    return chr(c).lower() if ucd17.category(chr(c)) != "Cn" else chr(c)


def property_record(c):
    """Returns the general category, the flags and the distance to the lower case, in the order of detail::PropertyRecord."""
    flags = [
        c in WHITE_SPACE,
        is_word(c),
        ucd17.category(chr(c))[0] == "N",
        category_of(c, (8, 0))[0] == "P" or chr(c) in string.punctuation,
        category_of(c, (8, 0)) in ("Cc", "Cf", "Co") and chr(c) not in "\t\n\r",
        category_of(c, (8, 0)) == "Mn",
        category_of(c, (9, 0))[0] == "M",
    ]
    return CATEGORIES.index(ucd16.category(chr(c))), sum(flag << i for i, flag in enumerate(flags)), ord(lower(c)[0]) - c


def script(c):
    name = ucd16.script(chr(c)) if AGES[c] <= (9, 0) else "Unknown"
    name = SCRIPTS_9.get(c, name)
    # What sentencepiece and tokenizers add: Japanese is one class, and a space belongs to whatever is around it.
    if name in ("Hiragana", "Katakana") or c == 0x30FC:
        return "Han"
    return "Any" if name == "Unknown" or c == 0x20 else name


class Normalization:
    """The decompositions and compositions of Unicode 9.0, without those of Hangul."""

    def __init__(self):
        self.canonical, self.compatible, self.composed = {}, {}, {}
        for c in CODE_POINTS:
            if AGES[c] > (9, 0) or 0xAC00 <= c < 0xD7A4 or 0xD800 <= c < 0xE000:
                continue
            character = chr(c)
            for form, table in (("NFD", self.canonical), ("NFKD", self.compatible)):
                if ucd16.normalize(form, character) != character:
                    table[c] = [ord(d) for d in ucd16.normalize(form, character)]
            parts = ucd16.decomposition(character).split()
            # A pair that NFC does not give back is one of CompositionExclusions.txt or begins with a mark.
            if len(parts) == 2 and parts[0][0] != "<" and ucd16.normalize("NFC", character) == character:
                self.composed[int(parts[1], 16), int(parts[0], 16)] = c
        self.seconds = sorted({second for second, _ in self.composed})

    def combining_class(self, c):
        return ucd16.combining(chr(c)) if AGES[c] <= (9, 0) else 0

    def record(self, c):
        """Returns combining class, group of compositions and flags, in the order of detail::NormalizationRecord."""
        group = self.seconds.index(c) + 1 if c in self.seconds else 0
        hangul_syllable, hangul_part = 0xAC00 <= c < 0xD7A4, 0x1161 <= c < 0x1176 or 0x11A8 <= c < 0x11C3
        stays = AGES[c] > (9, 0) or 0xD800 <= c < 0xE000
        flags = [
            group or hangul_part or not stays and ucd16.normalize("NFC", chr(c)) != chr(c),
            c in self.canonical or hangul_syllable,
            group or hangul_part or not stays and ucd16.normalize("NFKC", chr(c)) != chr(c),
            c in self.compatible or hangul_syllable,
        ]
        return self.combining_class(c), group, sum(bool(flag) << i for i, flag in enumerate(flags))

    def decompositions(self):
        """Returns the pool of decompositions and where in it each code point's lies."""
        pool, offsets = [0], {}
        for c in sorted({*self.canonical, *self.compatible}):
            canonical, compatible = self.canonical.get(c, []), self.compatible[c]
            second = compatible if compatible != canonical else []
            offsets[c] = len(pool)
            pool += [len(canonical) | len(second) << 8, *canonical, *second]
        return pool, offsets


def two_stages(values):
    """Returns the number of each block's content, and the contents one after the other; the last run of equal blocks is left out."""
    index, blocks = [], {}
    for start in range(0, len(values), BLOCK):
        index.append(blocks.setdefault(tuple(values[start:start + BLOCK]), len(blocks)))
    while len(index) > 1 and index[-1] == index[-2] and not any(values[(len(index) - 1) * BLOCK:][:BLOCK]):
        index.pop()
    return index, [v for block in blocks for v in block]


def numbered(records):
    """Returns the number of each record, and the different records; number 0 is the one of most code points."""
    counts = {}
    for record in records:
        counts[record] = counts.get(record, 0) + 1
    order = {record: i for i, record in enumerate(sorted(counts, key=lambda r: (-counts[r], r)))}
    return [order[record] for record in records], list(order)


def array(declaration, values, form=str, width=150):
    lines, line = [], "   "
    for value in values:
        text = " " + form(value) + ","
        if len(line) + len(text) > width:
            lines.append(line)
            line = "   "
        line += text
    return f"const {declaration}[{len(values)}] = {{\n" + "\n".join(lines + [line]) + "\n};\n"


def bytes_type(values):
    return "std::uint8_t" if max(values) < 256 else "std::uint16_t"


def property_tables():
    numbers, records = numbered([property_record(c) for c in CODE_POINTS])
    assert len(records) <= 256
    index, blocks = two_stages(numbers)
    return [array(f"{bytes_type(index)} kPropertyBlock", index), array("std::uint8_t kPropertyNumber", blocks),
            array("PropertyRecord kPropertyRecords", records,
                  lambda r: f"{{GeneralCategory::k{CATEGORIES[r[0]]}, {r[1]}, {r[2]}}}")]


def script_tables():
    scripts = [script(c) for c in CODE_POINTS]
    names = ["Any", *sorted({*scripts} - {"Any"})]
    index, blocks = two_stages([names.index(s) for s in scripts])
    return [array(f"{bytes_type(index)} kScriptBlock", index), array("std::uint8_t kScriptNumber", blocks),
            f"static_assert(kScriptCount == {len(names)} && kScriptBlocks == {len(index)});\n"]


def normalization_tables():
    data = Normalization()
    numbers, records = numbered([data.record(c) for c in CODE_POINTS])
    assert len(records) <= 256 and records[0] == (0, 0, 0)
    index, blocks = two_stages(numbers)
    pool, offsets = data.decompositions()
    where_index, where_blocks = two_stages([offsets.get(c, 0) for c in CODE_POINTS])
    assert len(pool) < 65536
    pairs = sorted(data.composed.items())
    groups = [0] + [min(i for i, ((b, _), _) in enumerate(pairs) if b == second) for second in data.seconds] + [len(pairs)]
    return [array(f"{bytes_type(index)} kNormalizationBlock", index), array("std::uint8_t kNormalizationNumber", blocks),
            array("NormalizationRecord kNormalizationRecords", records, lambda r: "{%d, %d, %d}" % r),
            array(f"{bytes_type(where_index)} kDecompositionBlock", where_index), array("std::uint16_t kDecompositionOffset", where_blocks),
            array("char32_t kDecompositions", pool, lambda v: f"0x{v:X}" if v > 9 else str(v)),
            array("std::uint16_t kCompositionGroups", groups),
            array("Composition kCompositions", pairs, lambda p: f"{{0x{p[0][1]:X}, 0x{p[1]:X}}}"),
            f"static_assert(kNormalizationBlocks == {len(index)} && kDecompositionBlocks == {len(where_index)});\n"]


def write(name, header, versions, tables):
    text = f"// Generated by make_unicode_tables.py from Unicode {versions}; do not edit.\n\n#include \"{header}\"\n\n"
    text += "namespace flowrun::tokenizers::detail {\n\n" + "\n".join(tables) + "\n}  // namespace flowrun::tokenizers::detail\n"
    pathlib.Path(__file__).with_name(name).write_text(text)
    print(name, len(text))


def main():
    if (ucd16.unidata_version, ucd17.unidata_version) != ("16.0.0", "17.0.0"):
        raise SystemExit(f"found Unicode {ucd16.unidata_version} and {ucd17.unidata_version}, expected 16.0.0 and 17.0.0")
    write("property_tables.cpp", "properties.hpp", "16.0, 17.0, 9.0 and 8.0", property_tables())
    write("script_tables.cpp", "scripts.hpp", "9.0", script_tables())
    write("normalization_tables.cpp", "normalization_tables.hpp", "9.0", normalization_tables())


if __name__ == "__main__":
    main()
