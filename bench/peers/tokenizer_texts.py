"""Texts on which tokenizers are compared: what is real, and what is likely to go wrong. The same for the same seed."""

import itertools
import pathlib
import random
import unicodedata

from common import ROOT

RANGES = [(0x20, 0x7F), (0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x780), (0x900, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2100), (0x2000, 0x2070), (0x3000, 0x30FF), (0x4E00, 0x4F00),
          (0xAC00, 0xAD00), (0xF900, 0xFB00), (0xFB50, 0x10000), (0x10000, 0x11FFF), (0x1F300, 0x1FAFF), (0x20000, 0x20100), (0xE0000, 0xE01F0)]
FREQUENT = " \n\t'st.\u2581"
MARKS = ["<s>", "</s>", "[MASK]", "[CLS]", "ADDED", "zz", "Straße", "e-mail", "<|im_start|>", "<|endoftext|>", " ", "\n", "'s", "don't"]
SPACES = " \t\n\r\v\f\x85\xa0\u1680\u2000\u2003\u2009\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\u180e"
ASSIGNED = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn"]


class Texts:
    """Random texts of many scripts."""

    def __init__(self, seed, words):
        self.random = random.Random(seed)
        self.words = words

    def character(self, group):
        if group == len(RANGES):
            return self.random.choice(FREQUENT)
        c = self.random.randrange(*RANGES[group])
        return "" if 0xD800 <= c < 0xE000 else chr(c)

    def next(self):
        kind, length = self.random.random(), self.random.randrange(1, 40)
        groups = len(RANGES) + 1
        if kind < 0.35:
            return "".join(self.character(self.random.randrange(groups)) for _ in range(length))
        if kind < 0.6:
            group = self.random.randrange(groups)
            return "".join(self.character(group) for _ in range(length))
        if kind < 0.8:
            return "".join(self.random.choice(MARKS + self.words) + self.random.choice(["", "", " ", "  ", ".", "\n"]) for _ in range(length // 2))
        return " ".join(self.random.choice(self.words) for _ in range(length))


def pieces(text, draw):
    at = 0
    while at < len(text):
        length = draw.randrange(1, 240)
        yield text[at : at + length]
        at += length


def real_texts(draw, count):
    """Pieces of the text that `make data` brings, books, reference and code, and of this machine's documentation."""
    files = [path for folder in ("books", "reference", "code") for path in sorted((ROOT / "data" / folder).rglob("*")) if path.is_file() and path.name[0] != "."]
    files += sorted(pathlib.Path("/usr/share/doc").glob("*/copyright"))[:100]
    draw.shuffle(files)
    texts = []
    for path in itertools.islice(itertools.cycle(files), 4 * len(files)):
        text = path.read_text(encoding="utf-8", errors="ignore")
        begin = draw.randrange(max(1, len(text) - 8000))
        texts += pieces(text[begin : begin + 8000], draw)
        if len(texts) >= count:
            break
    return texts[:count]


def script_texts(draw):
    """Every assigned character, with its neighbours and among others; words of every script, by the first word of the characters' names."""
    texts = ["".join(ASSIGNED[at : at + 64]) for at in range(0, len(ASSIGNED), 64)]
    scripts = {}
    for character in ASSIGNED:
        scripts.setdefault(unicodedata.name(character, "?").split()[0], []).append(character)
    for characters in scripts.values():
        for _ in range(2):
            texts.append(" ".join("".join(draw.choices(characters, k=draw.randrange(1, 9))) for _ in range(4)))
    return texts


def emoji_texts(draw):
    people, joined = ["👩", "👨", "🧑", "👧", "👦", "🏳", "❤", "☃", "✊", "☝", "1", "#"], ["\u200d", "\ufe0f", "\ufe0e", "\u20e3", "🏽", "🏿", "🇩", "🇪", "♂", "💻", "\U000e0067", "\U000e007f", "", " "]
    return ["".join(draw.choice(people) + draw.choice(joined) + draw.choice(joined) for _ in range(draw.randrange(1, 8))) for _ in range(900)]


def mark_texts(draw):
    """Combining marks of many classes in all orders, on bases that compose and that do not."""
    marks = ["\u0301", "\u0327", "\u0308", "\u0345", "\u05b0", "\u3099", "\u0f71", "\u1dce"]
    orders = [base + "".join(order) for base in ("e", "a", "ʻ", "か", "ཨ", " ") for order in itertools.permutations(marks[:4], 3)]
    runs = ["".join(draw.choice("aeǎ각가각Ω ") + "".join(draw.choices(marks, k=draw.randrange(0, 6))) for _ in range(6)) for _ in range(900)]
    return orders + runs + ["a" + "\u0301" * 1000, "\u0301" * 40]


def control_texts(draw):
    odd = [chr(c) for c in [*range(0x20), *range(0x7F, 0xA0)]] + ["\r", "\r\n", "\n\r", "\0", "\uffff", "\ufffe", "\ufffd", "\ue000", "\U0010ffff", "\U000f0000", "\ufeff", "\u200e", "\u2060", "\u00ad", "\ufdd0"]
    return [f"a{c}b {c} {c}{c}" for c in odd] + ["".join(draw.choice(odd + ["a", " ", "é"]) for _ in range(draw.randrange(1, 20))) for _ in range(700)]


def run_texts(draw):
    """Runs of white space of all kinds, of digits, and text of both directions."""
    def runs(characters, other):
        return "".join(draw.choice(characters) * draw.randrange(1, 7) + draw.choice(other) for _ in range(draw.randrange(1, 8)))

    spaces = [runs(SPACES, ["", "", "a", "1", "."]) for _ in range(1000)]
    digits = [runs("0123456789٣२½Ⅷ", ["", ",", ".", " ", "x"]) for _ in range(400)]
    directions = [" ".join(draw.choice(["abc", "שלום", "مرحبا", "12", "٣٤", "\u202e", "\u2067", "!"]) for _ in range(8)) for _ in range(400)]
    return spaces + digits + directions


def long_texts(draw):
    """Words of 100 KB."""
    return ["".join(draw.choices("etaoin", k=100_000)), "東" * 33_000, "e\u0301" * 30_000, "1234567890" * 10_000, "=-" * 50_000, "👩\u200d" * 14_000]


def odd_texts(seed):
    draw = random.Random(seed)
    return ["", *script_texts(draw), *emoji_texts(draw), *mark_texts(draw), *control_texts(draw), *run_texts(draw), *long_texts(draw)]
