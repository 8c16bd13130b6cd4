#!/usr/bin/env python3
"""Compares readers/warc and readers/wet, record by record, with warcio, FastWARC and datatrove's WarcReader.

    cmake --build build --target flowrun_reader_tool inflate_members plugin_readers_warc plugin_readers_wet
    compare_warc.py [--html FOLDER] [--pages N] [--megabytes N] [--repeats N]

Archives are made on the spot: by `wget --warc-file` from a server on the loopback over real pages (of the Debian package python3.11-doc, or of --html), and by warcio with everything that
servers and crawlers do (chunks, codings, encodings, revisits, requests, images, statuses). What must be equal: number, URL, date and id of each record; the bytes of the body behind chunks and
codings, as warcio gives it, and FastWARC where there are none; and the text, with Python's decoder of the encoding that the reader names, and with datatrove wherever that knows the encoding and does not guess it.

Prints a JSON line for each comparison and one for each speed (bytes of text in the members by CPU seconds, one core); exits with 1 if a comparison says no.
"""

import argparse
import codecs
import contextlib
import functools
import gzip
import http.server
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import brotli
import zstandard
from datatrove.pipeline.readers import WarcReader
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

import reader_tool

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, emit  # noqa: E402

PACKAGE = "python3.11-doc"
# What Python calls the encodings that the reader names; the standard's and Python's tables agree on the pages made here.
PYTHON_CODECS = {"UTF-8": "utf-8", "windows-1252": "cp1252", "windows-1251": "cp1251", "KOI8-R": "koi8-r", "ISO-8859-2": "iso-8859-2", "Shift_JIS": "cp932", "EUC-JP": "euc_jp", "GBK": "gb18030",
                 "gb18030": "gb18030", "Big5": "big5hkscs", "EUC-KR": "cp949", "UTF-16LE": "utf-16-le", "ISO-2022-JP": "iso2022_jp"}
EVERYTHING = {"media_types": "*/*", "http_statuses": "*"}


class Brotli:
    """What warcio needs of a decompressor, which the current package brotli does not give it."""

    unused_data = None

    def __init__(self):
        self.decompressor = brotli.Decompressor()

    def decompress(self, data):
        return self.decompressor.process(data)

    def flush(self):
        return b""


BufferedReader.DECOMPRESSORS["br"] = Brotli
# Bytes that windows-1252 does not have are control characters to browsers.
codecs.register_error("as_browsers", lambda error: (error.object[error.start : error.end].decode("latin-1"), error.end))


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def server(folder):
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd.server_address[1]
    httpd.shutdown()


def real_pages(folder):
    subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    package = next(folder.glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, folder / "pages"], check=True)
    package.unlink()
    return folder / "pages"


def crawl(html, pages, folder):
    """Lets wget write an archive of pages, images and what is missing."""
    files = sorted(path for path in html.rglob("*") if path.suffix in (".html", ".htm", ".png", ".txt", ".css") and path.is_file() and not path.is_symlink())[:pages]
    with server(html) as port:
        (folder / "urls").write_text("".join(f"http://127.0.0.1:{port}/{path.relative_to(html)}\n" for path in files) + f"http://127.0.0.1:{port}/missing.html\n")
        subprocess.run(["wget", "--quiet", "--input-file", folder / "urls", "--warc-file", folder / "wget", "--output-document", "/dev/null", "--no-warc-keep-log"], check=False)
    return folder / "wget.warc.gz"


def chunked(data, size=37):
    return b"".join(b"%x\r\n%s\r\n" % (len(data[i : i + size]), data[i : i + size]) for i in range(0, len(data), size)) + b"0\r\n\r\n"


def deflate_raw(data):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


TEXTS = {"utf-8": "Grüße, мир, 世界 😀", "iso-8859-1": "Grüße, señor “”".replace("“”", ""), "windows-1252": "“Grüße” — 5 €", "windows-1251": "Привет, мир", "koi8-r": "Привет, мир", "iso-8859-2": "Zażółć gęślą jaźń",
         "shift_jis": "日本語のテキスト①", "euc-jp": "日本語のテキスト", "iso-2022-jp": "日本語のテキスト", "gb2312": "北京大学的文本", "gb18030": "北京大学的文本", "big5": "臺北的文字", "euc-kr": "한국어 텍스트"}
