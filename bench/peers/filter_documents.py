"""Real documents for filters: the data folder, and the documentation and manual pages of the Debian system, cut into 200 to 20,000 characters. The same for the same seed
and system."""

import gzip
import json
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import ROOT  # noqa: E402

ROOTS = (ROOT / "data/books", ROOT / "data/cjk", ROOT / "data/code", ROOT / "data/reference", "/usr/share/doc", "/usr/share/man")
SHORTEST, LONGEST = 200, 20_000
URL = re.compile(r"\b(?:https?|ftp)://[^\s\[\]<>\"'{}|\\^`]+")


def read_text(path):
    """Returns the file's text, or nothing where it is not UTF-8."""
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError):
        return ""


def texts_of(path):
    text = read_text(path)
    return [json.loads(line)["text"] for line in text.splitlines()] if path.suffix == ".jsonl" else [text]


def documents(limit, seed=11, roots=ROOTS):
    """Draws files in random order, and at most 40 pieces of each, so that no long file crowds out the others."""
    draw = random.Random(seed)
    files = sorted(path for root in roots for path in pathlib.Path(root).resolve().rglob("*") if path.is_file() and not path.is_symlink())
    draw.shuffle(files)
    count = 0
    for path in files:
        for text in texts_of(path)[:40]:
            at = 0
            for _ in range(40):
                size = round(SHORTEST * (LONGEST / SHORTEST) ** draw.random() ** 2)
                if len(text) - at < SHORTEST:
                    break
                if count == limit:
                    return
                count += 1
                yield text[at:at + size]
                at += size


def urls(limit, seed=11, roots=ROOTS):
    """Different URLs out of the same files, in random order, at most 40 of each file."""
    draw = random.Random(seed)
    files = sorted(path for root in roots for path in pathlib.Path(root).resolve().rglob("*") if path.is_file() and not path.is_symlink())
    draw.shuffle(files)
    found = {}
    for path in files:
        for text in texts_of(path)[:1]:
            found |= dict.fromkeys(URL.findall(text)[:40])
        if len(found) >= limit:
            break
    return list(found)[:limit]
