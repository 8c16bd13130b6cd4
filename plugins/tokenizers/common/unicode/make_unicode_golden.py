#!/usr/bin/env python3
"""Writes testdata/: what Hugging Face tokenizers 0.23.3 answers about every code point, and about texts that are hard to normalize.

    pip install tokenizers==0.23.3 && ./make_unicode_golden.py

properties.txt  a line for each property: its name and the ranges of code points that have it (first-last, in hexadecimal)
lower_case.txt  a line for each code point whose lower case is another: itself and its lower case
scripts.txt     a line for each class of UnicodeScripts, its code points as ranges; a class is called by its first code point
normalized_code_points.txt
                   for each form and each 4,096 code points an FNV-1a hash (64 bits) of each of them normalized, a U+0000 after each
normalized_texts.jsonl
                   texts; for each form that changes one, the normalized text and the offset of each of its code points in the text
                   (-1 where the library gives an empty range)
"""
import json
import pathlib
import random

import tokenizers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

VERSION = "0.23.3"
SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
ALL = "".join(map(chr, SCALARS))
FORMS = {"nfc": normalizers.NFC(), "nfd": normalizers.NFD(), "nfkc": normalizers.NFKC(), "nfkd": normalizers.NFKD()}
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split()
TEXTS = 1200


def ranges(code_points):
    found = []
    for c in sorted(code_points):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return " ".join(f"{first:X}-{last:X}" if first != last else f"{first:X}" for first, last in found)


def removed_by(normalizer):
    return set(SCALARS) - {*map(ord, normalizer.normalize_str(ALL))}


def one_by_one(normalizer):
    """Returns what becomes of each code point alone. They are told apart by a rune, which no normalizer touches or makes."""
    rune = 0x16A0
    others = [c for c in SCALARS if c != rune]
    texts = normalizer.normalize_str(chr(rune).join(map(chr, others))).split(chr(rune))
    return dict(sorted([*zip(others, texts, strict=True), (rune, normalizer.normalize_str(chr(rune)))]))


def bert(**options):
    return normalizers.BertNormalizer(**{**dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False), **options})


def matched_by(pattern):
    return removed_by(normalizers.Replace(Regex(pattern), ""))


def delimiters_of(pre_tokenizer):
    """Returns the code points that a pre-tokenizer with behavior "contiguous" cuts out: the runs alternate, and U+0000 is no delimiter."""
    found, is_delimiter = set(), False
    for _, (begin, end) in pre_tokenizer.pre_tokenize_str(ALL):
        if is_delimiter:
            found.update(SCALARS[begin:end])
        is_delimiter = not is_delimiter
    return found


def words_of_whitespace():
    """Returns the code points that join a letter in the Whitespace pre-tokenizer, whose pattern is \\w+|[^\\w\\s]+."""
    text = "".join(f"a{chr(c)} " for c in SCALARS)
    ends = {end for _, (_, end) in pre_tokenizers.Whitespace().pre_tokenize_str(text)}
    return {c for i, c in enumerate(SCALARS) if 3 * i + 1 not in ends}


def properties():
    space = set(SCALARS)
    for _, (begin, end) in pre_tokenizers.WhitespaceSplit().pre_tokenize_str(ALL):
        space.difference_update(SCALARS[begin:end])
    cleaned = one_by_one(bert(clean_text=True))
    nfd, nmt = one_by_one(normalizers.NFD()), one_by_one(normalizers.Nmt())
    found = {c: matched_by(rf"\p{{{c}}}") for c in CATEGORIES}
    found |= {
        "white_space": space,
        "onig_white_space": matched_by(r"\s"),
        "word": words_of_whitespace(),
        "word_onig": matched_by(r"\w"),
        "word_onig_in_brackets": matched_by(r"[\w]"),
        "numeric": delimiters_of(pre_tokenizers.Digits(individual_digits=False)),
        "punctuation_bert": delimiters_of(pre_tokenizers.Punctuation("contiguous")),
        # U+FFFD is removed by a rule of its own.
        "control_bert": {c for c, text in cleaned.items() if text == "" and c != 0xFFFD},
        "chinese_bert": {c for c, text in one_by_one(bert(handle_chinese_chars=True)).items() if text == f" {chr(c)} "},
        # Of code points that NFD leaves alone: what becomes of the others is in normalized_code_points.txt.
        "nonspacing_mark_bert": {c for c in removed_by(bert(strip_accents=True)) if nfd[c] == chr(c)},
        "combining_mark": removed_by(normalizers.StripAccents()),
        "removed_by_nmt": {c for c, text in nmt.items() if text == ""},
        "space_of_nmt": {c for c, text in nmt.items() if text == " "},
        "changed_by_nfd": {c for c, text in nfd.items() if text != chr(c)},
    }
    return found


