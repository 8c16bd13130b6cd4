#!/usr/bin/env python3
"""Compares readers/gutenberg with the package gutenbergpy: what both leave of made texts, whose body is known, in every form of header and footer, and of files.

    cmake --build build --target flowrun_reader_tool plugin_readers_gutenberg
    compare_gutenberg.py [--seed N] [--texts N] [--files FOLDER ...] [--megabytes N] [--repeats N]

gutenbergpy cuts at the last line of its lists in the first 600 lines; it has no rule for notes, and of a credit of two lines it may leave the second. So what it leaves
is compared where credits and notes are kept (made texts have none then), and each text of a file without them. Line ends, spaces at line ends and blank lines around
a text are not compared. Prints a JSON line for each comparison and one for each speed; exits with 1 if a made text is not what it was, or a file differs by more than
paragraphs that are credits or notes.
"""

import argparse
import json
import pathlib
import random
import re
import sys
import tempfile
import time

from gutenbergpy.textget import strip_headers

import reader_tool

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import emit  # noqa: E402

STARTS = ["*** START OF THIS PROJECT GUTENBERG EBOOK {} ***", "*** START OF THE PROJECT GUTENBERG EBOOK {} ***", "***START OF THE PROJECT GUTENBERG EBOOK {}***",
          "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*", "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*"]
ENDS = ["*** END OF THIS PROJECT GUTENBERG EBOOK {} ***", "*** END OF THE PROJECT GUTENBERG EBOOK {} ***", "***END OF THE PROJECT GUTENBERG EBOOK {}***", "End of the Project Gutenberg EBook of {}",
        "End of Project Gutenberg's {}, by Ann Other", "End of The Project Gutenberg Etext of {}", "End of the Project Gutenberg EBook of {}\n\n*** END OF THIS PROJECT GUTENBERG EBOOK {} ***",
        "Ende dieses Project Gutenberg Etextes {}"]
CREDITS = ["Produced by Ann Body and Bo Third", "E-text prepared by Ann Body, Bo Third,\nand the Project Gutenberg Online Distributed Proofreading Team", "This etext was prepared by Ann Body, Somewhere."]
NOTES = ["[Transcriber's Note: Spelling is kept.]", "[Transcriber's Note: The [sic] is\nthe author's.\n\nSo is this.]", "TRANSCRIBER'S NOTE\n\nObvious mistakes are\nset right.", "Transcriber’s Notes: none."]
ENCODINGS = [("UTF-8", "utf-8", "abcdefgé—“”中"), ("ISO-8859-1", "cp1252", "abcdefgéüß“”"), ("ISO-646-US (US-ASCII)", "ascii", "abcdefg'\""), ("KOI8-R", "koi8-r", "абвгдеж"), ("ISO-8859-2", "iso8859-2", "abcdłęąż"),
             (None, "utf-8", "abcdefgñ")]


def made_text(r, plain):
    """A text, and what must be left of it with credits and notes cut; in a `plain` one there are none."""
    declared, codec, letters = r.choice(ENCODINGS)
    title = "A BOOK " + str(r.randrange(100))

    def words(count):
        return " ".join("".join(r.choice(letters) for _ in range(r.randrange(1, 9))) for _ in range(count))

    paragraphs = ["\n".join(words(r.randrange(3, 12)) for _ in range(r.randrange(1, 6))) for _ in range(r.randrange(60, 90))]
    body = "\n\n".join(" " * r.choice([0, 0, 0, 4]) + paragraph for paragraph in paragraphs)
    front = [] if plain else [item for item in (r.choice([None, *CREDITS]), r.choice([None, *NOTES])) if item]
    behind = [] if plain else [item for item in [r.choice([None, *NOTES])] if item]
    start, end = r.choice(STARTS), r.choice(ENDS)
    header = f"The Project Gutenberg EBook of {title}, by Ann Other\n\nTitle: {title}\n\nAuthor: Ann Other\n\nRelease Date: May, 2001  [EBook #{r.randrange(99999)}]\n\nLanguage: English\n\n"
    if declared:
        header += f"Character set encoding: {declared}\n\n"
    if "SMALL" in start:
        header += "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here?\n\n"
    text = header + start.replace("{}", title) + "\n\n\n" + "\n\n\n".join([*front, body, *behind]) + "\n\n\n" + end.replace("{}", title) + "\n\nTHE FULL PROJECT GUTENBERG LICENSE\n" + words(300)
    try:
        data = text.replace("\n", r.choice(["\n", "\r\n"])).encode(codec)
    except UnicodeEncodeError:  # a note's apostrophe
        return made_text(r, plain)
    return data, codec, body


