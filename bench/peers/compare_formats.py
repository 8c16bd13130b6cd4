#!/usr/bin/env python3
"""Compares what tokenizers/load makes of rank files and sentencepiece models with tiktoken and sentencepiece: ids must be equal, on real and random texts,
from `flowrun tokenize`, from the encoders of documents and from Hugging Face tokenizers, which must load the tokenizer.json.

    cmake --build build --target flowrun_formats_tool
    compare_formats.py [--texts N] [--seed N] [--data FOLDER]      N texts for each tokenizer, half of them from the folder's files

The published encodings are those of the package quicktok-v1, written as rank files whose SHA-256 must be tiktoken's; without it, only ranks trained here.
Prints a JSON line for each tokenizer; exits with 1 if any text differs for a reason that is not known. Two are, both of what a tokenizer.json can say of a
sentencepiece model, and counted apart: `normalized` (Precompiled replaces graphemes, sentencepiece the longest match) and `tied` (paths whose scores are equal
within the rounding of sentencepiece's floats).
"""

import argparse
import base64
import hashlib
import importlib.util
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import sentencepiece
import tiktoken
import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from common import BUILD, FLOWRUN  # noqa: E402

TOOL = BUILD / "bin/flowrun_formats_tool"
RANKS = ROOT / "plugins/tokenizers/common/models/testdata/ranks.tiktoken"
RANGES = [(0, 0x80), (0x80, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x780), (0x900, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2100), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4),
          (0xF900, 0x10000), (0x10000, 0x11FFF), (0x1F300, 0x1FAFF), (0xE0000, 0xE01F0)]
PIECES = [" ", "  ", "\n", "\t", "\r\n", "'s", "'LL", "the", " and", "123", "4567", "\u2581", "<s>", "</s>", "<unk>", "<0x0A>", "<pad>", "<sep>", "<mask><sep>", "<|endoftext|>",
          "<|begin_of_text|>", "\u200b", "e\u0301", "\u1100\u1161", "\ufb01", "\uff21", ".", "...", "=====", "aaaaaaa", "/", "$", "\u0130", "\u017f"]


def random_texts(count, seed):
    """Texts of one or more scripts, white space, punctuation and what tokenizers treat in a way of its own."""
    r = random.Random(seed)

    def character(group):
        c = r.randrange(*group)
        return "" if 0xD800 <= c < 0xE000 else chr(c)

    for _ in range(count):
        groups = r.choices(RANGES, k=r.choice([1, 1, 2, 4]))
        share = r.choice([0.1, 0.5, 0.9])
        yield "".join(character(r.choice(groups)) if r.random() < share else r.choice(PIECES) for _ in range(r.randrange(40)))


def read_lines(folder):
    """Lines and paragraphs of the folder's files."""
    texts = []
    for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        texts += text.split("\n") + text.split("\n\n")
    return [text[:2000] for text in texts]