def script_classes():
    """Finds the classes of UnicodeScripts: a code point joins those before it or not."""
    pre_tokenizer = pre_tokenizers.UnicodeScripts()

    def first_cuts(pairs):
        # Each pair between two code points of two other classes; whether it is cut within.
        text = "".join(f"\u16A0\u1680{pair}\u1681\u16A1" for pair in pairs)
        begins = {begin for _, (begin, _) in pre_tokenizer.pre_tokenize_str(text)}
        return [6 * i + 3 in begins for i in range(len(pairs))]

    # Those of no class are never cut from anything. The others, one after the other, are cut into runs of one class.
    by_latin, by_han = first_cuts([f"a{chr(c)}" for c in SCALARS]), first_cuts([f"\u4E00{chr(c)}" for c in SCALARS])
    never = {c for c, cut_a, cut_b in zip(SCALARS, by_latin, by_han) if not cut_a and not cut_b}
    runs = [run for run, _ in pre_tokenizer.pre_tokenize_str("".join(chr(c) for c in SCALARS if c not in never))]
    classes = {min(never): never}
    while runs:
        first = runs[0][0]
        cuts = first_cuts([first + run[0] for run in runs])
        classes[ord(first)] = {ord(c) for run, cut in zip(runs, cuts) if not cut for c in run}
        runs = [run for run, cut in zip(runs, cuts) if cut]
    return classes


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def hashes(normalizer):
    """Returns a hash for each 4,096 code points; where they stay as they are, it says so instead."""
    texts = one_by_one(normalizer)
    found = []
    for start in range(0, 0x110000, 4096):
        block = [c for c in range(start, start + 4096) if not 0xD800 <= c < 0xE000]
        changed = any(texts[c] != chr(c) for c in block)
        found.append(f"{fnv1a(chr(0).join([*(texts[c] for c in block), '']).encode()):016x}" if changed else "same")
    return found


