#!/usr/bin/env python3
"""Compares the filters with datatrove's, document by document: decision, reason, and text where a filter rewrites it. And the words and sentences of English with spaCy's.

    pip install -r bench/peers/requirements.txt
    cmake --build build --target flowrun_filter_tool flowrun_words_tool plugins
    bench/peers/compare_filters.py check [NAME ...] [--limit 10000] [--planted 2000]
    bench/peers/compare_filters.py golden [NAME ...]     # rewrites plugins/filters/NAME/testdata/golden.jsonl
    bench/peers/compare_filters.py punctuation           # datatrove's sets of punctuation as ranges

NAME is a filter, `words`, `sentences` or `lower` (str.lower); without names all. Documents are those of filter_documents.py, and variants of them (seeded) that come near each threshold, so
that every reason comes up. One JSON line for each; exits with 1 where anything differs. Speeds are of processor time on one core, both sides in turn, three times.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import warnings

os.environ["TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS"] = ""  # the list that tldextract brings, not today's


from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import get_filter_result
from datatrove.pipeline.filters import c4_filters
from datatrove.pipeline.filters.c4_filters import C4BadWordsFilter, C4QualityFilter
from datatrove.pipeline.filters.fasttext_filter import FastTextClassifierFilter
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from datatrove.pipeline.filters.gopher_quality_filter import STOP_WORDS, GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove.pipeline.filters.language_filter import LanguageFilter
from datatrove.pipeline.filters.regex_filter import RegexFilter
from datatrove.pipeline.filters.url_filter import URLFilter
from datatrove.utils._import_utils import ASSETS_PATH
from datatrove.utils.text import PUNCTUATION_SET, TERMINAL_PUNCTUATION, split_into_parts, split_into_sentences, split_into_words
from fasttext.FastText import _FastText
from filter_documents import documents, urls
from huggingface_hub import cached_assets_path
from lid_model import lid_model
import tldextract

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, ROOT, cpu  # noqa: E402

REPEATS = 3
SPEED_BYTES = 1_000_000
SPACES = [chr(c) for c in range(0x110000) if chr(c).isspace()]
LETTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and chr(c).isalpha()]
MARKS = sorted(PUNCTUATION_SET)
SNAPSHOT = pathlib.Path(tldextract.__file__).parent / ".tld_set_snapshot"  # the list of public suffixes that tldextract brings
URL_LISTS = ROOT / "plugins/filters/url/testdata"
URL_WORDS = ("banned_words", "soft_banned_words", "banned_subwords")
TEST_MODEL = ROOT / "plugins/filters/common/fasttext/testdata/hierarchical.bin"  # of invented languages: SOURCES there


def vary_words(text, draw):
    words = text.split()
    yield " ".join(words[:draw.randrange(45, 56)])
    yield " ".join(w[:draw.randrange(1, 5)] for w in words)
    yield "".join(w + draw.choice(["", "", " "]) for w in words)
    yield " ".join(w + ("#" if draw.random() < 0.1 else "") for w in words)
    yield " ".join(w + (draw.choice(["...", "…", "....."]) if draw.random() < 0.1 else "") for w in words)
    yield "".join(w + draw.choice(SPACES) for w in words)
    yield " ".join(w if draw.random() < 0.8 else str(draw.randrange(10**4)) for w in words)
    yield " ".join(draw.choice(MARKS) * 3 if draw.random() < 0.2 else w for w in words)
    yield " ".join(w for w in words if w not in STOP_WORDS) + draw.choice(["", " the", " the of", " The Of", " the the", " the, of"])
    yield " ".join("".join(draw.choice(LETTERS) for _ in range(draw.randrange(2, 9))) for _ in range(120)) + " the of"


def vary_lines(text, draw):
    lines = text.splitlines()
    share = draw.choice([0.85, 0.9, 0.95])
    yield "\n".join((draw.choice(["- ", " • ", "\u3000-", "-"]) if draw.random() < share else "") + line for line in lines)
    share = draw.choice([0.25, 0.3, 0.35])
    ends = ["...", "…", "... ", "…\u00a0"]
    yield draw.choice(["\n", "\r\n", "\x85", "\u2028", "\v"]).join(line + (draw.choice(ends) if draw.random() < share else "") for line in lines)


def vary_repetition(text, draw):
    """Repeats paragraphs, lines, characters in them and runs of words about as often as is allowed."""
    words = text.split()[:draw.randrange(60, 400)]
    sentences = [" ".join(words[i:i + 12]) for i in range(0, len(words), 12)]
    for join in ("\n", "\n\n", "\n\n\n"):
        share = draw.choice([0.15, 0.2, 0.3, 0.35])
        yield join.join(draw.choice(sentences[:3]) if draw.random() < share else s for s in sentences)
        yield join.join(draw.choice(["a", "", "…"]) if draw.random() < share else s for s in sentences)
    for n in range(1, 12):
        phrase = " ".join(words[:n])
        share = draw.choice([0.08, 0.1, 0.12, 0.15, 0.2]) / n
        yield " ".join(phrase if draw.random() < share else w for w in words)
    yield "".join(words) + " " + " ".join(words[:20])
    yield " ".join(w + draw.choice(["", "", "-", "'s"]) for w in words * 2)  # the same characters, cut in other places


def vary_line_ends(text, draw):
    lines = [line for line in text.splitlines() if line.strip()] or ["x"]
    words = text.split()[:30] or ["x"]
    share = draw.choice([0.1, 0.12, 0.14])
    yield "\n".join(line.rstrip(".!?") + (draw.choice([".", "。", "!", "؟"]) if draw.random() < share else draw.choice(["", " ", '"'])) for line in lines)
    share = draw.choice([0.62, 0.67, 0.72])
    yield "\n".join((line * 30)[:draw.choice([1, 28, 29]) if draw.random() < share else 31] + "." for line in lines * 3)
    yield "\n".join(f"{i} {line}." for i, line in enumerate(lines)) + f"\n{lines[0]}.\n{lines[0]}."
    for size in (1, 2, 3):
        yield ".\n".join(f"{'x' * 31}{i} " + " ".join(words[i:i + size]) for i in range(0, len(words), size)) + "."
    yield draw.choice(["\n", " ", "\u3000\n\n"]) * draw.randrange(4)


def vary_c4(text, draw):
    phrases = ["JavaScript is off.", "Lorem  ipsum dolor.", "lorem Ipsum sit amet.", "if {x} then.", "By our coo\u212aie Policy.", "This site uses cookies.", "Terms of use apply.",
               "See [1] [edit]", "Yes[citation needed].", "No[23]?", "So [] it is.", "Why [١]?", "a b.", "one two three...", "\"Quoted words here\"", "No. I. am. a. list.", "x" * 1000 + " y z.",
               "x" * 1001 + " y z.", "java[2]script is on.", "Dr. No went home. He slept! Why?"]
    sentences = [s.strip() + "." for s in text.split(".") if s.strip()][:40]
    for _ in range(6):
        lines = draw.sample(sentences, min(len(sentences), draw.randrange(1, 9))) + draw.sample(phrases, draw.randrange(0, 4))
        draw.shuffle(lines)
        yield draw.choice(["\n", "\r\n", "\n\n", " \t\n", "\u2029"]).join(lines)


def vary_languages(text, draw):
    """Few words, in other letters and among others, so that a model is not sure."""
    words = text.split()
    for size in (1, 2, 3, 5, 8):
        yield " ".join(draw.sample(words, min(size, len(words))))
    accents = str.maketrans({c: draw.choice(a) for c, a in zip("aeiounsczg", ("àáâä", "èéêë", "ìíîï", "òóôöø", "ùúûü", "ñń", "šśß", "çčć", "žż", "ğ"))})
    cyrillic = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопярстувшхыз")
    yield "\n".join(w.translate(accents) if draw.random() < 0.5 else w for w in words[:draw.randrange(2, 60)])
    yield " ".join(w.translate(cyrillic) if draw.random() < 0.5 else w for w in words[:draw.randrange(2, 60)])
    yield " ".join("".join(draw.sample(w, len(w))) if draw.random() < 0.5 else w for w in words[:draw.randrange(2, 40)])
    yield "".join(draw.choice(LETTERS) + draw.choice(["", "", " "]) for _ in range(draw.randrange(1, 80)))


def vary_case(text, draw):
    yield text.upper()
    yield "".join(chr(c) for c in (draw.randrange(0x110000) for _ in range(2000)) if not 0xD800 <= c < 0xE000)
    cased = draw.sample(LETTERS, 200) + list("ΣΣΣΣΣ'.\u00ad\u0301 İIıKÅßﬁͅʰ1")
    yield "".join(draw.choice(cased) + draw.choice(["Σ", "", "", "'", "\u0301"]) for _ in range(400))
    yield " ".join(w + draw.choice(["Σ", "ΑΣ", "Σ.", "'Σ", "Σ'Α"]) for w in text.split())


def vary_paragraphs(text, draw):
    words = text.split()
    for join in ("\n", "\r\n", "\n\n", "\n \n\u3000\n", "\u2028"):
        parts = [" ".join(draw.sample(words, min(draw.randrange(1, 9), len(words)))) for _ in range(draw.randrange(1, 9))]
        yield draw.choice(["", "\n", " \n\n"]) + join.join(parts) + draw.choice(["", "\n", "\n\n "])
    yield draw.choice(["", "\n", " ", "\x1c"])


class Filter:
    """One filter and datatrove's. `parameters` are the plugin's, `peer` makes the other; `columns` are those that the plugin adds, by the names of datatrove's metadata."""

    real = staticmethod(documents)

    def __init__(self, plugin, parameters, peer, *variants, columns=()):
        self.plugin, self.parameters, self.make_peer, self.variants, self.columns = plugin, parameters, peer, variants, dict(columns)
        self.peer = None

    def expect(self, text):
        """(reason, text, columns), or the name of the exception that ends datatrove's run: that is not compared. Where datatrove has no reasons, it is the plugin's name."""
        self.peer = self.peer or self.make_peer()
        document = Document(text=text, id="")
        try:
            keep, reason = get_filter_result(self.peer.filter(document))
        except (ZeroDivisionError, AssertionError) as error:
            return type(error).__name__
        return (None, document.text, {ours: rounded(document.metadata.get(theirs, 0.0)) for theirs, ours in self.columns.items()}) if keep else (reason or self.plugin, None, None)

    def find(self, texts):
        parameters = self.parameters() if callable(self.parameters) else self.parameters
        lines = run_tool("flowrun_filter_tool", str(BUILD / f"plugins/filters/{self.plugin}.so"), json.dumps(parameters), texts=texts)
        *answers, last = map(json.loads, lines)
        return [(a["reason"], a["text"], a["columns"] and {name: rounded(value) for name, value in a["columns"].items()} if a["reason"] is None else None) for a in answers], last["seconds"]


