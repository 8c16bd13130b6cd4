#!/usr/bin/env python3
"""Compares filters/extract_html with Resiliparse and trafilatura on the same pages: which words each takes, and MB/s.

    pip install -r bench/peers/requirements.txt
    cmake --build build --target flowrun_filter_tool plugin_filters_extract_html
    compare_html.py [--html FOLDER] [--pages 40] [--repeats 5]

Pages are those of Debian's -doc packages of seven kinds of generators (or of --html), --pages of each package, drawn with a seed; and those of
plugins/filters/extract_html/testdata/pages, whose main text is known. Words are runs of letters, digits and marks in lower case; of two texts the one's words that the other has,
as multisets, give precision and recall. A line for each pair over all pages and one for each package, then the speeds: HTML by CPU seconds on one core, all sides in turn.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

import trafilatura
from resiliparse.extract.html2text import extract_plain_text

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, ROOT, emit  # noqa: E402

# By what makes their pages: Sphinx, Doxygen, DocBook, texi2html and makeinfo, XSLT of their own, AsciiDoc, marked.
PACKAGES = ["python3.11-doc", "libstdc++-12-doc", "postgresql-doc-15", "debian-history", "developers-reference", "zsh-doc", "octave-doc", "r-doc-html", "sqlite3-doc", "apache2-doc", "git-doc",
            "nodejs-doc"]
MAX_BYTES = 500_000
WORD = re.compile(r"\w+")
HEADS = ("article", "full", "union")


def unpack(packages, folder):
    for package in packages:
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        archive = next(folder.glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)
        archive.unlink()


def read_page(path):
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    return text if 0 < len(text) <= MAX_BYTES else None


def draw_pages(folder, count):
    """Gives {package: pages}; a page that is no UTF-8 or is too long is left out."""
    draw, drawn = random.Random(7), {}
    for package in sorted(p for p in folder.iterdir() if p.is_dir()):
        files = sorted(p for p in package.rglob("*.html") if p.is_file() and not p.is_symlink())
        draw.shuffle(files)
        pages = (read_page(file) for file in files)
        drawn[package.name] = [page for page, _ in zip((p for p in pages if p), range(count))]
    return drawn


def extract_ours(pages, head):
    """Texts ("" where a page is dropped), and CPU seconds."""
    stdin = "".join(json.dumps({"text": page}, ensure_ascii=False) + "\n" for page in pages)
    out = subprocess.run([str(BUILD / "bin/flowrun_filter_tool"), str(BUILD / "plugins/filters/extract_html.so"), json.dumps({"head": head})], input=stdin, capture_output=True, check=True,
                         encoding="utf-8").stdout
    *answers, last = map(json.loads, out.split("\n")[:-1])
    return [answer["text"] or "" for answer in answers], last["seconds"]


def timed(extract):
    def run(pages):
        start = time.process_time()
        texts = [extract(page) or "" for page in pages]
        return texts, time.process_time() - start
    return run


EXTRACTORS = {f"flowrun_{head}": lambda pages, head=head: extract_ours(pages, head) for head in HEADS} | {
    "resiliparse": timed(lambda page: extract_plain_text(page, main_content=True)),
    "resiliparse_all": timed(extract_plain_text),
    "trafilatura": timed(lambda page: trafilatura.extract(page, include_comments=False)),
}


def bag(text):
    return collections.Counter(WORD.findall(text.lower()))


def overlap(ours, theirs):
    """(words in common, words of the one, words of the other), over all pages."""
    pairs = [(bag(a), bag(b)) for a, b in zip(ours, theirs, strict=True)]
    return tuple(map(sum, zip(*(((a & b).total(), a.total(), b.total()) for a, b in pairs))))


def f1_of(common, one, other):
    return 2 * common / (one + other) if one + other else 1.0


def compare(texts, name, other, **extra):
    common, one, two = overlap(texts[name], texts[other])
    by_page = [f1_of(*overlap([a], [b])) for a, b in zip(texts[name], texts[other])]
    figures = {"precision": common / max(one, 1), "recall": common / max(two, 1), "f1": f1_of(common, one, two), "f1_median_page": statistics.median(by_page)}
    print(json.dumps({"name": "extract_html.overlap", "of": name, "with": other, "pages": len(by_page), **extra, **{key: round(value, 4) for key, value in figures.items()},
                      "words": one, "words_with": two}), flush=True)


def compare_packages(drawn):
    everything = {name: [] for name in EXTRACTORS}
    pairs = [(f"flowrun_{head}", peer) for head in HEADS for peer in ("resiliparse", "trafilatura")] + [("flowrun_full", "resiliparse_all"), ("resiliparse", "trafilatura")]
    for package, pages in drawn.items():
        texts = {name: extract(pages)[0] for name, extract in EXTRACTORS.items()}
        for name, peer in [("flowrun_full", "resiliparse"), ("flowrun_article", "trafilatura"), ("resiliparse", "trafilatura")]:
            compare(texts, name, peer, package=package)
        for name in EXTRACTORS:
            everything[name] += texts[name]
    for name, peer in pairs:
        compare(everything, name, peer)
    larger = sum(u not in (a, f) for u, a, f in zip(everything["flowrun_union"], everything["flowrun_article"], everything["flowrun_full"]))
    print(json.dumps({"name": "extract_html.union", "pages": len(everything["flowrun_union"]), "more_than_either_head": larger}))


def compare_known():
    """The pages of the tests, beside what is their main text."""
    folder = ROOT / "plugins/filters/extract_html/testdata/pages"
    files = sorted(folder.glob("*.html"))
    pages, known = [f.read_text(encoding="utf-8") for f in files], [f.with_suffix(".txt").read_text(encoding="utf-8") for f in files]
    for name, extract in EXTRACTORS.items():
        texts = extract(pages)[0]
        compare({name: texts, "known": known}, name, "known")
        low = {page: round(f1, 3) for page, f1 in ((f.stem, f1_of(*overlap([t], [k]))) for f, t, k in zip(files, texts, known)) if f1 < 0.95}
        if low:
            print(json.dumps({"name": "extract_html.known_below_0.95", "of": name, "f1": low}))


def measure(drawn, repeats):
    pages = [page for some in drawn.values() for page in some]
    megabytes = sum(len(page.encode()) for page in pages) / 1e6
    speeds = collections.defaultdict(list)
    for _ in range(repeats):
        for name, extract in EXTRACTORS.items():
            speeds[name].append(megabytes / extract(pages)[1])
    for name, values in speeds.items():
        peers = ("resiliparse", "resiliparse_all", "trafilatura") if name.startswith("flowrun") else ()
        against = {f"ratio_to_{peer}": round(statistics.median(values) / statistics.median(speeds[peer]), 2) for peer in peers}
        emit(f"extract_html.speed.{name}", "MB/s", values, pages=len(pages), megabytes=round(megabytes, 2), **against)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=pathlib.Path, help="a folder of folders of pages")
    parser.add_argument("--pages", type=int, default=40, help="of each package")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.html or pathlib.Path(temporary)
        if args.html is None:
            unpack(PACKAGES, folder)
        drawn = draw_pages(folder, args.pages)
    print(json.dumps({"name": "extract_html.pages", "pages": {name: len(pages) for name, pages in drawn.items()}, "trafilatura": trafilatura.__version__}))
    compare_known()
    compare_packages(drawn)
    if args.repeats:
        measure(drawn, args.repeats)


if __name__ == "__main__":
    main()