def run(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{command}: {result.stderr}")
    return result.stdout


def ways_to_ids(file, model_type, documents, original, pattern, texts):
    """The ways, each with a function that gives the ids of all texts and whether it finds special tokens in them."""
    def tool():
        return [json.loads(line) for line in run(TOOL, "encode", file, model_type, documents).split("\n")[:-1]]

    def command():
        options = ["--pattern", pattern] if pattern else []
        lines = run(FLOWRUN, "tokenize", "--tokenizer", original, *options, "--jsonl", documents).split("\n")[:-1]
        return [json.loads(line)["ids"] for line in lines]

    def peer(encode_special_tokens):
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
        tokenizer.encode_special_tokens = encode_special_tokens
        return [encoding.ids for encoding in tokenizer.encode_batch(texts)]

    return {"documents": (tool, False), "tokenize": (command, True), "tokenizers": (lambda: peer(True), False), "tokenizers_found": (lambda: peer(False), True)}


def compare(name, original, pattern, model_type, texts, expected, expected_found, explain, folder, **versions):
    """`expected_found` are the ids where special tokens in texts are found, or None where the format's own software has no such thing."""
    file, documents = pathlib.Path(folder, "tokenizer.json"), pathlib.Path(folder, "texts.jsonl")
    file.write_text(run(TOOL, "convert", original, *([pattern] if pattern else [])), encoding="utf-8")
    documents.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
    counts, first = {}, None
    for way, (give, finds_special) in ways_to_ids(file, model_type, documents, original, pattern, texts).items():
        wanted = expected_found if finds_special else expected
        if wanted is None:
            continue
        counts[way] = {"different": 0, "normalized": 0, "tied": 0}
        for text, ours, theirs in zip(texts, give(), wanted, strict=True):
            if ours != theirs:
                reason = explain(text, ours, theirs)
                counts[way][reason] += 1
                if reason == "different":
                    first = first or {"way": way, "text": text, "found": ours, "expected": theirs}
    print(json.dumps({"name": f"formats.{name}", "texts": len(texts), "ways": counts, "first": first, "tokenizers": tokenizers.__version__, **versions}), flush=True)
    return first is None


# ---------------------------------------------------------------- ranks of tiktoken
CL100K = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
LLAMA3 = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERNS = {  # as tiktoken 0.14.0 and the publishers of Llama 3 and Qwen2 have them
    "gpt2": r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""",
    "cl100k": CL100K,
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + CONTRACTION + r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + CONTRACTION +
             r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "llama3": LLAMA3,
    "qwen2": LLAMA3.replace("{1,3}", ""),
}
SPECIALS = {
    "cl100k": {"<|endoftext|>": 100257, "<|fim_prefix|>": 100258, "<|fim_middle|>": 100259, "<|fim_suffix|>": 100260, "<|endofprompt|>": 100276},
    "o200k": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    "llama3": {"<|begin_of_text|>": 128000, "<|end_of_text|>": 128001, "<|start_header_id|>": 128006, "<|end_header_id|>": 128007, "<|eot_id|>": 128009},
}
DIGESTS = {"cl100k": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", "o200k": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
           "llama3": "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55"}


def write_ranks(path, ranks):
    text = "".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in sorted(ranks.items(), key=lambda item: item[1]))
    pathlib.Path(path).write_text(text, encoding="ascii")
    return hashlib.sha256(text.encode()).hexdigest()


def published_ranks(name):
    """The ranks of an encoding in quicktok's package: a count, then length, bytes and rank of each token."""
    spec = importlib.util.find_spec("quicktok")
    path = pathlib.Path(spec.origin).parent / f"data/{name}.vocab" if spec else None
    if path is None or not path.exists():
        return None
    data, ranks, at = path.read_bytes(), {}, 4
    for _ in range(struct.unpack_from("<I", data)[0]):
        length = struct.unpack_from("<H", data, at)[0]
        token = data[at + 2:at + 2 + length]
        ranks[token] = struct.unpack_from("<I", data, at + 2 + length)[0]
        at += 6 + length
    return ranks


def shuffled(ranks, seed):
    """The ranks in another order but for bytes: many tokens are then made of tokens with larger ranks, or of none."""
    longer = [token for token in ranks if len(token) > 1]
    order = longer[:]
    random.Random(seed).shuffle(order)
    return {token: rank for token, rank in ranks.items() if len(token) == 1} | {token: ranks[other] for token, other in zip(order, longer)}


def compare_ranks(texts_of, folder):
    trained = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in RANKS.read_text().splitlines())}
    cases = [(f"trained_{pattern}", trained, pattern, pattern) for pattern in PATTERNS]
    cases += [("shuffled_gpt2", shuffled(trained, 1), "gpt2", "gpt2"), ("shuffled_cl100k", shuffled(trained, 2), "cl100k", "cl100k")]
    for name, pattern in [("cl100k", "cl100k"), ("o200k", "o200k"), ("llama3", "llama3"), ("qwen3", "qwen2")]:
        ranks = published_ranks(name)
        if ranks is None:
            print(json.dumps({"name": f"formats.ranks.{name}", "skipped": "the package quicktok-v1 is not there"}), flush=True)
        else:
            cases.append((name, ranks, pattern, "" if name in DIGESTS else pattern))
    equal = True
    for name, ranks, pattern, option in cases:
        path = pathlib.Path(folder, "ranks")
        digest = write_ranks(path, ranks)
        if name in DIGESTS and digest != DIGESTS[name]:
            raise SystemExit(f"the ranks of {name} in quicktok have the SHA-256 {digest}, expected {DIGESTS[name]}")
        texts = texts_of(name)
        peer = tiktoken.Encoding(name, pat_str=PATTERNS[pattern], mergeable_ranks=ranks, special_tokens=SPECIALS.get(name, {}))
        ordinary = peer.encode_ordinary_batch(texts, num_threads=1)
        found = peer.encode_batch(texts, num_threads=1, allowed_special="all")
        equal = compare(f"ranks.{name}", path, option, "BPE", texts, ordinary, found, lambda *_: "different", folder, tiktoken=tiktoken.__version__) and equal
    return equal


