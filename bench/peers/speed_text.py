"""The texts that tokenizer_speed.py measures on: books, code, and Chinese, Japanese and Korean, all from Debian packages."""

import html.parser
import importlib.machinery
import importlib.util
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CJK_PACKAGES = ["libreoffice-help-zh-cn", "libreoffice-help-ja", "libreoffice-help-ko"]  # MPL-2.0, 30 MB of HTML each
BOOST_HEADERS = pathlib.Path("/usr/include/boost")  # BSL-1.0, of libboost-dev
DOCUMENT_CHARACTERS = 20_000
BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "pre", "div", "br", "title"}
LEFT_OUT = {"script", "style", "header", "aside", "footer", "noscript"}


class PageText(html.parser.HTMLParser):
    """Collects what a page says, a line for each block."""

    def __init__(self):
        super().__init__()
        self.lines, self.left_out = [""], 0

    def handle_starttag(self, tag, attributes):
        self.left_out += tag in LEFT_OUT
        if tag in BLOCKS and self.lines[-1]:
            self.lines.append("")

    def handle_endtag(self, tag):
        self.left_out -= tag in LEFT_OUT

    def handle_data(self, data):
        if not self.left_out:
            self.lines[-1] += data.replace("\n", "")


def page_text(path):
    page = PageText()
    page.feed(path.read_text(encoding="utf-8"))
    return "\n".join(line.strip() for line in page.lines if line.strip())


def fetch_cjk(folder):
    """Makes `folder` with one JSON Lines file a package, beside and renamed into place."""
    sys.path.insert(0, str(ROOT / "scripts"))  # for what it imports itself
    loader = importlib.machinery.SourceFileLoader("fetch_data", str(ROOT / "scripts/fetch-data"))
    fetch_data = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch_data", loader))
    loader.exec_module(fetch_data)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".work.", dir=folder.parent) as work:
        made = pathlib.Path(work, "made")
        made.mkdir()
        packages = fetch_data.Packages(pathlib.Path(work))
        for package in CJK_PACKAGES:
            root, _ = packages.unpack(package)
            with open(made / f"{package}.jsonl", "w", encoding="utf-8") as file:
                for path in sorted(root.rglob("*.html")):
                    if text := page_text(path):
                        file.write(json.dumps({"id": path.relative_to(root).as_posix(), "text": text}, ensure_ascii=False) + "\n")
        shutil.move(made, folder)


def texts_of(kind, data):
    if kind == "cjk":
        if not (data / "cjk").exists():
            fetch_cjk(data / "cjk")
        for path in sorted((data / "cjk").glob("*.jsonl")):
            for line in open(path, encoding="utf-8"):
                yield json.loads(line)["text"]
        return
    folder = data / {"latin": "books", "code": "code"}[kind]
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not there: run scripts/fetch-data")
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        yield path.read_text(encoding="utf-8")


def documents(kind, data):
    """Returns the documents of a kind in a fixed random order, so that all parts of them are alike, each at most DOCUMENT_CHARACTERS long.

    None ends with white space: there the published spellings of cl100k's pattern differ (`\\s++$` or not), and engines have one or the other built in.
    """
    pieces = []
    for text in texts_of(kind, pathlib.Path(data)):
        pieces += [text[i : i + DOCUMENT_CHARACTERS].rstrip() for i in range(0, len(text), DOCUMENT_CHARACTERS)]
    pieces = [piece for piece in pieces if piece]
    random.Random(1).shuffle(pieces)
    return pieces


def slices(kind, data, count, megabytes):
    """Returns `count` lists of documents with about `megabytes` of UTF-8 each, fewer where the text does not reach."""
    found, size = [[]], 0
    for document in documents(kind, data):
        if size >= megabytes * 1e6:
            if len(found) == count:
                return found
            found.append([])
            size = 0
        found[-1].append(document)
        size += len(document.encode())
    return found[:-1] if size < megabytes * 1e6 else found


def further_texts(kind, data):
    """More text of a kind where books and fetched code are too few: reference works, and Boost's headers, which the build itself needs."""
    if kind == "code":
        headers = sorted(path for path in BOOST_HEADERS.rglob("*.hpp") if "preprocessed" not in path.parts)  # those repeat each other
        return [path.read_text(encoding="utf-8", errors="replace").rstrip() for path in headers]
    if kind != "latin":
        return []
    lines = (line for path in sorted((data / "reference").glob("*.jsonl.zst")) for line in subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout.splitlines())
    return [json.loads(line)["text"] for line in lines]


def warm_and_long(kind, data, left_out, warm, long):
    """Returns two lists of documents, none in both: `warm` MB of UTF-8, and `long` MB or, where there are fewer, half as many at least. Those in `left_out` come last, if at all."""
    left_out, found, sizes = set(left_out), ([], []), [0, 0]
    every = [text for text in documents(kind, data) + further_texts(kind, pathlib.Path(data)) if text]
    for document in sorted(every, key=left_out.__contains__):
        at = int(sizes[0] >= warm * 1e6)
        found[at].append(document)
        sizes[at] += len(document.encode())
        if sizes[1] >= long * 1e6:
            break
    if sizes[1] < long * 5e5:
        raise ValueError(f"there are {sizes[1] / 1e6:.1f} MB of {kind} text for long slices, expected {long / 2} at least: give a smaller --long-mb")
    return found