def rounded(value):
    """Means of many parts are added up in another order by numpy."""
    return round(value, 12) if isinstance(value, float) else value


def with_model(peer, path):
    """datatrove's filter with a model from a file: it would fetch one by its address."""
    holder = peer.model if isinstance(peer, LanguageFilter) else peer
    holder._model = _FastText(str(path))
    return peer


def language(path, **parameters):
    return Filter("language", {"model_path": str(path), **parameters},
                  lambda: with_model(LanguageFilter(parameters.get("languages"), language_threshold=parameters.get("threshold", 0.65)), path),
                  vary_languages, columns={"language": "language", "language_score": "score.language"})


def fast_text(path, rule, labels, split="document", newline="", scores=()):
    peer_rule = {rule: list(labels.items())}
    return Filter("fasttext", {"model_path": str(path), rule: labels, "split": split, "newline_replacement": newline, "scores": list(scores)},
                  lambda: with_model(FastTextClassifierFilter("", **peer_rule, filter_mode=split.upper(), newline_replacement=newline), path),
                  vary_languages, vary_paragraphs, columns={f"__label__{label}": f"score.{label}" for label in scores})


def probability_of(path, text, label):
    labels, probabilities = _FastText(str(path)).predict(text, k=-1)
    return float(dict(zip(labels, probabilities))[f"__label__{label}"])