def plain_lines(text):
    return [line.rstrip() for line in text.strip().splitlines()]


def compare_made(r, count, plain, folder):
    texts = [made_text(r, plain) for _ in range(count)]
    files = []
    for i, (data, _, _) in enumerate(texts):
        files.append(folder / f"{i:05}.txt")
        files[-1].write_bytes(data)
    documents, errors = reader_tool.documents("readers/gutenberg", files, keep_credits=plain, keep_notes=plain)
    ours = {document["source"]: document for document in documents}
    wrong = peer_wrong = 0
    for file, (data, codec, body) in zip(files, texts):
        document = ours.get(str(file))
        good = document is not None and document["text"] == body + "\n" and document["marks"] == "both" and document["author"] == "Ann Other" and document["title"].startswith("A BOOK")
        wrong += not good
        if plain:
            peer_wrong += plain_lines(strip_headers(data.decode(codec).encode()).decode()) != plain_lines(body)
        if not good:
            print(json.dumps({"differs": file.name, "codec": codec, "flowrun": document and document["text"][:300], "expected": body[:300]}), file=sys.stderr)
    print(json.dumps({"name": "gutenberg_made_" + ("plain" if plain else "with_credits_and_notes"), "texts": count, "errors": len(errors), "differences": wrong, "differences_of_gutenbergpy": peer_wrong if plain else None}), flush=True)
    return wrong + len(errors)


def compare_file(file):
    """Returns the lines that one of both has and the other has not, without those of credits and notes."""
    documents, errors = reader_tool.documents("readers/gutenberg", [file])
    data = file.read_bytes()
    codec = "utf-8-sig"
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        codec = "cp1252"
        text = data.decode(codec)
    if not documents:  # what declares UTF-8, or nothing, must be it
        good = codec == "cp1252" and [error["error"] for error in errors] == ["bad_utf8"] and not re.search(rb"(?i)encoding: iso", data)
        print(json.dumps({"name": f"gutenberg_file_{file.name}", "refused": errors, "agree": good}), flush=True)
        return not good
    document = documents[0]
    peer, ours = plain_lines(strip_headers(text.encode()).decode()), plain_lines(document["text"])
    where = "\n".join(peer).find("\n".join(ours))
    around = [] if where < 0 else ("\n".join(peer)[:where] + "\n" + "\n".join(peer)[where + len("\n".join(ours)):]).split("\n")
    around = [line for line in around if line.strip()]
    known = all(re.search(r"(?i)produced|prepared|proofread|transcriber|pgdp|HTML version|\[|\]|html|by |^end of", line) for line in around)
    good = peer == ours or (where >= 0 and known)
    print(json.dumps({"name": f"gutenberg_file_{file.name}", "marks": document["marks"], "title": document["title"], "author": document["author"], "language": document["language"], "release_date": document["release_date"],
                      "lines": len(ours), "lines_of_gutenbergpy": len(peer), "more_in_gutenbergpy": around[:6], "agree": good}), flush=True)
    return not good


def measure(r, megabytes, repeats, folder):
    files, size = [], 0
    while size < megabytes * 1e6:
        data, _, _ = made_text(r, True)
        files.append(folder / f"speed{len(files):06}.txt")
        files[-1].write_bytes(data.decode("utf-8", "ignore").encode())
        size += files[-1].stat().st_size
    ours, peer = [], []
    for _ in range(repeats):
        ours.append(size / 1e6 / reader_tool.speed("readers/gutenberg", files)["cpu_seconds"])
        before = time.process_time()
        for file in files:
            strip_headers(file.read_bytes())
        peer.append(size / 1e6 / (time.process_time() - before))
    emit("gutenberg_read", "MB/s", ours, reader="flowrun", megabytes=round(size / 1e6))
    emit("gutenberg_read", "MB/s", peer, reader="gutenbergpy", megabytes=round(size / 1e6))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument("--megabytes", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    r = random.Random(options.seed)
    different = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for plain in (True, False):
            different += compare_made(r, options.texts, plain, folder)
        for root in options.files:
            for file in sorted(pathlib.Path(root).rglob("*.txt")):
                different += compare_file(file)
        if options.megabytes:
            measure(r, options.megabytes, options.repeats, folder)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
