"""Makes files of every format that the readers read, stored as they are usually found: `READERS[reader][0](folder, megabytes)` writes distinct text made of random words."""

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import tarfile
from xml.sax.saxutils import escape, quoteattr

FILES = 4  # of a source, so that its memory is not that of the number of files alone
RANDOM = random.Random(1)
WORDS = ["".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=RANDOM.randrange(2, 10))) for _ in range(20000)]


def text(words=400):
    chosen = RANDOM.choices(WORDS, k=words)
    return "\n".join(" ".join(chosen[i : i + 20]) + "." for i in range(0, words, 20))


def lines(megabytes, record):
    """Gives encoded records until they have `megabytes`."""
    size = number = 0
    while size < megabytes * 1e6:
        data = record(number).encode()
        size, number = size + len(data), number + 1
        yield data


def write_lines(folder, name, megabytes, record, open_file=open, head="", end=""):
    for part in range(FILES):
        with open_file(folder / name.replace(".", f"-{part}.", 1), "wb") as out:
            out.write(head.encode())
            for data in lines(megabytes / FILES, lambda number: record(number * FILES + part)):
                out.write(data)
            out.write(end.encode())


def write_tar(folder, megabytes, files_of):
    for part in range(FILES):
        with tarfile.open(folder / f"files-{part}.tar.gz", "w:gz", compresslevel=1) as archive:
            size = number = 0
            while size < megabytes / FILES * 1e6:
                for name, data in files_of(number):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
                    size += len(data)
                number += 1


def make_text(folder, megabytes):
    write_lines(folder, "book.txt", megabytes, lambda _: text() + "\n\n")


def make_jsonl(folder, megabytes):
    write_lines(folder, "web.jsonl.gz", megabytes, lambda number: json.dumps({"id": str(number), "text": text()}) + "\n", lambda path, mode: gzip.open(path, mode, compresslevel=1))


def make_csv(folder, megabytes):
    def row(number):
        out = io.StringIO()
        csv.writer(out).writerow([number, text(), "kind"])
        return out.getvalue()

    write_lines(folder, "table.csv.xz", megabytes, row, lambda path, mode: lzma.open(path, mode, preset=0), head="id,text,kind\n")


def make_gutenberg(folder, megabytes):
    for number in range(max(1, round(megabytes * 2))):
        body = "\n\n".join(text() for _ in range(200))
        (folder / f"pg{number}.txt").write_text(
            f"The Project Gutenberg eBook of Book {number}\n\nTitle: Book {number}\n\nAuthor: A. Writer\n\nLanguage: English\n\n"
            f"*** START OF THE PROJECT GUTENBERG EBOOK BOOK {number} ***\n\n{body}\n\n*** END OF THE PROJECT GUTENBERG EBOOK BOOK {number} ***\n\nLicence\n", encoding="utf-8")


def make_mediawiki(folder, megabytes):
    def page(number):
        body = f"'''Page {number}''' is a [[page|link]]. {{{{Infobox|a={number}}}}}\n== Part ==\n" + text() + "<ref>note</ref>\n{| class=\"wikitable\"\n| a || b\n|}\n"
        return f"  <page>\n    <title>Page {number}</title>\n    <ns>0</ns>\n    <id>{number + 1}</id>\n    <revision>\n      <id>{number + 1}</id>\n      <timestamp>2024-01-01T00:00:00Z</timestamp>\n" \
               f"      <model>wikitext</model>\n      <format>text/x-wiki</format>\n      <text bytes=\"{len(body)}\" xml:space=\"preserve\">{escape(body)}</text>\n    </revision>\n  </page>\n"

    head = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n  <siteinfo>\n    <sitename>Wiki</sitename>\n    <dbname>wiki</dbname>\n  </siteinfo>\n'
    write_lines(folder, "dump.xml.bz2", megabytes, page, lambda path, mode: bz2.open(path, mode, compresslevel=1), head=head, end="</mediawiki>\n")