def regex(pattern, unicode=True):
    return Filter("regex", {"pattern": pattern, "unicode": unicode}, lambda: RegexFilter(pattern if unicode else "(?a)" + pattern), vary_words, vary_lines, vary_case, vary_paragraphs)


def bad_words_file():
    """Words and phrases of the documents of the machine, two of other scripts, and some with marks: harmless ones, but they stand in texts in every way."""
    path = ROOT / "data/models/words.txt"
    if not path.exists():
        draw = random.Random(2)
        words = [word for text in documents(400, seed=12) for word in draw.sample(text.lower().split(), 3) if len(word) > 8]
        texts = [text.lower().split() for text in documents(60, seed=13)]
        phrases = [" ".join(words[i:i + 2]) for words in texts if len(words) > 40 for i in (draw.randrange(20), draw.randrange(20))]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(sorted(set(word for word in draw.sample(words, 100) + phrases if not word.startswith("#"))) + ["中文", "λόγος", "süß", "a$$", "c++"]) + "\n", encoding="utf-8")
    return path


def bad_words(path, boundaries):
    """`path` gives the list; datatrove would fetch one by its address, and chooses the rule for boundaries by the language."""
    def peer():
        c4_filters.cached_asset_path_or_download = lambda *_args, **_more: str(path())
        return C4BadWordsFilter(default_language="ja" if boundaries == "never" else "en")

    def vary(text, draw):
        listed = path().read_text(encoding="utf-8").splitlines()
        words = "".join(c for c in text if c not in "abcdeh")[:300].split()
        for _ in range(4):
            word = draw.choice([str, str.upper, str.capitalize])(draw.choice(listed))
            yield " ".join(words[:20]) + draw.choice([" ", "", "\n", "_", "é", "1", "(", "文", "²", "́", "Ⅰ", "٣"]) + word + draw.choice([" ", "", "\n", "_", "é", "1", ")", "文", "²", "́", "‍"]) + draw.choice(["", " x"])

    return Filter("toxicity", lambda: {"words": str(path()), "boundaries": boundaries}, peer, vary)


