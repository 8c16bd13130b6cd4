#!/usr/bin/env python3
"""Compares the paths of readers/jsonl with Python's json: texts at paths and in lists, joined, with headings, and columns, of random records of S2ORC's shape.

    cmake --build build --target flowrun_reader_tool plugin_readers_jsonl
    compare_jsonl.py [--seed N] [--records N] [--repeats N]

A record is random where S2ORC's are regular: keys in any order, parts missing, null, empty or of another type. Prints a JSON line for each form, and one for each
speed (bytes of the file by CPU seconds, one core); exits with 1 if any record differs: in its text, its id, a column, or in being refused.
"""

import argparse
import json
import math
import pathlib
import random
import sys
import tempfile
import time

import reader_tool
from reader_tool import record_number

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import emit  # noqa: E402

FORMS = {
    "whole": dict(text_fields=["title", "abstract[].text", "pdf_parse.body_text[].text"], section_field="section", separator="\n\n"),
    "body": dict(text_field="pdf_parse.body_text[].text", separator=" "),
    "nested": dict(text_field="pdf_parse.latex.text"),
    "lists": dict(text_fields=["authors[].names[]", "title"], separator="; "),
}
COLUMNS = {"year": ("metadata.year", "integer"), "score": ("metadata.score", "number"), "venue": ("venue", "string")}
WORDS = ["learning", "a\nb", "\"q\"", "é", "\U0001f600", "\\", "x" * 50, " ", "deep"]


class Refused(Exception):
    pass


def texts_at(value, steps, section):
    """The texts that a path leads to, each with its heading."""
    if value is None:
        return []
    if not steps:
        if not isinstance(value, str):
            raise Refused
        return [(value, None)]
    key, *rest = steps
    if not isinstance(value, dict):
        raise Refused
    inner = value.get(key.removesuffix("[]"))
    if not key.endswith("[]") or inner is None:
        return texts_at(inner, rest, section)
    if not isinstance(inner, list):
        raise Refused
    found = []
    for item in inner:
        texts = texts_at(item, rest, section)
        heading = item.get(section) if section and isinstance(item, dict) else None
        if heading is not None and not isinstance(heading, str):
            raise Refused
        found += [(text, heading if heading is not None else before) for text, before in texts]
    return found


def text_of(record, form):
    paths = form.get("text_fields") or [form["text_field"]]
    found = [texts_at(record, path.split("."), form.get("section_field")) for path in paths]
    if not any(found):
        raise Refused
    if len(paths) == 1 and "[]" not in paths[0]:
        return found[0][0][0]
    pieces = []
    for texts in found:
        last = None
        for text, heading in texts:
            if heading is not None and heading != last:
                pieces.append(heading)
            last = heading
            pieces.append(text)
    return form["separator"].join(piece for piece in pieces if piece)


def column_of(record, path, kind):
    value = record
    for key in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Refused
        value = value.get(key)
    if value is None:
        return None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "string":
        if isinstance(value, (dict, list)):
            raise Refused
        return value if isinstance(value, str) else json.dumps(value)
    if not number or (kind == "integer" and not (isinstance(value, int) and -2**63 <= value < 2**63)) or not math.isfinite(value):
        raise Refused
    return value


def random_record(r, wild):
    def words():
        return " ".join(r.choice(WORDS) for _ in range(r.randrange(6)))

    def odd(value):
        return r.choice([None, 7, "", [], {}, True, [None], ["x"]]) if r.random() < wild else value

    def items():
        out = []
        for _ in range(r.randrange(4)):
            item = [("text", odd(words())), ("section", odd(r.choice(["Intro", "Intro", "Methods", ""]))), ("cite_spans", [{"text": "[1]", "start": 1}])]
            r.shuffle(item)
            out.append(odd(dict(item[:r.choice([1, 2, 3, 3, 3])])))
        return out

    pdf_parse = {"body_text": odd(items()), "back_matter": items(), "latex": odd({"text": odd(words())})}
    record = [("paper_id", str(r.randrange(10**6))), ("title", odd(words())), ("abstract", odd(items())), ("pdf_parse", odd(pdf_parse)), ("venue", odd(words())),
              ("authors", [{"names": odd([words(), words()])} for _ in range(r.randrange(3))]),
              ("metadata", odd({"year": odd(r.choice([2001, -1] + [2**63, 1.5] * (wild > 0))), "score": odd(r.choice([0.25, 3, 1e300, -0.0]))}))]
    r.shuffle(record)
    return dict(record[:r.choice([4, 7, 7, 7]) if wild else 7])


def expected_of(record, form):
    try:
        text = text_of(record, form)
        columns = {name: column_of(record, path, kind) for name, (path, kind) in COLUMNS.items()}
    except Refused:
        return None
    return {"text": text, "id": record.get("paper_id"), **columns}


def compare(name, form, records, file):
    columns = [f"{column}: {kind} = {path}" for column, (path, kind) in COLUMNS.items()]
    documents, errors = reader_tool.documents("readers/jsonl", [file], id_field="paper_id", columns=columns, **form)
    # Ids are the papers' own, so what is left of the records is matched by order.
    refused = {error["record"] for error in errors}
    good = [number for number in range(len(records)) if number not in refused]
    ours = dict(zip(good, documents))
    different = abs(len(good) - len(documents))
    for number, record in enumerate(records):
        want, found = expected_of(record, form), ours.get(number)
        if found is not None:
            found_id = found["id"] if "paper_id" in record else None if record_number(found) == number else found["id"]
            found = {"text": found["text"], "id": found_id, **{column: found[column] for column in COLUMNS}}
        if want != found:
            different += 1
            print(json.dumps({"differs": name, "record": record, "python": want, "flowrun": found}), file=sys.stderr)
    print(json.dumps({"name": f"jsonl_{name}", "records": len(records), "refused": len(errors), "differences": different}), flush=True)
    return different


def measure(r, repeats, folder):
    file = folder / "speed.jsonl"
    with open(file, "w", encoding="utf-8") as out:
        for number in range(1000):
            body = [{"text": " ".join(r.choice(["learning", "of", "deep", "models", "with"]) for _ in range(80)), "section": f"S{i // 4}", "cite_spans": [{"start": 1, "end": 2, "text": "[1]"}]} for i in range(15)]
            out.write(json.dumps({"paper_id": str(number), "title": "A title", "abstract": body[:1], "pdf_parse": {"body_text": body}}, ensure_ascii=False) + "\n")
    size = file.stat().st_size / 1e6
    form = FORMS["whole"]
    ours, peer = [], []
    for _ in range(repeats):
        ours.append(size / reader_tool.speed("readers/jsonl", [file], id_field="paper_id", **form)["cpu_seconds"])
        before = time.process_time()
        with open(file, encoding="utf-8") as lines:
            assert sum(len(text_of(json.loads(line), form)) for line in lines) > 0
        peer.append(size / (time.process_time() - before))
    emit("s2orc_read", "MB/s", ours, reader="flowrun", megabytes=round(size))
    emit("s2orc_read", "MB/s", peer, reader="Python json", megabytes=round(size))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    r = random.Random(options.seed)
    different = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for wild in (0, 0.03):
            records = [random_record(r, wild) for _ in range(options.records)]
            file = folder / "records.jsonl"
            file.write_text("".join(json.dumps(record, ensure_ascii=r.random() < 0.5) + "\n" for record in records), encoding="utf-8")
            for form_name, form in FORMS.items():
                different += compare(f"{form_name}_{'wild' if wild else 'regular'}", form, records, file)
        if options.repeats:
            measure(r, options.repeats, folder)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