def make_stackexchange(folder, megabytes):
    def post(number):
        body = "<p>" + escape(text(150)) + "</p>"
        asks = number % 3 == 0
        more = f'PostTypeId="1" Title="Question {number}" Tags="|c++|" AnswerCount="2"' if asks else f'PostTypeId="2" ParentId="{number // 3 * 3 + 1}"'
        return f'  <row Id="{number + 1}" {more} Score="{number % 9}" CreationDate="2024-01-01T00:00:00.000" Body={quoteattr(body)} />\n'

    with open(folder / "Posts.xml", "wb") as out:
        out.write(b'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
        out.writelines(lines(megabytes, post))
        out.write(b"</posts>\n")


def make_latex(folder, megabytes):
    def paper(number):
        body = "\n\n".join(f"\\section{{Part {i}}}\n" + text() + " $x^2$ \\cite{a}" for i in range(10))
        yield f"{number}/main.tex", f"\\documentclass{{article}}\n\\title{{Paper {number}}}\n\\newcommand{{\\us}}{{we}}\n\\begin{{document}}\n\\maketitle\n\\us\\ {body}\n\\input{{more}}\n\\end{{document}}\n".encode()
        yield f"{number}/more.tex", text().encode()

    for number in range(max(1, round(megabytes * 1e6 / 30000))):
        with tarfile.open(folder / f"paper-{number:05}.tar.gz", "w:gz", compresslevel=1) as archive:
            for name, data in paper(number):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def make_code(folder, megabytes):
    write_tar(folder, megabytes, lambda number: [(f"project-{number}/src/file.py", ("# SPDX-License-Identifier: MIT\n" + "".join(f"def {w}():\n    return '{v}'\n" for w, v in zip(RANDOM.choices(WORDS, k=120), RANDOM.choices(WORDS, k=120)))).encode())])


def make_parquet(folder, megabytes):
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([("id", pyarrow.string()), ("text", pyarrow.string())])
    for part in range(FILES):
        with pyarrow.parquet.ParquetWriter(folder / f"web-{part}.parquet", schema, compression="zstd", write_page_checksum=True) as writer:
            size = rows = 0
            while size < megabytes / FILES * 1e6:
                texts = [text() for _ in range(500)]
                writer.write_table(pyarrow.table({"id": [f"{part}-{rows + i}" for i in range(500)], "text": texts}, schema=schema))
                size, rows = size + sum(map(len, texts)), rows + 500


def make_tokens(folder, megabytes):
    write_lines(folder, "tokens.jsonl", megabytes, lambda number: json.dumps({"id": str(number), "input_ids": [RANDOM.randrange(50000) for _ in range(400)]}) + "\n")


def warc_record(kind, block, more=""):
    return f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2024-05-06T07:08:09Z\r\n{more}Content-Length: {len(block.encode())}\r\n\r\n{block}\r\n\r\n".encode()


def write_members(folder, name, megabytes, records):
    """Writes records as crawlers do, each compressed by itself."""
    for part in range(FILES):
        with open(folder / name.replace(".", f"-{part}.", 1), "wb") as out:
            out.write(gzip.compress(warc_record("warcinfo", "software: source_files.py\r\n"), 1, mtime=0))
            size = number = 0
            while size < megabytes / FILES * 1e6:
                for data in records(f"{part}-{number}"):
                    out.write(gzip.compress(data, 1, mtime=0))
                    size += len(data)
                number += 1


def make_warc(folder, megabytes):
    def records(name):
        uri = f"WARC-Target-URI: http://x.org/{name}\r\n"
        yield warc_record("request", f"GET /{name} HTTP/1.1\r\n\r\n", uri + "Content-Type: application/http; msgtype=request\r\n")
        yield warc_record("response", f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<!DOCTYPE html><title>{name}</title><p>{text()}</p>\n", uri + "Content-Type: application/http; msgtype=response\r\n")
        yield warc_record("response", f"HTTP/1.1 200 OK\r\nContent-Type: image/svg+xml\r\n\r\n<svg><!-- {text(40)} --></svg>", uri + "Content-Type: application/http; msgtype=response\r\n")

    write_members(folder, "crawl.warc.gz", megabytes, records)


def make_wet(folder, megabytes):
    write_members(folder, "crawl.warc.wet.gz", megabytes, lambda name: [warc_record("conversion", text(), f"WARC-Target-URI: http://x.org/{name}\r\nWARC-Identified-Content-Language: eng\r\nContent-Type: text/plain\r\n")])


# reader: maker, and parameters beside the paths
READERS = {
    "text": (make_text, 'split = "blank_lines"'), "jsonl": (make_jsonl, 'id_field = "id"'), "csv": (make_csv, 'id_field = "id"\ncolumns = ["kind"]'), "gutenberg": (make_gutenberg, ""),
    "mediawiki": (make_mediawiki, ""), "stackexchange": (make_stackexchange, ""), "latex": (make_latex, ""), "code": (make_code, ""), "parquet": (make_parquet, 'id_field = "id"'),
    "tokens": (make_tokens, ""), "warc": (make_warc, ""), "wet": (make_wet, ""),
}