# ---------------------------------------------------------------- models of sentencepiece
MODELS = {
    "unigram": {},
    "unigram_bytes": {"byte_fallback": True, "pad_id": 3},
    "unigram_identity": {"normalization_rule_name": "identity", "remove_extra_whitespaces": False, "byte_fallback": True},
    "unigram_bare": {"normalization_rule_name": "identity", "add_dummy_prefix": False},
    "unigram_nfkc": {"normalization_rule_name": "nfkc_cf", "add_dummy_prefix": False, "remove_extra_whitespaces": False},
    "unigram_symbols": {"normalization_rule_name": "identity", "user_defined_symbols": ["<sep>", "<mask><sep>", "and", "\u2581\u2581", "12"], "bos_id": -1, "eos_id": -1},
    "unigram_splits": {"normalization_rule_name": "identity", "split_by_whitespace": False, "split_digits": True, "vocab_size": 2000},
    "bpe": {"model_type": "bpe"},
    "bpe_llama": {"model_type": "bpe", "normalization_rule_name": "identity", "byte_fallback": True, "split_digits": True, "remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True},
    "bpe_bare": {"model_type": "bpe", "normalization_rule_name": "identity", "add_dummy_prefix": False, "character_coverage": 0.98},
    "bpe_symbols": {"model_type": "bpe", "normalization_rule_name": "identity", "user_defined_symbols": ["<sep>", "<mask><sep>", "and", "\u2581\u2581", "12"], "byte_fallback": True},
    "bpe_nmt": {"model_type": "bpe", "normalization_rule_name": "nmt_nfkc", "user_defined_symbols": ["<sep>"], "byte_fallback": True},
}


def explain_by(model, file):
    """Names the known reason why ids differ, if it is one."""
    has_charsmap, is_unigram = model.has_charsmap, model.is_unigram
    loaded = []  # the file is written only when the comparison has begun

    def explain(text, ours, theirs):
        if has_charsmap:
            if not loaded:
                loaded.append(tokenizers.Tokenizer.from_file(str(file)).normalizer)
            if loaded[0].normalize_str(text) != model.normalize(text):
                return "normalized"
        if is_unigram:
            def score(ids):
                return sum(model.unknown_score if i == model.unk_id() else model.get_score(i) for i in ids)
            # A float has 24 bits; each addition may lose half a unit of the sum.
            if abs(score(ours) - score(theirs)) <= abs(score(theirs)) * len(theirs) * 2.0**-24:
                return "tied"
        return "different"

    return explain


def compare_models(texts_of, folder, data):
    corpus = pathlib.Path(folder, "corpus.txt")
    corpus.write_text("\n".join(line for path in sorted(pathlib.Path(data).rglob("*.txt"))[:8] for line in path.read_text(encoding="utf-8", errors="ignore")[:150_000].split("\n")), encoding="utf-8")
    equal = True
    for name, options in MODELS.items():
        prefix = f"{folder}/{name}"
        sentencepiece.SentencePieceTrainer.train(input=str(corpus), model_prefix=prefix, num_threads=1, minloglevel=2, hard_vocab_limit=False, **{"vocab_size": 3000, **options})
        model = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
        model.has_charsmap, model.is_unigram = options.get("normalization_rule_name") != "identity", options.get("model_type") != "bpe"
        model.unknown_score = min(model.get_score(i) for i in range(model.get_piece_size())) - 10
        texts = texts_of(name)
        expected = model.EncodeAsIds(texts)
        equal = compare(f"sentencepiece.{name}", f"{prefix}.model", "", "Unigram" if model.is_unigram else "BPE", texts, expected, None, explain_by(model, pathlib.Path(folder, "tokenizer.json")), folder,
                        sentencepiece=sentencepiece.__version__) and equal
    return equal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default=ROOT / "data/books")
    parser.add_argument("--only", choices=["ranks", "sentencepiece"])
    arguments = parser.parse_args()
    lines = read_lines(arguments.data)
    equal = True

    def texts_of(name):
        seed = f"{arguments.seed} {name}"
        real = random.Random(seed).sample(lines, min(arguments.texts // 2, len(lines)))
        return real + list(random_texts(arguments.texts - len(real), seed))

    with tempfile.TemporaryDirectory() as folder:
        if arguments.only != "sentencepiece":
            equal = compare_ranks(texts_of, folder) and equal
        if arguments.only != "ranks":
            equal = compare_models(texts_of, folder, arguments.data) and equal
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
