#!/usr/bin/env python3
"""Compares readers/mediawiki with Python: the XML with ElementTree, the streams of a multistream dump with bz2, the text with mwparserfromhell, word by word.

    cmake --build build --target flowrun_reader_tool plugin_readers_mediawiki
    compare_mediawiki.py [--seed N] [--pages N] [--wikitext FOLDER ...] [--megabytes N] [--repeats N]

Pages are made from a grammar of wikitext with seeded words; --wikitext adds real pages, one in each .txt, .wiki or .mediawiki file. mwparserfromhell's strip_code keeps
what is neither prose nor a link's label (tables, references, files); these nodes are removed before, and {{lang}}, {{nowrap}} and {{convert}} are replaced by
what they show, so that what is left must agree: of made pages every word; of real pages 97 in 100 words, because readers/mediawiki knows more templates than these,
joins no words that a tag parts, and follows MediaWiki where brackets or apostrophes do not match.

Prints a JSON line for each comparison and one for each speed (bytes of the XML by CPU seconds, one core); exits with 1 if a comparison says no.
"""

import argparse
import bz2
import collections
import json
import pathlib
import random
import re
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import mwparserfromhell

import reader_tool

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import emit  # noqa: E402

NAMESPACE = "{http://www.mediawiki.org/xml/export-0.11/}"
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <namespaces>
      <namespace key="-2" case="first-letter">Media</namespace>
      <namespace key="0" case="first-letter" />
      <namespace key="6" case="first-letter">File</namespace>
      <namespace key="14" case="first-letter">Category</namespace>
    </namespaces>
  </siteinfo>
"""
END = "</mediawiki>\n"
HIDDEN_TAGS = {"ref", "references", "gallery", "timeline", "math", "chem", "ce", "score", "imagemap", "templatedata", "templatestyles", "table", "includeonly", "graph", "hiero", "mapframe", "indicator"}
HIDDEN_LINKS = {"file", "image", "media", "category", "bild", "datei", "fichier", "imagen", "archivo"}
HOSTILE = ["{{", "[[", "{|\n", "{|", "{{a|", "[[a|", "[[File:a|\n\n", "<ref>", "<pre>", "<!--", "<", "''", "l'''a ''b ", "&a", "__A", "*", "=a=\n", "== -->", "[http://a ", "}}", "]]", "({{a}}, ", "{{[[{|\n<ref>''", "{{nowrap|"]


def page_xml(number, title, text, name_space=0, redirect=False):
    mark = f'    <redirect title="x" />\n' if redirect else ""
    return (f"  <page>\n    <title>{escape(title)}</title>\n    <ns>{name_space}</ns>\n    <id>{number + 10}</id>\n{mark}    <revision>\n      <id>{number + 1000}</id>\n"
            f"      <timestamp>2026-01-{number % 28 + 1:02}T00:00:00Z</timestamp>\n      <model>wikitext</model>\n      <format>text/x-wiki</format>\n"
            f'      <text bytes="{len(text.encode())}" xml:space="preserve">{escape(text)}</text>\n    </revision>\n  </page>\n')


class Maker:
    """Makes pages of wikitext. No reference is in another, which MediaWiki does not know, and every label has text: of an empty one it shows the target."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        letters = ["abcdefghijklmnopqrstuvwxyz", "абвгдежзийклмнопрст", "αβγδεζηθικλμ", "日本語中文字社会学校", "éèüößñçåø"]
        self.words = ["".join(self.random.choice(self.random.choice(letters[:1] * 6 + letters)) for _ in range(self.random.randrange(2, 9))) for _ in range(4000)]

    def text(self, low=1, high=9):
        return " ".join(self.random.choice(self.words) for _ in range(self.random.randrange(low, high)))

    def inline(self, depth=0):
        choice = self.random.randrange(20 if depth < 3 else 6)
        inner = lambda: self.inline(depth + 1)
        return [lambda: self.text(3, 20), lambda: self.text(3, 20), lambda: f"'''{self.text()}'''", lambda: f"''{self.text()}''", lambda: f"[[{self.text(1, 3)}]]", lambda: f"[[{self.text(1, 3)}|{self.text()}]]",
                lambda: f"[[{self.text(1, 3)}|{self.text()} {inner()}]]", lambda: f"{{{{{self.text(1, 3)}|{inner()}|a={inner()}}}}}", lambda: f"<ref>{self.text()} {{{{cite|{self.text()}|a=[[b|c]]}}}}</ref>", lambda: '<ref name="a" />',
                lambda: f"{{{{lang|xx|{self.text()}}}}}", lambda: f"{{{{nowrap|{self.text()}}}}}", lambda: f"{{{{convert|{self.random.randrange(99)}|km|mi}}}}", lambda: f"[http://x.org/{self.random.random()} {self.text()}]",
                lambda: f"[[File:x.jpg|thumb|{inner()}]]", lambda: f"<span class=\"x\">{self.text()}</span>", lambda: f"<nowiki>[[{self.text()}]]</nowiki>", lambda: f"<!-- {self.text()} -->", lambda: f"<math>{self.text()}</math>",
                lambda: f"&amp; {self.text()}&nbsp;{self.text()} &#233;"][choice]()

    def line(self):
        return " ".join(self.inline() for _ in range(self.random.randrange(1, 6)))

    def block(self):
        choice = self.random.randrange(10)
        if choice < 4:
            return self.line()
        if choice == 4:
            return f"== {self.text(1, 5)} =="
        if choice == 5:
            return "\n".join(self.random.choice(["* ", "** ", "# ", ": ", "*"]) + self.line() for _ in range(self.random.randrange(1, 6)))
        if choice == 6:
            rows = "\n|-\n".join("| " + " || ".join(self.text() for _ in range(3)) for _ in range(self.random.randrange(1, 4)))
            return f'{{| class="wikitable"\n! {self.text()} !! {self.text()}\n|-\n{rows}\n|}}'
        if choice == 7:
            return "{{Infobox " + self.text(1, 2) + "".join(f"\n| {self.text(1, 2)} = {self.inline()}" for _ in range(self.random.randrange(6))) + "\n}}"
        if choice == 8:
            return f"[[Category:{self.text(1, 3)}]]"
        return f"<pre>\n {self.text()}\n</pre>"

    def page(self):
        return "\n\n".join(self.block() for _ in range(self.random.randrange(1, 15)))


