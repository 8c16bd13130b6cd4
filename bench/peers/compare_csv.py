#!/usr/bin/env python3
"""Compares readers/csv with Python's csv module, field by field: well-formed random tables, random texts of delimiters, quotes and line ends (strict and not), and
files.

    cmake --build build --target flowrun_reader_tool plugin_readers_csv
    compare_csv.py [--seed N] [--rows N] [--texts N] [--files FOLDER ...] [--megabytes N] [--repeats N]

Python's strict reader knows the two faults of RFC 4180 that readers/csv knows, and gives up at the first; of the third, a row with more or fewer fields than the
first, it knows nothing: such rows must be refused by readers/csv. Rows that are not UTF-8 must be, too. Files that are no UTF-8 text are read all the same.
Prints a JSON line for each comparison and one for each speed (bytes of the file by CPU seconds, one core); exits with 1 if any row differs.
"""

import argparse
import csv
import io
import json
import pathlib
import random
import sys
import tempfile
import time

import reader_tool
from reader_tool import record_number

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import emit  # noqa: E402

csv.field_size_limit(sys.maxsize)
DIALECTS = [(",", '"'), ("\t", '"'), (";", "'"), ("|", '"')]
CHARACTERS = ["a", "b", " ", "é", "\u4e2d", "\U0001f600", "\0", "\u2028", "x" * 300]


def expected(text, delimiter, quote, strict):
    """Python's rows (those without fields left out), and whether it met a fault. `text` may hold surrogates for bytes that are no UTF-8."""
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=strict)
    try:
        for row in reader:
            if row:
                rows.append(row)
    except csv.Error:
        return rows, True
    return rows, False


def is_utf8(row):
    return not any("\udc80" <= c <= "\udcff" for field in row for c in field)


def compare(name, texts, delimiter, quote, strict, folder):
    """Compares files of `texts` (bytes); returns the number of rows that differ."""
    files = []
    for i, data in enumerate(texts):
        files.append(folder / f"{i:05}.csv")
        files[-1].write_bytes(data)
    width = 1
    peers = []
    for data in texts:
        rows, fault = expected(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape"), delimiter, quote, strict)
        peers.append((rows, fault))
        width = max([width, *map(len, rows)])
    columns = [f"c{i} = {i}" for i in range(1, width + 1)]
    ours, errors = {}, {}
    for start in range(0, len(files), 1000):  # as many as a command line takes
        documents, refused = reader_tool.documents("readers/csv", files[start:start + 1000], delimiter=delimiter, quote=quote, strict=strict, header=False, text_field="1", columns=columns)
        for document in documents:
            ours.setdefault(document["source"], {})[record_number(document)] = [document[f"c{i}"] for i in range(1, width + 1)]
        for error in refused:
            errors.setdefault(error["file"], {})[error["record"]] = error["error"]
    compared = different = refusals = 0
    for file, (rows, fault) in zip(files, peers):
        found, refused = ours.get(str(file), {}), errors.get(str(file), {})
        for number, row in enumerate(rows):
            compared += 1
            if not is_utf8(row) or (strict and len(row) != len(rows[0])):
                refusals += 1
                good = number in refused and number not in found
            else:
                good = found.get(number) == row + [None] * (width - len(row)) and number not in refused
            if not good:
                different += 1
                print(json.dumps({"differs": name, "file": file.name, "row": number, "python": row, "flowrun": found.get(number), "refused": refused.get(number)}), file=sys.stderr)
        if fault:  # Python stops here; that row must be refused
            compared += 1
            refusals += 1
            different += len(rows) not in refused
        elif len(found) + len(refused) != len(rows):
            different += 1
            print(json.dumps({"differs": name, "file": file.name, "python": len(rows), "flowrun": len(found), "refused": len(refused)}), file=sys.stderr)
    print(json.dumps({"name": f"csv_{name}", "files": len(files), "rows": compared, "refused": refusals, "differences": different}), flush=True)
    for file in files:
        file.unlink()
    return different


def random_table(r, rows, delimiter, quote):
    """A table as Python writes it, with each way of quoting and of ending lines."""
    out = io.StringIO(newline="")
    width = r.randrange(1, 7)
    writers = [csv.writer(out, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator=end) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL) for end in ("\n", "\r\n", "\r")]
    special = [delimiter, quote, quote * 2, "\n", "\r\n", "\r", ","]
    for _ in range(rows):
        r.choice(writers).writerow(["".join(r.choice(CHARACTERS if r.random() < 0.8 else special) for _ in range(r.randrange(6))) for _ in range(width)])
        if r.random() < 0.02:
            out.write(r.choice(["\n", "\r\n"]))
    return (b"\xef\xbb\xbf" if r.random() < 0.3 else b"") + out.getvalue().encode()


def random_text(r, delimiter, quote):
    """A text that is a table by accident."""
    pieces = [delimiter, delimiter, quote, quote, quote + quote, "\n", "\r\n", "\r", "a", "bc", " ", "é", quote + delimiter + quote]
    return "".join(r.choice(pieces) for _ in range(r.randrange(1, 40))).encode() + r.choice([b"", b"", b"", b"\xff\n"])


def text_files(folders):
    for folder in folders:
        path = pathlib.Path(folder)
        for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".csv", ".tsv") and p.is_file()):
            if 0 < file.stat().st_size < 50 << 20:
                yield file


def measure(r, megabytes, repeats, folder):
    """CPU time of both over a table of texts of a thousand characters, a third of them quoted."""
    file = folder / "speed.csv"
    words = ["".join(r.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(r.randrange(2, 10))) for _ in range(5000)]
    with open(file, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "text", "kind"])
        for number in range(megabytes * 1000):
            text = " ".join(r.choice(words) for _ in range(150))
            writer.writerow([number, text if number % 3 else text.replace("a", 'a, "quoted"\n', 3), "kind"])
    size = file.stat().st_size / 1e6
    ours, peer = [], []
    for _ in range(repeats):
        ours.append(size / reader_tool.speed("readers/csv", [file], id_field="id")["cpu_seconds"])
        before = time.process_time()
        with open(file, newline="", encoding="utf-8") as table:
            count = sum(len(row[1]) for row in csv.reader(table, strict=True))
        peer.append(size / (time.process_time() - before))
        assert count > 0
    emit("csv_read", "MB/s", ours, reader="flowrun", megabytes=round(size))
    emit("csv_read", "MB/s", peer, reader="Python csv", megabytes=round(size))
    file.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    r = random.Random(options.seed)
    different = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for delimiter, quote in DIALECTS:
            for strict in (True, False):
                way = f"{'strict' if strict else 'lenient'}_{delimiter!r}_{quote}"
                different += compare(f"tables_{way}", [random_table(r, options.rows, delimiter, quote) for _ in range(2)], delimiter, quote, strict, folder)
                different += compare(f"texts_{way}", [random_text(r, delimiter, quote) for _ in range(options.texts)], delimiter, quote, strict, folder)
        for file in text_files(options.files):
            different += compare(f"file_{file.name}", [file.read_bytes()], "\t" if file.suffix == ".tsv" else ",", '"', False, folder)
        if options.megabytes:
            measure(r, options.megabytes, options.repeats, folder)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