def text_pools():
    """Returns lists of code points from which texts are drawn."""
    def block(*bounds):
        return [c for first, last in zip(bounds[::2], bounds[1::2]) for c in range(first, last + 1)]

    letters = [ord(c) for c in "aeiouAEIOUcnszCNSZdt"]
    marks = block(0x300, 0x34E) + [0x5B0, 0x5B9, 0x64B, 0x651, 0x93C, 0x94D, 0x3099, 0x309A, 0x1DCE, 0x302A, 0xF71, 0xF72, 0xF74, 0x345]
    common_marks = [0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x307, 0x308, 0x30A, 0x30C, 0x323, 0x327, 0x328, 0x331, 0x31B]
    return {
        "composed": block(0xC0, 0x233, 0x1E00, 0x1EFF) + letters,
        "marks": letters + common_marks * 3 + block(0x1E00, 0x1EFF),
        "storms": marks + letters[:4] + [0x344, 0x340, 0x343, 0xF73, 0xF75, 0xF81],
        "hangul": block(0xAC00, 0xAC40, 0xD780, 0xD7A3, 0x1100, 0x1113, 0x1160, 0x1177, 0x11A6, 0x11C4) + [0xA960, 0xD7B0, 0x3131, 0x302E],
        "greek": block(0x370, 0x3FF, 0x1F00, 0x1FFF) + common_marks + [0x313, 0x314, 0x342, 0x345] * 4,
        "indic": block(0x900, 0x97F, 0x980, 0x9E3, 0xB3C, 0xB5F, 0xBBE, 0xBD7, 0xCBC, 0xCD6, 0xD3E, 0xD57, 0xDC8, 0xDDF) +
                 [0x110A5, 0x110BA, 0x11131, 0x11127, 0x11347, 0x1133E, 0x114B9, 0x114BA, 0x114B0, 0x114BD, 0x11938, 0x11935, 0x11930],
        "tibetan": block(0xF40, 0xFBC, 0x1025, 0x102E, 0xE30, 0xE3B, 0xEB0, 0xEBC),
        "arabic": block(0x621, 0x65F, 0x6C0, 0x6D5, 0xFB50, 0xFB60, 0xFC5E, 0xFC63, 0xFDF0, 0xFDFC, 0xFE70, 0xFEFC, 0x5D0, 0x5EA, 0x5B0, 0x5C2, 0xFB1D, 0xFB4F),
        "emoji": block(0x1F600, 0x1F610, 0x1F1E6, 0x1F1F0, 0x1F3FB, 0x1F3FF) + [0x200D, 0xFE0F, 0x2764, 0x20E3, 0x31, 0x23, 0x1F468, 0x1F469, 0x2640],
        "wide": block(0xFF01, 0xFFEE, 0x3041, 0x30FF, 0x3200, 0x33FF, 0xF900, 0xF940, 0x2F800, 0x2F820, 0x2460, 0x2480, 0x1D400, 0x1D430) + [0x3099] * 40,
        "symbols": block(0x2000, 0x206F, 0x2070, 0x209C, 0x2100, 0x2190, 0xFB00, 0xFB06, 0x2A74, 0x2A76, 0x1D15E, 0x1D164) + [0x338, 0x226A, 0x3D],
        "late": block(0x32FF, 0x32FF, 0x1ACF, 0x1ADD, 0x10D69, 0x10D6D, 0x113C0, 0x113C9, 0x16D67, 0x16D6A, 0x8D3, 0x8E3) + letters + common_marks,
        "any": SCALARS[1:],
    }


def normalized_texts():
    splitter = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    splitter.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    draw, pools = random.Random(9), text_pools()
    for number in range(TEXTS):
        pool = list(pools.values())[number % len(pools)]
        text = "".join(chr(draw.choice(pool)) for _ in range(draw.randint(1, 9)))
        golden = {"text": text}
        for name, form in FORMS.items():
            splitter.normalizer = form
            normalized = form.normalize_str(text)
            offsets = [begin if end > begin else -1 for begin, end in splitter.encode(text).offsets]
            assert len(offsets) == len(normalized)
            if normalized != text or offsets != [*range(len(text))]:
                golden[name] = [normalized, offsets]
        yield golden


def main():
    if tokenizers.__version__ != VERSION:
        raise SystemExit(f"tokenizers is {tokenizers.__version__}, expected {VERSION}")
    folder = pathlib.Path(__file__).with_name("testdata")
    lines = [f"{name} {ranges(found)}" for name, found in properties().items()]
    (folder / "properties.txt").write_text("\n".join(lines) + "\n")
    lower = one_by_one(normalizers.Lowercase())
    lines = [f"{c:X} {' '.join(f'{ord(d):X}' for d in text)}" for c, text in lower.items() if text != chr(c)]
    (folder / "lower_case.txt").write_text("\n".join(lines) + "\n")
    lines = [f"{first:X} {ranges(found)}" for first, found in script_classes().items()]
    (folder / "scripts.txt").write_text("\n".join(lines) + "\n")
    lines = [f"{name} {' '.join(hashes(form))}" for name, form in [*FORMS.items(), ("bert", bert(strip_accents=True))]]
    (folder / "normalized_code_points.txt").write_text("\n".join(lines) + "\n")
    texts = [json.dumps(golden, ensure_ascii=False) for golden in normalized_texts()]
    (folder / "normalized_texts.jsonl").write_text("\n".join(texts) + "\n")


if __name__ == "__main__":
    main()