AT_THRESHOLD = "This sentence lies on the threshold."


def vary_at_threshold(_text, _draw):
    yield AT_THRESHOLD


class UrlFilter(Filter):
    """Decides on URLs: what other filters take for a text is one here."""

    real = staticmethod(urls)

    def expect(self, url):
        self.peer = self.peer or self.make_peer()
        document = Document(text="", id="", metadata={"url": url})
        try:
            keep, reason = get_filter_result(self.peer.filter(document))
        except AssertionError as error:
            return type(error).__name__
        return (None, url, {}) if keep else (reason, None, None)

    def find(self, items):
        return super().find([{"text": url, "url": url} for url in items])


def integrated_files():
    """datatrove's own lists as files, which it unpacks when it first filters."""
    folder = pathlib.Path(cached_assets_path(library_name="datatrove", namespace="filters", subfolder="url_filter"))
    return {"domains": folder / "domains", "urls": folder / "urls", **{name: pathlib.Path(ASSETS_PATH) / f"{name}.txt" for name in URL_WORDS}}


def test_files():
    return {name: URL_LISTS / name for name in ("domains", "urls", *URL_WORDS)}


def url_parameters(files, suffix_list):
    return {**{name: str(path) for name, path in files.items()}, "suffix_list": str(suffix_list)}


def url_filter_of_test_files():
    """datatrove's filter with lists of invented names alone. An empty line is an entry there, which matches nearly everything."""
    lists = {name: [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.strip()] for name, path in test_files().items()}
    peer = URLFilter(extra_domains=lists["domains"], extra_urls=lists["urls"], banned_words=lists["banned_words"], soft_banned_words=lists["soft_banned_words"],
                     banned_subwords=lists["banned_subwords"], use_integrated_lists=False)
    peer.tldextractor = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=((URL_LISTS / "suffixes.dat").as_uri(),))
    return peer