def shown(template):
    """What a template that both sides know shows, or None."""
    name, values = str(template.name).strip().lower(), [str(p.value).strip() for p in template.params if not p.showkey]
    if name == "lang" and len(values) == 2:
        return values[1]
    if name == "nowrap" and values:
        return values[0]
    if name == "convert" and len(values) >= 2:
        return f"{values[0]} {values[1]}"
    return None


def peer_text(wikitext):
    code = mwparserfromhell.parse(wikitext)

    def remove(node, text=None):
        try:
            code.remove(node) if text is None else code.replace(node, text)
        except ValueError:  # it went with a node around it
            pass

    for tag in code.filter_tags(matches=lambda node: str(node.tag).strip().lower() in HIDDEN_TAGS):
        remove(tag)
    for link in code.filter_wikilinks(matches=lambda node: ":" in str(node.title) and str(node.title).split(":")[0].strip().lower() in HIDDEN_LINKS):
        remove(link)
    for template in code.filter_templates():
        if (text := shown(template)) is not None:
            remove(template, text)
    return code.strip_code(normalize=True, collapse=True)


def words(text):
    return collections.Counter(re.findall(r"\w+", text))


def compare_text(name, pages, share, folder):
    """Compares the words of pages; `share` of those of both sides together must agree."""
    file = folder / "pages.xml"
    file.write_text(HEAD + "".join(page_xml(i, f"Page {i}", text) for i, text in enumerate(pages)) + END, encoding="utf-8")
    documents, errors = reader_tool.documents("readers/mediawiki", [file], math="drop")
    common = ours = peers = equal = 0
    for number, (text, document) in enumerate(zip(pages, documents, strict=True)):
        found, expected = words(document["text"]), words(peer_text(text))
        both = (found & expected).total()
        common, ours, peers, equal = common + both, ours + found.total(), peers + expected.total(), equal + (found == expected)
        if both < share * max(found.total(), expected.total()):
            print(json.dumps({"differs": name, "page": number, "ours_only": (found - expected).most_common(8), "peer_only": (expected - found).most_common(8)}, ensure_ascii=False), file=sys.stderr)
    agreed = 2 * common / (ours + peers)
    print(json.dumps({"name": f"mediawiki_{name}", "pages": len(pages), "equal_pages": equal, "words": ours, "peer_words": peers, "agreed": round(agreed, 5), "errors": len(errors)}), flush=True)
    return agreed >= share and not errors


