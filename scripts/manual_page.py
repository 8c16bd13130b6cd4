"""Plain text of a manual page in the man macros of roff, as far as the Linux man-pages use them.

Headings, filled paragraphs and examples are kept. Tables, the list of related pages and the conditionals of roff are left out:
this makes text to learn from, not a rendering.
"""

import re
import textwrap

LINE_WIDTH = 78
SECTIONS_LEFT_OUT = {"ATTRIBUTES", "SEE ALSO", "COLOPHON"}

CHARACTERS = {
    "aq": "'", "cq": "’", "oq": "‘", "lq": "“", "rq": "”", "dq": '"', "bu": "•", "em": "—", "en": "–", "ha": "^", "ti": "~",
    "ga": "`", "mi": "−", "rs": "\\", "sc": "§", "co": "©", "mc": "µ", "+-": "±", "de": "°", "la": "⟨", "ra": "⟩", "fm": "′",
    "sd": "″", "dg": "†", ":a": "ä", ":A": "Ä", "^o": "ô", "`a": "à", "^a": "â", "'a": "á", "->": "→", "<-": "←", "<=": "≤",
    ">=": "≥", "mu": "×",
}  # fmt: skip
# Comments, fonts, sizes, colours, widths, strings, registers, and spaces that only move the pen.
INVISIBLE = re.compile(
    r"""\\".*|\\f(?:\[[^\]]*\]|\(..|.)|\\s[-+]?\d|\\m\[[^\]]*\]|\\w'[^']*'|\\[*n](?:\[[^\]]*\]|\(..|.)|\\[&%/,:c^|]"""
)
NAMED = re.compile(r"\\(?:\[([^\]]*)\]|\((..))")
LITERAL = {"~": " ", "0": " ", " ": " ", "-": "-", "'": "'", "`": "`", "e": "\\", "\\": "\\", ".": "."}


def wrap(paragraph):
    """Fills a paragraph; a long word, often an address or a path, stays whole."""
    return textwrap.fill(" ".join(paragraph.split()), LINE_WIDTH, break_long_words=False, break_on_hyphens=False)


def inline(text):
    """Replaces the escapes within a line."""
    text = NAMED.sub(lambda m: CHARACTERS.get(m[1] or m[2], ""), INVISIBLE.sub("", text))
    return re.sub(r"\\(.)", lambda m: LITERAL.get(m[1], ""), text)


def arguments(text):
    """Splits a macro's arguments: at spaces that are neither quoted nor escaped."""
    found = re.findall(r'"((?:[^"]|"")*)"?|((?:\\.|[^\s"\\])(?:\\.|[^\s\\])*)', INVISIBLE.sub("", text))
    return [inline(quoted.replace('""', '"') if not plain else plain) for quoted, plain in found]


class _Page:
    def __init__(self):
        self.lines = []
        self._words = []
        self._filling = True
        self._tag_is_next = False  # after .TP: the next line stands alone
        self._skip_to = None  # the macro that ends what is left out
        self._section_is_left_out = False

    def read(self, line):
        macro = re.match(r"[.']\s*(\w+|\\\"|\.)?\s*(.*)", line)
        name = macro[1] if macro else None
        if self._skip_to:
            if name == self._skip_to:
                self._skip_to = None
        elif name == "SH":
            self._heading(" ".join(arguments(macro[2])))
        elif self._section_is_left_out:
            return
        elif not macro:
            self._text(inline(line))
        else:
            self._macro(name, macro[2])

    def break_line(self):
        if self._words:
            self.lines.append(wrap(" ".join(self._words)))
            self._words = []

    def _heading(self, title):
        self.break_line()
        self._filling, self._tag_is_next = True, False
        self._section_is_left_out = title in SECTIONS_LEFT_OUT
        if not self._section_is_left_out:
            self.lines += ["", title, ""]

    def _macro(self, name, rest):
        if name in ("PP", "P", "LP", "HP", "sp"):
            self._paragraph()
        elif name in ("TP", "TQ"):
            self._paragraph()
            self._tag_is_next = True
        elif name == "IP":
            self._paragraph()
            self._words += arguments(rest)[:1]
        elif name == "SS":
            self._paragraph()
            self.lines += [" ".join(arguments(rest)), ""]
        elif name in ("nf", "EX"):
            self.break_line()
            self._filling = False
        elif name in ("fi", "EE"):
            self._filling = True
        elif name == "br":
            self.break_line()
        elif name in ("TS", "de"):
            self.break_line()
            self._skip_to = {"TS": "TE", "de": "."}[name]
        elif name in ("B", "I", "SM", "UR", "MT"):
            self._text(" ".join(arguments(rest)))
        elif name in ("BR", "BI", "IR", "IB", "RB", "RI", "SB"):  # fonts in turn, no space between
            self._text("".join(arguments(rest)))

    def _paragraph(self):
        self.break_line()
        self.lines.append("")
        self._tag_is_next = False

    def _text(self, text):
        if not self._filling:
            self.lines.append(text.rstrip())
        elif not text.strip():
            self._paragraph()
        else:
            self._words.append(text)
            if self._tag_is_next:
                self.break_line()
                self._tag_is_next = False


def to_text(source):
    """Returns the text of a whole page, without repeated empty lines."""
    page = _Page()
    for line in re.sub(r"\\\n", "", source).split("\n"):
        page.read(line)
    page.break_line()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(page.lines)).strip("\n") + "\n"
