#!/usr/bin/env python3
"""Compares readers/stackexchange with Python: rows with ElementTree, the HTML of bodies with BeautifulSoup over lxml, word by word.

    cmake --build build --target flowrun_reader_tool plugin_readers_stackexchange
    compare_stackexchange.py [--seed N] [--posts N] [--dumps Posts.xml ...] [--megabytes N] [--repeats N]

A made dump has answers before and behind their questions; --dumps adds real ones. Which posts a document has and in which order, the columns and, of every body,
the words and the lines of code must be equal. Prints a JSON line for each comparison and one for each speed (bytes of the XML by CPU seconds, one core); exits with 1 if
any document differs.
"""

import argparse
import json
import pathlib
import random
import re
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import quoteattr

import bs4

import reader_tool

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import emit  # noqa: E402

BLOCKS = ["p", "pre", "li", "ul", "ol", "br", "hr", "div", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "tr", "table", "dl", "dt", "dd"]


def body_words(html):
    """Returns the words of a body and the lines of its code blocks."""
    soup = bs4.BeautifulSoup(html, "lxml")
    for comment in soup.find_all(string=lambda text: isinstance(text, bs4.Comment)):
        comment.extract()
    for hidden in soup.find_all(["script", "style"]):
        hidden.decompose()
    code = [line.rstrip("\r") for block in soup.find_all("pre") for line in block.get_text().strip("\n").split("\n") if line.strip()]
    for block in soup.find_all(BLOCKS):
        block.insert_before(" ")
        block.insert_after(" ")
    return soup.get_text().split(), code


def expected_documents(file, accepted_first=True, min_score=None):
    questions, answers = {}, {}
    for number, (_, row) in enumerate(item for item in ElementTree.iterparse(file) if item[1].tag == "row"):
        post = {"number": number, "id": int(row.get("Id")), "score": int(row.get("Score", 0)), "body": row.get("Body", ""), "title": row.get("Title", "")}
        post["tags"] = " ".join(tag for tag in re.split(r"[<>|]", row.get("Tags", "")) if tag)
        post["accepted"] = int(row.get("AcceptedAnswerId", 0))
        low = min_score is not None and post["score"] < min_score
        if row.get("PostTypeId") == "1":
            questions.setdefault(post["id"], None if low else post)
        elif row.get("PostTypeId") == "2" and not low:
            answers.setdefault(int(row.get("ParentId")), []).append(post)
        row.clear()
    orphans = sum(len(posts) for parent, posts in answers.items() if parent not in questions)
    documents = []
    for identifier in sorted(questions):
        if (question := questions[identifier]) is not None:
            order = sorted(answers.get(identifier, []), key=lambda a: (accepted_first and a["id"] != question["accepted"], -a["score"], a["number"]))
            documents.append((question, order))
    return documents, orphans


def compare(name, file, **parameters):
    """Compares a dump; returns whether all documents are equal."""
    expected, orphans = expected_documents(file, **parameters)
    found, errors = reader_tool.documents("readers/stackexchange", [file], **parameters)
    different = abs(len(found) - len(expected)) + abs(len(errors) - orphans)
    posts = code_lines = 0
    for document, (question, order) in zip(found, expected):
        words, lines = question["title"].split(), []
        for post in [question, *order]:
            post_words, post_lines = body_words(post["body"])
            words, lines = words + post_words, lines + post_lines
        # The marks of items are this reader's own: "- " and "1. " at the beginning of a line.
        text = re.sub(r"^ *(- |\d+\. )", "", document["text"], flags=re.MULTILINE)
        plain = re.sub(r"^ *(- |\d+\. )", "", " ".join(words))
        own = [w for w in text.split() if not re.fullmatch(r"-|\d+\.", w)]
        peer = [w for w in plain.split() if not re.fullmatch(r"-|\d+\.", w)]
        all_lines = set(document["text"].split("\n")) | set(text.split("\n"))  # code may begin behind the mark of an item
        columns = (document["title"], document["tags"], document["score"], document["answer_count"], reader_tool.record_number(document))
        good = columns == (question["title"], question["tags"], question["score"], len(order), question["number"]) and own == peer and all(line in all_lines for line in lines)
        posts, code_lines = posts + 1 + len(order), code_lines + len(lines)
        if not good:
            different += 1
            at = next((i for i, (a, b) in enumerate(zip(own, peer)) if a != b), min(len(own), len(peer)))
            missing = [line for line in lines if line not in all_lines][:3]
            print(json.dumps({"differs": name, "id": document["id"], "columns": columns, "python": peer[at - 3:at + 5], "flowrun": own[at - 3:at + 5], "missing_code": missing}, ensure_ascii=False), file=sys.stderr)
    print(json.dumps({"name": f"stackexchange_{name}", "documents": len(found), "posts": posts, "code_lines": code_lines, "refused": len(errors), "differences": different}), flush=True)
    return different == 0