ENCODERS = {"shift_jis": "cp932", "gb2312": "gb18030", "windows-1252": "cp1252", "iso-8859-1": "latin-1"}


def made_responses():
    """Gives (headers, body as sent)."""
    page = "<!DOCTYPE html><html><head><title>%s</title>%s</head><body><p>%s</p></body></html>"
    html = (page % ("x", "", "Plain text. " * 50)).encode()
    for label, text in TEXTS.items():
        body = (page % (label, "", text * 5)).encode(ENCODERS.get(label, label))
        yield [("Content-Type", f"text/html; charset={label}")], body
        meta = (page % (label, f'<meta http-equiv="Content-Type" content="text/html; charset={label}">', text * 5)).encode(ENCODERS.get(label, label))
        yield [("Content-Type", "text/html")], meta
    yield [("Content-Type", "text/html; charset=latin1")], b"\xef\xbb\xbf" + html
    yield [("Content-Type", "text/html")], (page % ("utf16", "", TEXTS["utf-8"])).encode("utf-16")
    for coding, encode in (("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)):
        yield [("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", coding)], encode(html)
        yield [("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", coding), ("Transfer-Encoding", "chunked")], chunked(encode(html))
    yield [("Content-Type", "text/html")], b""
    yield [("Content-Type", "text/plain; charset=utf-8")], b"plain"
    yield [("Content-Type", "image/png")], bytes(range(256)) * 500


def odd_responses():
    """Gives what its headers describe wrongly, which browsers, warcio and this reader take as it is."""
    html = b"<!DOCTYPE html><p>Plain text.</p>" * 30
    content_type = ("Content-Type", "text/html; charset=utf-8")
    yield [content_type, ("Content-Encoding", "deflate")], deflate_raw(html)
    yield [content_type, ("Content-Encoding", "deflate"), ("Transfer-Encoding", "chunked")], chunked(deflate_raw(html))
    yield [content_type, ("Content-Encoding", "gzip")], html  # decompressed before it was stored
    yield [content_type, ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")], chunked(html)
    yield [content_type, ("Transfer-Encoding", "chunked")], html
    yield [content_type, ("Content-Length", "3")], html
    yield [content_type, ("Content-Encoding", "utf-8")], html


def write_made(path, compress, responses=made_responses):
    with open(path, "wb") as out:
        raw = io.BytesIO()
        writer = WARCWriter(out if compress == "gzip" else raw, gzip=compress == "gzip")

        def write(record):
            writer.write_record(record)
            if compress != "gzip":
                out.write(zstandard.compress(raw.getvalue()) if compress == "zstd" else raw.getvalue())
                raw.seek(0)
                raw.truncate()

        write(writer.create_warcinfo_record("made.warc", {"software": "compare_warc.py"}))
        for number, (headers, body) in enumerate(responses()):
            uri = f"http://example.org/{number}?q=ü"
            status = "404 Not Found" if number % 11 == 5 else "200 OK"
            response = writer.create_warc_record(uri, "response", payload=io.BytesIO(body), http_headers=StatusAndHeaders(status, headers, protocol="HTTP/1.1"))
            write(writer.create_warc_record(uri, "request", payload=io.BytesIO(b""), http_headers=StatusAndHeaders("GET / HTTP/1.1", [("Host", "example.org")], is_http_request=True)))
            write(response)
            if number % 4 == 0:
                write(writer.create_revisit_record(uri, "sha1:B6QJ6BNJ3R4B23XXMRKZKHLPGJY2VE4O", uri, "2024-01-01T00:00:00Z", http_headers=StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")))
            write(writer.create_warc_record(uri, "metadata", payload=io.BytesIO(b"a: b\r\n"), warc_content_type="application/warc-fields"))


def warcio_records(path, kind="response"):
    with open(path, "rb") as file:
        for number, record in enumerate(ArchiveIterator(file)):
            if record.rec_type == kind:
                headers = record.rec_headers
                yield number, {"url": headers.get_header("WARC-Target-URI"), "date": headers.get_header("WARC-Date"), "record_id": headers.get_header("WARC-Record-ID"),
                               "languages": headers.get_header("WARC-Identified-Content-Language")}, record.content_stream().read()


def fastwarc_records(path):
    """Gives bodies that need no decoding, and None for others: FastWARC 2.0.1 fails on deflate in chunks, and with it the rest of the file."""
    with open(path, "rb") as file:
        for number, record in enumerate(FastIterator(file, record_types=WarcRecordType.any_type, parse_http=True)):
            if record.record_type == WarcRecordType.response:
                is_coded = any(name.lower() in ("content-encoding", "transfer-encoding") for name, _ in record.http_headers)
                yield number, None if is_coded else record.reader.read()


def text_of(document, body):
    """Decodes a body as the reader says that it is encoded."""
    codec = PYTHON_CODECS[document["charset"]]
    if document["charset_source"] == "bom":
        body = body[3:] if codec == "utf-8" else body[2:]
    return body.decode(codec, "as_browsers")


def brackets_off(url):
    return url[1:-1] if url and url.startswith("<") else url


def compare_records(name, path):
    documents, errors = reader_tool.documents("readers/warc", [path], malformed="replace", **EVERYTHING)
    ours = {reader_tool.record_number(document): document for document in documents}
    peers = list(warcio_records(path))
    fast = dict(fastwarc_records(path))
    differ = {"numbers": int(sorted(ours) != [number for number, _, _ in peers]), "columns": 0, "text": 0, "fastwarc_body": 0}
    images = 0
    for number, columns, body in peers:
        document = ours.get(number)
        if document is None:
            continue
        columns["url"] = brackets_off(columns["url"])
        differ["columns"] += any(document[key] != columns[key] for key in ("url", "date", "record_id"))
        differ["fastwarc_body"] += fast.get(number, b"missing") not in (body, None)
        if document["replaced"] > 0:  # no text: an image
            images += 1
            continue
        differ["text"] += text_of(document, body) != document["text"]
    print(json.dumps({"name": f"warc_{name}", "records": len(peers), "compared": len(ours), "without_text": images, "differ": differ, "errors": errors[:3]}), flush=True)
    return bool(peers) and not errors and not any(differ.values())


def compare_datatrove(name, path, kind="warc"):
    """datatrove gives no empty text, takes pages by what libmagic says of them, and of bytes that are no UTF-8 guesses the encoding by statistics: those pages are counted by themselves."""
    with contextlib.redirect_stderr(io.StringIO()):
        theirs = {document.id: document for document in WarcReader(str(path.parent), glob_pattern=path.name, compression="infer").run()}
    parameters = {"charset_order": "utf8_first", "malformed": "replace", **EVERYTHING} if kind == "warc" else {}
    documents, errors = reader_tool.documents(f"readers/{kind}", [path], id_field="WARC-Record-ID", **parameters)
    ours = {document["id"]: document for document in documents}
    guessed = equal = differ = 0
    for record_id, document in theirs.items():
        found = ours.get(record_id)
        same = found is not None and found["text"] == document.text.removeprefix("\ufeff") and found["url"] == brackets_off(document.metadata["url"]) and found["date"] == document.metadata["date"]
        equal += same
        if not same:
            is_guess = found is not None and found.get("charset", "UTF-8") != "UTF-8"
            guessed, differ = guessed + is_guess, differ + (not is_guess)
    print(json.dumps({"name": f"{kind}_datatrove_{name}", "theirs": len(theirs), "ours": len(ours), "equal": equal, "guessed_by_datatrove": guessed, "differ": differ, "errors": errors[:3]}), flush=True)
    return bool(theirs) and differ == 0 and not errors


def write_wet(path, source):
    """Makes a WET file of the pages of an archive, as Common Crawl's are: a warcinfo, then conversions."""
    with open(path, "wb") as out:
        writer = WARCWriter(out, gzip=True)
        writer.write_record(writer.create_warcinfo_record("made.wet", {"software": "compare_warc.py"}))
        for number, columns, body in warcio_records(source):
            text = body.decode("utf-8", "replace").replace("<", "\n")
            writer.write_record(writer.create_warc_record(brackets_off(columns["url"]), "conversion", payload=io.BytesIO(text.encode()), warc_content_type="text/plain",
                                                          warc_headers_dict={"WARC-Identified-Content-Language": "eng" if number % 2 else "deu,fra", "WARC-Identified-Payload-Type": "text/plain"}))


def compare_wet(path):
    documents, errors = reader_tool.documents("readers/wet", [path])
    ours = [(reader_tool.record_number(d), d["url"], d["date"], d["record_id"], d["languages"], d["text"].encode()) for d in documents]
    theirs = [(number, c["url"], c["date"], c["record_id"], c["languages"], body) for number, c, body in warcio_records(path, "conversion")]
    print(json.dumps({"name": "wet_warcio", "records": len(theirs), "equal": ours == theirs, "errors": len(errors)}), flush=True)
    return bool(theirs) and ours == theirs and not errors


def cpu_seconds(work):
    before = time.process_time()
    work()
    return time.process_time() - before


def measure(path, megabytes, repeats, folder):
    """CPU time of reading all pages: the same members again and again, each reader in turn."""
    data = path.read_bytes()
    text_bytes = int(subprocess.run([BUILD / "bin/inflate_members", path], check=True, capture_output=True, text=True).stdout.split()[0])
    copies = max(1, round(megabytes * 1e6 / text_bytes))
    file = folder / "speed.warc.gz"
    file.write_bytes(data * copies)
    size = text_bytes * copies / 1e6

    def read_fastwarc():
        with open(file, "rb") as stream:
            for record in FastIterator(stream, record_types=WarcRecordType.response, parse_http=True):
                if record.http_content_type == "text/html":
                    record.reader.read()

    readers = {
        "libdeflate alone": lambda: float(subprocess.run([BUILD / "bin/inflate_members", file], check=True, capture_output=True, text=True).stdout.split()[1]),
        "flowrun": lambda: reader_tool.speed("readers/warc", [file])["cpu_seconds"],
        "fastwarc": lambda: cpu_seconds(read_fastwarc),
        "warcio": lambda: cpu_seconds(lambda: [None for _ in warcio_records(file)]),
    }
    found = {reader: [] for reader in readers}
    for _ in range(repeats):
        for reader, run in readers.items():
            found[reader].append(size / run())
    for reader, values in found.items():
        emit("warc_read", "MB/s", values, reader=reader, megabytes=round(size), stored_megabytes=round(file.stat().st_size / 1e6))
    file.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=pathlib.Path)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        crawled = crawl(options.html or real_pages(folder), options.pages, folder)
        made = {compress: folder / f"made{suffix}" for compress, suffix in (("gzip", ".warc.gz"), ("zstd", ".warc.zst"), ("none", ".warc"))}
        for compress, path in made.items():
            write_made(path, compress)
        odd = folder / "odd.warc.gz"
        write_made(odd, "gzip", odd_responses)
        passed = [compare_records("odd", odd)]
        for label, path in {"wget": crawled, "made_gzip": made["gzip"], "made_plain": made["none"]}.items():
            passed.append(compare_records(label, path))
            passed.append(compare_datatrove(label, path))
        plain, zst = (reader_tool.documents("readers/warc", [made[kind]], malformed="replace", **EVERYTHING)[0] for kind in ("gzip", "zstd"))
        same = [d["text"] for d in plain] == [d["text"] for d in zst]
        print(json.dumps({"name": "warc_zstd_as_gzip", "documents": len(zst), "equal": same}), flush=True)
        wet = folder / "pages.warc.wet.gz"
        write_wet(wet, crawled)
        passed += [same, compare_wet(wet), compare_datatrove("wget", wet, "wet")]
        if options.megabytes:
            measure(crawled, options.megabytes, options.repeats, folder)
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