def compare_xml(maker, folder):
    """Compares pages and columns with ElementTree, and a multistream dump with the same pages in one file."""
    r = maker.random
    pages = [page_xml(i, maker.text(1, 4) + r.choice(["", " & <x>", ' "q"']), maker.page(), r.choice([0, 0, 0, 1, 6, 14]), r.random() < 0.1) for i in range(1000)]
    plain = folder / "dump.xml"
    plain.write_text(HEAD + "".join(pages) + END, encoding="utf-8")
    expected = []
    for number, page in enumerate(ElementTree.parse(plain).iter(f"{NAMESPACE}page")):
        get = lambda path: page.find("/".join(NAMESPACE + part for part in path.split("/")))
        if get("ns").text == "0" and get("redirect") is None:
            expected.append({"number": number, "title": get("title").text, "page_id": int(get("id").text), "timestamp": get("revision/timestamp").text, "language": "en"})
    found, errors = reader_tool.documents("readers/mediawiki", [plain])
    columns = [{"number": reader_tool.record_number(d), **{key: d[key] for key in ("title", "page_id", "timestamp", "language")}} for d in found]

    stored, index = bz2.compress(HEAD.encode()), ""
    for first in range(0, len(pages), 100):
        index += "".join(f"{len(stored)}:{number + 10}:x\n" for number in range(first, first + 100))
        stored += bz2.compress("".join(pages[first:first + 100]).encode())
    dump = folder / "xwiki-pages-articles-multistream.xml.bz2"
    dump.write_bytes(stored + bz2.compress(END.encode()))
    alone, alone_errors = reader_tool.documents("readers/mediawiki", [dump])
    (folder / "xwiki-pages-articles-multistream-index.txt.bz2").write_bytes(bz2.compress(index.encode()))
    indexed, indexed_errors = reader_tool.documents("readers/mediawiki", [dump])
    texts = [d["text"] for d in found]
    result = {"columns": columns == expected, "bz2": [d["text"] for d in alone] == texts, "multistream": indexed == alone, "errors": len(errors + alone_errors + indexed_errors)}
    print(json.dumps({"name": "mediawiki_xml", "pages": len(pages), "documents": len(found), **result}), flush=True)
    return result["columns"] and result["bz2"] and result["multistream"] and result["errors"] == 0


def measure(pages, megabytes, repeats, folder):
    """CPU time of both over the pages again and again, and of this reader over a megabyte of each kind of broken markup."""
    file = folder / "speed.xml"
    with open(file, "w", encoding="utf-8") as out:
        out.write(HEAD)
        number = 0
        while out.tell() < megabytes * 1_000_000:
            out.write(page_xml(number, f"Page {number}", pages[number % len(pages)]))
            number += 1
        out.write(END)
    size = file.stat().st_size / 1e6
    emit("mediawiki_read", "MB/s", [size / reader_tool.speed("readers/mediawiki", [file])["cpu_seconds"] for _ in range(repeats)], reader="flowrun", megabytes=round(size))
    peer, limit = [], 2.0  # megabytes: it is slow
    for _ in range(repeats):
        before, done = time.process_time(), 0
        for _, element in ElementTree.iterparse(file):
            if element.tag == f"{NAMESPACE}text":
                mwparserfromhell.parse(element.text).strip_code()
                done += len(element.text.encode())
            if element.tag == f"{NAMESPACE}page":
                element.clear()
                if done > limit * 1e6:
                    break
        peer.append(done / 1e6 / (time.process_time() - before))
    emit("mediawiki_read", "MB/s", peer, reader="ElementTree, mwparserfromhell", megabytes=limit)
    seconds = {}
    for unit in HOSTILE:
        file.write_text(HEAD + page_xml(0, "x", unit * (1_000_000 // len(unit))) + END, encoding="utf-8")
        seconds[unit] = reader_tool.speed("readers/mediawiki", [file], language="zh")["cpu_seconds"]
    slowest = max(seconds, key=seconds.get)
    print(json.dumps({"name": "mediawiki_hostile_megabyte", "kinds": len(seconds), "slowest": slowest, "seconds_max": round(seconds[slowest], 3)}), flush=True)
    file.unlink()


def real_pages(folders):
    for folder in folders:
        for file in sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix in (".txt", ".wiki", ".mediawiki") and p.is_file()):
            text = file.read_text(encoding="utf-8", errors="replace")
            if "[[" in text or "{{" in text:
                yield text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--wikitext", nargs="*", default=[])
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    maker = Maker(options.seed)
    made, real = [maker.page() for _ in range(options.pages)], list(real_pages(options.wikitext))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        passed = compare_xml(maker, folder)
        passed = compare_text("made_pages", made, 0.999, folder) and passed
        if real:
            passed = compare_text("real_pages", real, 0.97, folder) and passed
        if options.megabytes:
            measure(real or made, options.megabytes, options.repeats, folder)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
