#!/usr/bin/env python3
"""Compares flowrun's byte-level BPE with Hugging Face tokenizers (and in speed with tiktoken): pre-tokens, merges, files and ids must be equal.

    pip install tokenizers==0.23.3 tiktoken==0.14.0
    cmake --build build --target flowrun_bpe_tool
    bench/peers/compare_bpe.py check --tool build/bin/flowrun_bpe_tool --text data        # exit 1 where anything differs
    bench/peers/compare_bpe.py speed --tool build/bin/flowrun_bpe_tool --text data
    bench/peers/compare_bpe.py golden                                                     # rewrites the testdata of plugins/tokenizers

--text takes files and folders; every file of valid UTF-8 is a document, cut into pieces of 20,000 characters. Every result is one JSON
line on stdout.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from tokenizers import Regex, Tokenizer, __version__, decoders, models, pre_tokenizers, processors, trainers

SPECIALS = ["<|endoftext|>", "<|pad|>", "<|mask|>"]
PLUGINS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "plugins", "tokenizers")
PRE_TOKENIZER = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
EXPRESSION = r"\w+|[^\w\s]"     # white space lies between the matches
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


# ---------------------------------------------------------------- theirs
def peer_tokenizer(split=None):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = PRE_TOKENIZER
    if split:
        t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.post_processor = processors.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    return t


def peer_train(documents, vocab_size, min_frequency=0, split=None, specials=()):
    t = peer_tokenizer(split)
    t.train_from_iterator(documents, trainers.BpeTrainer(
        vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=[*SPECIALS, *specials], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return t


def peer_ids(tokenizer, documents):
    tokenizer.encode_special_tokens = True      # special tokens in text are text, as in flowrun
    return [e.ids for e in tokenizer.encode_batch(documents, add_special_tokens=False)]


def peer_sizes(text):
    return [len(text[a:b].encode()) for _, (a, b) in PRE_TOKENIZER.pre_tokenize_str(text)]


# ---------------------------------------------------------------- ours
def run_tool(tool, folder, documents, before, after=()):
    path = os.path.join(folder, "documents.jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(d, ensure_ascii=False) + "\n" for d in documents)
    result = subprocess.run([tool, *before, path, *after], capture_output=True, text=True, encoding="utf-8")
    if result.returncode:
        sys.exit(result.stderr)
    return result.stdout, json.loads(result.stderr) if result.stderr else {}


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


# ---------------------------------------------------------------- texts
def read_documents(paths):
    files = []
    for path in paths:
        files += [os.path.join(d, n) for d, _, names in os.walk(path) for n in names] if os.path.isdir(path) else [path]
    documents = []
    for name in sorted(files):
        try:
            text = open(name, encoding="utf-8", newline="").read()
        except (UnicodeDecodeError, OSError):
            continue
        documents += [text[i:i + 20000] for i in range(0, len(text), 20000)]
    return documents


def random_texts(n, seed):
    r = random.Random(seed)
    pools = [[chr(c) for c in range(128)], list(" \t\n\r\v\f\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u3000\u200b\ufeff"), list("'strevmlldSTREV "),
             [chr(c) for c in range(0x80, 0x3000)], [chr(c) for c in range(0x300, 0x370)], [chr(c) for c in range(0x1F300, 0x1FA00)] + ["\u200d", "\ufe0f"],
             list("0123456789²½Ⅷ٣") + [" "], list("abc XYZ"), [chr(c) for c in range(0x4E00, 0x9FFF)], ["a", "b", "aa", "ab"], None]
    for _ in range(n):
        weights = [r.random() ** 3 for _ in pools]
        chosen = r.choices(pools, weights, k=r.choice([1, 2, 3, 5, 10, 30, 80]))
        yield "".join(chr(r.choice(SCALARS)) if p is None else r.choice(p) for p in chosen)


def emit(name, **values):
    print(json.dumps({"name": name, **values, "tokenizers": __version__}), flush=True)


# ---------------------------------------------------------------- commands
def check(a):
    """Compares everything; returns whether all of it is equal."""
    ok = True

    def report(name, equal, **values):
        nonlocal ok
        ok = ok and equal
        emit(name, equal=equal, **values)

    with tempfile.TemporaryDirectory() as folder:
        every = ["a{0} {0}1{0}!{0}".format(chr(c)) for c in SCALARS]      # shows the class of each code point, and what a space before it does
        texts = every + list(random_texts(a.random, a.seed))
        ours = json_lines(run_tool(a.tool, folder, texts, ["pretokens"])[0])
        wrong = [t for t, sizes in zip(texts, ours, strict=True) if sizes != peer_sizes(t)]
        report("bpe.pretokens", not wrong, texts=len(texts), seed=a.seed, first=ascii(wrong[:3]))
        documents = read_documents(a.text) + list(random_texts(a.random // 10, a.seed + 1))
        size = sum(len(d.encode()) for d in documents)
        for vocab_size, min_frequency in ((a.vocab_size, 0), (a.vocab_size * 4, 2)):
            peer = peer_train(documents, vocab_size, min_frequency)
            file, _ = run_tool(a.tool, folder, documents, ["train", str(vocab_size), str(min_frequency)])
            report("bpe.train", file == peer.to_str(pretty=True), vocab_size=vocab_size, min_frequency=min_frequency, text_bytes=size)
            path = os.path.join(folder, "tokenizer.json")
            peer.save(path)
            texts = documents + list(random_texts(a.random // 10, a.seed + 2)) + [f"{s} {s}" for s in SPECIALS]
            ours = json_lines(run_tool(a.tool, folder, texts, ["encode", path])[0])
            report("bpe.encode", ours == peer_ids(peer, texts), vocab_size=vocab_size, texts=len(texts))
    return ok


def speed(a):
    """Times training and encoding beside the peers, on the same text, one thread each."""
    import tiktoken
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    documents = read_documents(a.text)
    mb = sum(len(d.encode()) for d in documents) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tokenizer.json")
        for _ in range(a.repeats):
            start = time.perf_counter()
            peer = peer_train(documents, a.vocab_size)
            seconds = time.perf_counter() - start
            _, ours = run_tool(a.tool, folder, documents, ["train", str(a.vocab_size), "0"])
            emit("bpe.train.speed", text_mb=mb, vocab_size=a.vocab_size, seconds=ours["seconds"], tokenizers_seconds=seconds,
                 ratio=seconds / ours["seconds"], counter_bytes=ours["counter_bytes"])
            peer.save(path)
            ranks = {bytes(BYTES[c] for c in token): i for token, i in peer.get_vocab().items() if i >= len(SPECIALS)}
            tik = tiktoken.Encoding("peer", pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s", mergeable_ranks=ranks, special_tokens={})
            start = time.perf_counter()
            tokens = sum(len(tik.encode_ordinary(d)) for d in documents)
            tiktoken_rate = mb / (time.perf_counter() - start)
            start = time.perf_counter()
            for d in documents:
                peer.encode(d, add_special_tokens=False)
            peer_rate = mb / (time.perf_counter() - start)
            _, ours = run_tool(a.tool, folder, documents, ["encode", path], ["quiet"])
            emit("bpe.encode.speed", text_mb=mb, mb_per_s=ours["mb_per_s"], tiktoken_mb_per_s=tiktoken_rate, tokenizers_mb_per_s=peer_rate,
                 ratio_tiktoken=ours["mb_per_s"] / tiktoken_rate, ratio_tokenizers=ours["mb_per_s"] / peer_rate, tokens_equal=ours["tokens"] == tokens)
    return True


def bytes_of_characters():
    """GPT-2's printable characters, to their bytes."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