class UrlVariants:
    """URLs made of the entries of lists and of public suffixes, well formed and not."""

    def __init__(self, files, suffix_list):
        self.files, self.suffix_list, self.entries = files, suffix_list, None

    def load(self):
        lines = {name: [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"] for name, path in self.files().items()}
        lines["suffixes"] = [line for line in self.suffix_list.read_text(encoding="utf-8").splitlines() if line and not line.startswith("//")]
        return lines

    def host(self, draw):
        suffix = draw.choice(self.entries["suffixes"]).replace("*", draw.choice(["a", "www", "city"])).removeprefix("!")
        if draw.random() < 0.3:
            suffix = ".".join("xn--" + label.encode("punycode").decode() if not label.isascii() else label for label in suffix.split("."))
        host = draw.choice(["", "a.", "www.", "x.y.", "ПРИМЕР.", ".", "..", "xn--80ak6aa92e."]) + draw.choice(["b", "example", "münchen", ""]) + "." + suffix
        return draw.choice([host, host, host.upper(), host.replace(".", "\u3002"), draw.choice(self.entries["domains"]), "www." + draw.choice(self.entries["domains"]), "1.2.3.4", "[::1]", "[a.com]", "localhost"])

    def __call__(self, url, draw):
        self.entries = self.entries or self.load()
        words = self.entries["banned_words"], self.entries["soft_banned_words"], self.entries["banned_subwords"]
        for _ in range(4):
            host = draw.choice(["", "", "user@", "a:b@"]) + self.host(draw) + draw.choice(["", "", ":80", ".", "\uff61", " "])
            yield draw.choice(["http://", "https://", "//", "", "ht_tp://", "a+b:", "://", "javascript://"]) + host + draw.choice(["", "/", "?q", "#f", "/a@b:c"])
        for listed in words:
            word = draw.choice(listed)
            yield url + draw.choice(["/", "-", "_", "?", "%20", "", "é"]) + draw.choice([word, word.upper(), word.capitalize(), word[:1] + "-" + word[1:]]) + draw.choice(["", "/", "s", "."])
        yield url + "/" + "-".join(draw.choice(self.entries["soft_banned_words"]) for _ in range(draw.randrange(1, 4)))
        yield draw.choice(["", "http://", "https://"]) + draw.choice(self.entries["urls"]) + draw.choice(["", "", "/"])
        yield draw.choice(self.entries["domains"])
        yield "".join(draw.choice("htp:/@[].?# a\u3002é-") for _ in range(draw.randrange(1, 20)))


class Splitter:
    real = staticmethod(documents)

    def __init__(self, what, split, *variants):
        self.what, self.split, self.variants = what, split, variants or (vary_words, vary_c4)

    def expect(self, text):
        return self.split(text)

    def find(self, texts):
        return [json.loads(line) for line in run_tool("flowrun_words_tool", self.what, texts=texts)], float(run_tool("flowrun_words_tool", self.what, "--seconds", texts=texts)[0])


COMPARED = {
    "words": Splitter("words", split_into_words),
    "sentences": Splitter("sentences", split_into_sentences),
    "lower": Splitter("lower", lambda text: [text.lower()], vary_case),
    "gopher_quality": Filter("gopher_quality", {}, GopherQualityFilter, vary_words, vary_lines),
    "gopher_repetition": Filter("gopher_repetition", {}, GopherRepetitionFilter, vary_repetition),
    "c4_quality": Filter("c4_quality", {}, C4QualityFilter, vary_c4, vary_lines),
    "c4_quality_fineweb": Filter("c4_quality", {"filter_no_terminal_punct": False}, lambda: C4QualityFilter(filter_no_terminal_punct=False), vary_c4),
    "c4_quality_sentences": Filter("c4_quality", {"split_paragraph": False}, lambda: C4QualityFilter(split_paragraph=False), vary_c4),
    "fineweb_quality": Filter("fineweb_quality", {}, FineWebQualityFilter, vary_line_ends, vary_lines),
    "language": language(lid_model()),
    "language_some": language(lid_model(), languages=["en", "de", "ru", "zh"], threshold=0.3),
    "language_at_threshold": language(lid_model(), threshold=probability_of(lid_model(), AT_THRESHOLD, "en")),
    "language_golden": language(TEST_MODEL, languages=["topic1", "topic2"], threshold=0.6),
    "fasttext_keep": fast_text(lid_model(), "keep_labels", {"en": 0.8, "de": 0.2}, scores=["en", "de", "fr"]),
    "fasttext_remove_paragraphs": fast_text(lid_model(), "remove_labels", {"en": 0.7, "ru": 0.1}, "paragraph", " ", ["en"]),
    "fasttext_keep_sentences": fast_text(lid_model(), "keep_labels", {"en": 0.9}, "sentence"),
    "fasttext_at_threshold": fast_text(lid_model(), "keep_labels", {"en": probability_of(lid_model(), AT_THRESHOLD, "en")}),
    "regex": regex(r"(?i)[\w.+-]+@[\w-]+\.[\w.-]+"),
    "regex_spaces": regex(r"^\s*\S+\s\d{,3}[^\s\w]\D"),
    "regex_end": regex(r"[\u00e0-\u017e]|(?:the|of)\s\w+[.!?]$"),
    "regex_ascii": regex(r"(?im)^\w+\b\W+the\s+\w+$", unicode=False),
    "regex_golden": regex(r"(?i)[aeiou]{2}\w{,3}\.$"),
    "toxicity": bad_words(bad_words_file, "always"),
    "toxicity_never": bad_words(bad_words_file, "never"),
    "toxicity_golden": bad_words(lambda: ROOT / "plugins/filters/toxicity/testdata/words", "always"),
    "url": UrlFilter("url", lambda: url_parameters(integrated_files(), SNAPSHOT), URLFilter, UrlVariants(integrated_files, SNAPSHOT)),
    "url_golden": UrlFilter("url", lambda: url_parameters(test_files(), URL_LISTS / "suffixes.dat"), url_filter_of_test_files, UrlVariants(test_files, URL_LISTS / "suffixes.dat")),
    "fasttext_golden": fast_text(TEST_MODEL, "keep_labels", {"topic1": 0.6, "topic2": 0.7}, "paragraph", " "),
}
for name in ("language_at_threshold", "fasttext_at_threshold"):
    COMPARED[name].variants += (vary_at_threshold,)
GOLDEN = ["gopher_quality", "gopher_repetition", "c4_quality", "fineweb_quality", "language_golden", "fasttext_golden", "url_golden", "regex_golden", "toxicity_golden"]


def run_tool(tool, *arguments, texts):
    """`texts` are texts, or objects of their own."""
    stdin = "".join(json.dumps(text if isinstance(text, dict) else {"text": text}, ensure_ascii=False) + "\n" for text in texts)
    out = subprocess.run([str(BUILD / "bin" / tool), *arguments], input=stdin, capture_output=True, check=True, encoding="utf-8").stdout
    return out.split("\n")[:-1]


def variants(compared, texts, wanted, seed=7):
    draw = random.Random(seed)
    made = []
    for text in texts:
        for vary in compared.variants:
            made.extend(vary(text[:4000], draw))
        if len(made) >= wanted:
            break
    return made[:wanted]


def measure(compared, texts):
    """MB/s of both sides over the first texts, in turn."""
    texts = texts[:max(1, next((i for i, n in enumerate(running_bytes(texts)) if n > SPEED_BYTES), len(texts)))]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    ours, theirs = [], []
    for _ in range(REPEATS):
        start = time.process_time()
        for text in texts:
            split_into_parts.cache_clear()  # as in a run, where no text comes twice
            compared.expect(text)
        theirs.append(megabytes / (time.process_time() - start))
        ours.append(megabytes / compared.find(texts)[1])
    return sorted(ours), sorted(theirs)


def running_bytes(texts):
    total = 0
    for text in texts:
        total += len(text.encode())
        yield total


def expect_all(names, texts):
    """Each side's answers by name. One text after the other, as datatrove keeps the words of the last five texts."""
    expected = {name: [] for name in names}
    for text in texts:
        for name in names:
            expected[name].append(COMPARED[name].expect(text))
    return expected


def report(name, texts, real, expected, speed):
    compared = COMPARED[name]
    found, _ = compared.find(texts)
    wrong = [i for i, (e, f) in enumerate(zip(expected, found, strict=True)) if e != f and not isinstance(e, str)]
    for i in wrong[:5]:
        print(json.dumps({"name": name, "expected": expected[i], "found": found[i], "text": texts[i]}, ensure_ascii=False)[:3000], file=sys.stderr)
    figures = {"documents": len(texts), "real": len(real), "text_mb": round(sum(len(t.encode()) for t in texts) / 1e6, 2), "different": len(wrong),
               "peer_raised": sum(isinstance(e, str) for e in expected)}
    if isinstance(compared, Filter):
        figures["reasons"] = collections.Counter(e if isinstance(e, str) else e[0] or "kept" for e in expected)
        figures["changed"] = sum(not isinstance(e, str) and e[0] is None and e[1] != t for e, t in zip(expected, texts))
    else:
        figures["pieces"] = sum(map(len, expected))
    if speed:
        ours, theirs = measure(compared, real)
        figures |= {"flowrun_mb_per_s": [round(x, 1) for x in ours], "datatrove_mb_per_s": [round(x, 3) for x in theirs], "ratio": round(ours[REPEATS // 2] / theirs[REPEATS // 2], 1)}
    print(json.dumps({"name": f"filters.{name}", "unit": "documents", "value": len(texts) - len(wrong), "cpu": cpu(), **figures}), flush=True)
    return not wrong and bool(texts)


def check(names, args):
    split_into_words("IS_ALPHA")  # the first text with it is another matter in datatrove
    equal = []
    for source in (documents, urls):
        asked = [name for name in names if COMPARED[name].real is source]
        real = list(source(args.limit)) if asked else []
        expected = expect_all(asked, real)
        for name in asked:
            planted = variants(COMPARED[name], real, args.planted)
            equal.append(report(name, real + planted, real, expected[name] + expect_all([name], planted)[name], args.speed))
    return all(equal)


def golden(name):
    """Documents of invented words, so that nobody's text is copied, with datatrove's decision and, where it changes, the text."""
    compared, draw = COMPARED[name], random.Random(7)
    words = ["the", "of", "and", "with", "that", "don't", "U.S.", "it's"] + ["".join(draw.choice("aeioubdfglmnprst") for _ in range(draw.randrange(2, 9))) for _ in range(300)]
    made, wanted = [], collections.Counter()
    for _ in range(60):
        text = "\n".join(" ".join(draw.choice(words) for _ in range(draw.randrange(4, 15))).capitalize() + "." for _ in range(draw.randrange(6, 14)))
        if compared.real is urls:
            text = "https://" + "/".join(draw.choice(words) for _ in range(4))
        for variant in variants(compared, [text], 100, draw.random()) + [text]:
            expected = compared.expect(variant)
            if not isinstance(expected, str) and wanted[expected[0]] < (30 if compared.real is urls else 8) and len(variant) < 1500:
                wanted[expected[0]] += 1
                line = {"text": variant, "reason": expected[0]}
                if expected[1] not in (None, variant):
                    line["changed"] = expected[1]
                made.append(json.dumps(line, ensure_ascii=False) + "\n")
    folder = ROOT / "plugins/filters" / compared.plugin / "testdata"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "golden.jsonl").write_text("".join(made), encoding="utf-8", newline="")
    print(json.dumps({"name": f"filters.{name}.golden", "reasons": {str(k): v for k, v in wanted.items()}}))


def punctuation():
    for name, characters in (("PUNCTUATION_SET", PUNCTUATION_SET), ("TERMINAL_PUNCTUATION", TERMINAL_PUNCTUATION)):
        ranges = []
        for c in sorted(map(ord, characters)):
            if ranges and ranges[-1][1] + 1 == c:
                ranges[-1][1] = c
            else:
                ranges.append([c, c])
        print(name, ", ".join("{0x%X, 0x%X}" % tuple(r) for r in ranges))


def main():
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "golden", "punctuation"])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--limit", type=int, default=10_000, help="real documents")
    parser.add_argument("--planted", type=int, default=2_000, help="variants of them")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="do not measure speeds")
    args = parser.parse_args()
    if args.command == "punctuation":
        punctuation()
    elif args.command == "golden":
        for name in args.names or GOLDEN:
            golden(name)
    else:
        sys.exit(0 if check(args.names or list(COMPARED), args) else 1)


if __name__ == "__main__":
    main()