class Maker:
    """Makes posts as the server of Stack Exchange renders Markdown."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.words = ["".join(self.random.choice("abcdefghijklmnopqrstuvwxyzéü日本") for _ in range(self.random.randrange(2, 9))) for _ in range(3000)]

    def text(self, low=1, high=12):
        return " ".join(self.random.choice(self.words + ["&amp;", "&lt;x&gt;", "it's", "&quot;q&quot;", "a&nbsp;b", "&hellip;"]) for _ in range(self.random.randrange(low, high)))

    def inline(self):
        return self.random.choice([lambda: self.text(), lambda: f"<strong>{self.text()}</strong>", lambda: f"<em>{self.text()}</em>", lambda: f"<code>{self.text(1, 3)}</code>",
                                   lambda: f'<a href="http://x.org/?a=1&amp;b=2" rel="nofollow noreferrer">{self.text()}</a>', lambda: '<img src="https://i.x.org/y.png" alt="enter image description here">'])()

    def line(self):
        return self.random.choice([" ", "\n"]).join(self.inline() for _ in range(self.random.randrange(1, 6)))

    def block(self, depth=0):
        choice = self.random.randrange(9 if depth < 2 else 5)
        if choice < 4:
            return f"<p>{self.line()}</p>"
        if choice == 4:
            code = "\n".join(" " * self.random.randrange(9) + self.text(1, 6) for _ in range(self.random.randrange(1, 8)))
            return f'<!-- language: lang-py -->\n\n<pre class="lang-py s-code-block"><code>{code}\n</code></pre>'
        if choice == 5:
            tag = self.random.choice(["ul", "ol"])
            return f"<{tag}>\n" + "".join(f"<li>{self.random.choice([self.line, lambda: self.block(depth + 1)])()}</li>\n" for _ in range(self.random.randrange(1, 5))) + f"</{tag}>"
        if choice == 6:
            return f"<blockquote>\n  {self.block(depth + 1)}\n</blockquote>"
        if choice == 7:
            return f"<h2>{self.line()}</h2>"
        return f"<hr>\n<p>{self.line()}<br>\n{self.line()}</p>"

    def body(self):
        return "\n\n".join(self.block() for _ in range(self.random.randrange(1, 6))) + "\n"

    def write(self, file, posts):
        r, rows = self.random, []
        questions = sorted(r.sample(range(1, posts + 1), posts // 3))
        chosen = set(questions)
        for identifier in range(1, posts + 1):
            common = f'Id="{identifier}" CreationDate="2026-01-01T00:00:00.000" Score="{r.randrange(-3, 20)}" Body={quoteattr(self.body(), {chr(10): "&#xA;"})}'
            if identifier in chosen:
                accepted = f'AcceptedAnswerId="{r.randrange(1, posts)}" ' if r.random() < 0.7 else ""
                tags = r.choice(["<c++><sorting>", "|c++|sorting|", "<x>"])
                rows.append(f'  <row PostTypeId="1" {accepted}{common} Title={quoteattr(self.text(3, 9).replace("&nbsp;", " ").replace("&hellip;", "..."))} Tags={quoteattr(tags)} AnswerCount="1" />\n')
            elif r.random() < 0.02:
                rows.append(f'  <row PostTypeId="{r.randrange(3, 8)}" {common} />\n')
            else:
                rows.append(f'  <row PostTypeId="2" ParentId="{r.choice(questions)}" {common} />\n')
        with open(file, "w", encoding="utf-8-sig", newline="") as out:
            out.write('<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
            out.writelines(rows)
            out.write("</posts>\n")


def measure(maker, megabytes, repeats, folder):
    file = folder / "speed.xml"
    maker.write(file, megabytes * 1000)
    size = file.stat().st_size / 1e6
    emit("stackexchange_read", "MB/s", [size / reader_tool.speed("readers/stackexchange", [file])["cpu_seconds"] for _ in range(repeats)], reader="flowrun", megabytes=round(size))
    emit("stackexchange_read", "MB/s", [size / reader_tool.speed("readers/stackexchange", [file], buffer_bytes=1 << 20)["cpu_seconds"] for _ in range(repeats)], reader="flowrun, sorted in files",
         megabytes=round(size))
    peer, limit = [], 2.0  # megabytes: it is slow
    for _ in range(repeats):
        before, done = time.process_time(), 0
        for _, row in ElementTree.iterparse(file):
            if row.get("Body"):
                bs4.BeautifulSoup(row.get("Body"), "lxml").get_text()
                done += len(ElementTree.tostring(row, encoding="utf-8"))
            row.clear()
            if done > limit * 1e6:
                break
        peer.append(done / 1e6 / (time.process_time() - before))
    emit("stackexchange_read", "MB/s", peer, reader="ElementTree, BeautifulSoup over lxml", megabytes=limit)
    file.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--posts", type=int, default=6000)
    parser.add_argument("--dumps", nargs="*", default=[])
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    maker = Maker(options.seed)
    passed = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        maker.write(folder / "Posts.xml", options.posts)
        passed = compare("made_posts", folder / "Posts.xml")
        passed = compare("made_posts_by_score", folder / "Posts.xml", accepted_first=False, min_score=2) and passed
        for file in options.dumps:
            passed = compare(f"dump_{pathlib.Path(file).parent.name}", file) and passed
        if options.megabytes:
            measure(maker, options.megabytes, options.repeats, folder)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