BYTES = bytes_of_characters()


def golden(a):
    """Writes the golden files of the unit tests from the peer alone."""
    common, trainer = (os.path.join(PLUGINS, p, "testdata") for p in ("common", "bpe_trainer"))

    def write(folder, name, lines):
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as f:
            f.writelines(line + "\n" for line in lines)

    def char_class(c):      # what it forms one pre-token with
        return next((name for name, before in (("letter", "a"), ("number", "1"), ("other", "!")) if len(PRE_TOKENIZER.pre_tokenize_str(before + chr(c))) == 1), "space")

    ranges, last = [], None
    for c in SCALARS:
        if (name := char_class(c)) != last:
            ranges.append(f"{c:06x} {name}")
        last = name
    write(common, "char_classes.txt", ranges)

    texts = ["", " ", "  ", "   a", "a  b", "\n\n a", "it's we'll I'M they've 'd'", "'s 't're x'", "12 34abc", " \u00a0x", "x\u0085y", "a\u2028\u2029b", "e\u0301", "<|endoftext|>"]
    texts += random_texts(386, a.seed)
    write(common, "gpt2_pretokens.jsonl", [json.dumps({"text": t, "sizes": peer_sizes(t)}) for t in texts])

    documents = open(os.path.join(trainer, "corpus.txt"), encoding="utf-8", newline="").read().split("\n\n")
    peer = peer_train(documents, 1200)
    with open(os.path.join(common, "tokenizer.json"), "w", encoding="utf-8", newline="\n") as f:
        f.write(peer.to_str(pretty=True))
    frequent = peer_train(documents, 1200, 40)
    write(trainer, "merges_min_frequency_40.jsonl", [json.dumps(m, ensure_ascii=False) for m in json.loads(frequent.to_str())["model"]["merges"]])
    for name, split, specials in (("cl100k", CL100K, ["<|im_start|>", "<|im_end|>"]), ("expression", EXPRESSION, [])):
        with open(os.path.join(trainer, f"tokenizer_{name}.json"), "w", encoding="utf-8", newline="\n") as f:
            f.write(peer_train(documents, 400, split=split, specials=specials).to_str(pretty=True))
    texts += documents[::40] + ["aaaaaaaaaaaaaaaaaaaaaaaaa" * 9, "<|endoftext|><|pad|> <|mask|>"]
    write(common, "ids.jsonl", [json.dumps({"text": t, "ids": ids}) for t, ids in zip(texts, peer_ids(peer, texts))])
    return True


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("command", choices=["check", "speed", "golden"])
    p.add_argument("--tool", default="build/bin/flowrun_bpe_tool")
    p.add_argument("--text", nargs="+", default=[], help="files and folders")
    p.add_argument("--vocab-size", type=int, default=8192)
    p.add_argument("--random", type=int, default=50000, help="random texts")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--repeats", type=int, default=3)
    a = p.parse_args()
    sys.exit(0 if {"check": check, "speed": speed, "golden": golden}[a.command](a) else 1)


if __name__ == "__main__":
    main()
