#!/usr/bin/env python3
"""Puts the tokenizer that graphs/tokenizer.toml trains beside those that Hugging Face tokenizers, rustbpe and sentencepiece train on the same
text with as many tokens, and checks every figure of the report that flowrun writes.

    compare_quality.py [--vocab-size N] [--without-sentencepiece]

`quality.bytes_per_token`: for each domain of the held-out text, bytes per token by the ids that each library gives itself. sentencepiece
learns from lines (its own rule) and spells bytes that it does not know, line feeds among them, one by one.
`quality.report`: the report of flowrun on these and on the tokenizers of many kinds in plugins/tokenizers/common/pipeline/testdata, beside
the same figures computed here from the ids and offsets of Hugging Face tokenizers. Prints JSON lines; exits with 1 if any figure differs.
"""

import argparse
import collections
import importlib.metadata
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unicodedata

import regex
import rustbpe
import sentencepiece
import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "bench/peers")]
from common import FLOWRUN  # noqa: E402
from compare_bpe import BYTES, PRE_TOKENIZER, SPECIALS, peer_train  # noqa: E402

VERSIONS = {name: importlib.metadata.version(name) for name in ("tokenizers", "rustbpe", "sentencepiece")}
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
SPELLING = {byte: character for character, byte in BYTES.items()}


def emit(name, **values):
    print(json.dumps({"name": name, **values, "versions": VERSIONS}), flush=True)


# ---------------------------------------------------------------- flowrun
def run_graph(folder, *settings):
    """Runs graphs/tokenizer.toml, with its documents beside the report, and returns the run's folder; what it has run before is used again."""
    graph = folder / "quality.toml"
    writers = "".join(f'[node.{part}]\nplugin = "writers/jsonl"\nin = "parts.{part}"\npath = "{part}.jsonl"\n' for part in ("train", "heldout"))
    graph.write_text(f'include = ["{ROOT}/graphs/tokenizer.toml"]\n[run]\nbase = "{ROOT}/graphs"\n{writers}', encoding="utf-8")
    options = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([FLOWRUN, graph, "--output", folder / "run", "--artifacts", folder / "artifacts", "-q", *options], check=True, stdout=subprocess.DEVNULL)
    return folder / "run"


def documents_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


# ---------------------------------------------------------------- the peers
def train_rustbpe(texts, vocab_size):
    """Returns the tokenizer, and the same as a tokenizer.json: its ids are 3 more, since special tokens come first here."""
    trained = rustbpe.Tokenizer()
    trained.train_from_iterator(iter(texts), vocab_size - len(SPECIALS), pattern=GPT2_PATTERN)
    ranks = {bytes(token): rank for token, rank in trained.get_mergeable_ranks()}

    def spelt(token):
        return "".join(SPELLING[byte] for byte in token)

    merges = []
    for token in sorted(ranks, key=ranks.get):
        parts = [token[i:i + 1] for i in range(len(token))]
        while len(parts) > 2:
            rank, at = min((ranks.get(parts[i] + parts[i + 1], math.inf), i) for i in range(len(parts) - 1))
            assert rank < ranks[token]
            parts[at:at + 2] = [parts[at] + parts[at + 1]]
        if len(parts) == 2:
            merges.append(tuple(map(spelt, parts)))
    vocab = {**{token: i for i, token in enumerate(SPECIALS)}, **{spelt(token): rank + len(SPECIALS) for token, rank in ranks.items()}}
    file = tokenizers.Tokenizer(tokenizers.models.BPE(vocab, merges))
    file.pre_tokenizer, file.decoder = PRE_TOKENIZER, tokenizers.decoders.ByteLevel()
    file.add_special_tokens(SPECIALS)
    return trained, file


def train_sentencepiece(texts, vocab_size, folder):
    """Learns from lines: sentencepiece takes no line feed inside a sentence."""
    lines = (line for text in texts for line in text.split("\n") if line)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=lines, model_prefix=str(folder / "peer"), model_type="bpe", vocab_size=vocab_size, byte_fallback=True, character_coverage=1.0,
                                             normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False, max_sentence_length=1 << 20, num_threads=1, minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "peer.model"))


def bytes_per_token(documents, count_tokens):
    """Returns {domain: figure}, and "all"."""
    sizes, tokens = collections.Counter(), collections.Counter()
    for document in documents:
        n = count_tokens(document["text"])
        for domain in (document["domain"], "all"):
            sizes[domain] += len(document["text"].encode())
            tokens[domain] += n
    return {domain: sizes[domain] / tokens[domain] for domain in sizes}


# ---------------------------------------------------------------- every figure of a report, computed again
def components(component):
    if isinstance(component, dict):
        yield component
        for key in ("pretokenizers", "decoders", "normalizers"):
            for inner in component.get(key, []):
                yield from components(inner)


def texts_of_tokens(file):
    """Returns {id: bytes that it stands for} and the ids of special tokens."""
    model = file["model"]
    every = [c for key in ("normalizer", "pre_tokenizer", "decoder") for c in components(file.get(key))]
    byte_level = any(c["type"] == "ByteLevel" for c in every)
    space = next((c["replacement"] for c in every if c["type"] == "Metaspace"), None)
    for c in components(file.get("decoder")):
        if c["type"] == "Replace" and c["content"] == " " and "String" in c["pattern"]:
            space = c["pattern"]["String"]

    def text(token):
        if byte_level and all(c in BYTES for c in token):
            return bytes(BYTES[c] for c in token)
        if model.get("byte_fallback") and regex.fullmatch("<0x[0-9A-F]{2}>", token):
            return bytes.fromhex(token[3:5])
        prefix, suffix = model.get("continuing_subword_prefix") or "", model.get("end_of_word_suffix") or ""
        if prefix and token.startswith(prefix) and token != prefix:
            token = token[len(prefix):]
        if suffix and token.endswith(suffix) and token != suffix:
            token = token[:-len(suffix)]
        return (token.replace(space, " ") if space else token).encode()

    vocab = {piece: i for i, (piece, _) in enumerate(model["vocab"])} if isinstance(model["vocab"], list) else model["vocab"]
    texts = {id: text(token) for token, id in vocab.items()}
    added = file.get("added_tokens") or []
    texts.update({token["id"]: token["content"].encode() for token in added})
    return texts, {token["id"] for token in added if token["special"]}


def is_utf8(data):
    try:
        data.decode()
        return True
    except UnicodeDecodeError:
        return False


def printable(data, most=80):
    text, out = data.decode(errors="surrogateescape"), ""
    for i, c in enumerate(text):
        if i == most:
            return out + "..."
        if 0xDC80 <= ord(c) <= 0xDCFF:
            out += f"\\x{ord(c) - 0xDC00:02X}"
        elif c in "\n\t\r\\":
            out += {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}[c]
        else:
            out += c if c == " " or unicodedata.category(c)[0] not in "ZC" else f"\\u{{{ord(c):X}}}"
    return out


def over(a, b):
    return a / b if b else None


def figures(texts, encodings, stands_for, unknown):
    """Computes the figures of some documents."""
    words, continued = 0, 0
    for text, encoding in zip(texts, encodings, strict=True):
        word_at, spans = [None] * len(text), [match.span() for match in regex.finditer(r"\P{White_Space}+", text)]
        for i, span in enumerate(spans):
            word_at[slice(*span)] = [i] * (span[1] - span[0])
        pieces = collections.Counter(word for begin, end in encoding.offsets for word in set(word_at[begin:end]) - {None})
        words += len(spans)
        continued += sum(n > 1 for n in pieces.values())
    ids = [id for encoding in encodings for id in encoding.ids]
    lengths = sorted(len(encoding.ids) for encoding in encodings)
    size, characters = sum(len(text.encode()) for text in texts), sum(map(len, texts))
    single, partial, unknowns = (sum(map(test, ids)) for test in (lambda id: len(stands_for[id]) == 1, lambda id: not is_utf8(stands_for[id]), lambda id: id == unknown))
    per_document = {"mean": over(len(ids), len(texts)), "min": lengths[0], **{f"p{p}": lengths[math.ceil(p * len(lengths) / 100) - 1] for p in (10, 50, 90, 99)}, "max": lengths[-1]}
    return ({"documents": len(texts), "bytes": size, "characters": characters, "words": words},
            {"tokens": len(ids), "bytes_per_token": over(size, len(ids)), "characters_per_token": over(characters, len(ids)), "fertility": over(len(ids), words),
             "continued_words": continued, "continued_word_share": over(continued, words), "single_byte_tokens": single, "single_byte_share": over(single, len(ids)),
             "partial_character_tokens": partial, "partial_character_share": over(partial, len(ids)), "unknown_tokens": unknowns, "unknown_share": over(unknowns, len(ids)),
             "tokens_per_document": per_document})


def vocabulary(counts, stands_for, special, longest):
    ordinary = sorted(set(stands_for) - special)
    unused = [id for id in ordinary if not counts[id]]
    end = max(stands_for) + 1
    width = math.ceil(end / 16)
    ranges = [{"first": a, "last": min(a + width, end) - 1, "tokens": sum(a <= id < a + width for id in ordinary), "unused": sum(a <= id < a + width for id in unused)} for a in range(0, end, width)]
    by_bytes = collections.defaultdict(lambda: [0, 0])
    for id in ordinary:
        by_bytes[len(stands_for[id])][0] += 1
        by_bytes[len(stands_for[id])][1] += counts[id]
    return {"size": len(stands_for), "special": len(special), "partial_characters": sum(not is_utf8(stands_for[id]) for id in ordinary), "used": len(ordinary) - len(unused),
            "used_once": sum(counts[id] == 1 for id in ordinary), "unused": {"count": len(unused), "share": over(len(unused), len(ordinary)), "by_range": ranges, "ids": unused[:100]},
            "longest": [{"id": id, "bytes": len(stands_for[id]), "count": counts[id], "text": printable(stands_for[id])} for id in sorted(ordinary, key=lambda id: (-len(stands_for[id]), id))[:longest]],
            "token_bytes": [{"bytes": n, "vocabulary": a, "tokens": b} for n, (a, b) in sorted(by_bytes.items())]}


def distribution(counts, size):
    total = sum(counts.values())
    shares = [n / total for n in counts.values()]
    renyi = math.log2(math.fsum(p**2.5 for p in shares)) / (1 - 2.5)
    cover = {}
    for percent in (90, 95, 99):
        covered = 0
        for n, count in enumerate(sorted(counts.values(), reverse=True), 1):
            covered += count
            if covered * 100 >= percent * total:
                cover[str(percent)] = n
                break
    return {"entropy_bits": math.fsum(-p * math.log2(p) for p in shares), "renyi_order": 2.5, "renyi_entropy_bits": renyi, "renyi_efficiency": renyi / math.log2(size), "ids_to_cover_percent": cover}


def expected_report(path, documents, longest):
    """Returns a tokenizer's part of the report, and what the report says of the text."""
    file, peer = json.loads(pathlib.Path(path).read_text(encoding="utf-8")), tokenizers.Tokenizer.from_file(str(path))
    peer.encode_special_tokens = True
    peer.no_truncation()
    peer.no_padding()
    stands_for, special = texts_of_tokens(file)
    model = file["model"]
    unknown = model.get("unk_id") if model["type"] == "Unigram" else peer.token_to_id(model["unk_token"]) if model.get("unk_token") else None
    encodings = peer.encode_batch([document["text"] for document in documents], add_special_tokens=False)
    domains, text = {}, {}
    for domain in sorted({document["domain"] for document in documents}):
        chosen = [i for i, document in enumerate(documents) if document["domain"] == domain]
        text[domain], domains[domain] = figures([documents[i]["text"] for i in chosen], [encodings[i] for i in chosen], stands_for, unknown)
    text_total, total = figures([document["text"] for document in documents], encodings, stands_for, unknown)
    counts = collections.Counter(id for encoding in encodings for id in encoding.ids)
    return {"model": model["type"], "domains": domains, "total": total, "vocabulary": vocabulary(counts, stands_for, special, longest),
            "distribution": distribution(counts, len(stands_for))}, {"domains": text, "total": text_total}


def differences(found, expected, place=""):
    """Yields (place, found, expected) of every figure that differs, and counts the figures. Sums of logarithms may differ in their last digits."""
    if isinstance(expected, dict) and isinstance(found, dict) and set(found) == set(expected):
        for key in expected:
            yield from differences(found[key], expected[key], f"{place}.{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        for i, pair in enumerate(zip(found, expected, strict=True)):
            yield from differences(*pair, f"{place}[{i}]")
    else:
        differences.figures += 1
        rounded = ".distribution." in place and isinstance(found, float) and isinstance(expected, float)
        if found != expected and not (rounded and math.isclose(found, expected, rel_tol=1e-12)):
            yield place, found, expected


def check_report(report, paths, documents, longest=20):
    differences.figures, wrong = 0, []
    for part, path in zip(report["tokenizers"], paths, strict=True):
        expected, text = expected_report(path, documents, longest)
        name = part.pop("name")
        del part["file"]
        wrong += list(differences(part, expected, name)) + list(differences(report["text"], text, "text"))
    for part, baseline in zip(report["comparison"], report["tokenizers"][1:], strict=True):
        ratios = {"domains": {domain: over(baseline["domains"][domain]["tokens"], own["tokens"]) for domain, own in report["tokenizers"][0]["domains"].items()},
                  "total": over(baseline["total"]["tokens"], report["tokenizers"][0]["total"]["tokens"])}
        wrong += differences(part["bytes_per_token_ratio"], ratios, "comparison." + part["baseline"])
    emit("quality.report", tokenizers_in_report=len(paths), documents=len(documents), figures=differences.figures, different=len(wrong), first=wrong[0] if wrong else None)
    return not wrong


# ---------------------------------------------------------------- main
def compare(folder, arguments):
    size = f"node.vocabulary.vocab_size={arguments.vocab_size}"
    run = run_graph(folder, size)
    train, heldout = ([*documents_of(run / f"{part}.jsonl")] for part in ("train", "heldout"))
    texts = [document["text"] for document in train]
    ours = run / "tokenizer/tokenizer.json"

    peer = peer_train(texts, arguments.vocab_size)
    peer.save(str(folder / "peer-tokenizers.json"))
    rust, rust_file = train_rustbpe(texts, arguments.vocab_size)
    rust_file.save(str(folder / "peer-rustbpe.json"))
    own = tokenizers.Tokenizer.from_file(str(ours))
    for tokenizer in (peer, own, rust_file):
        tokenizer.encode_special_tokens = True
    counters = {"flowrun": lambda text: len(own.encode(text, add_special_tokens=False).ids), "tokenizers": lambda text: len(peer.encode(text, add_special_tokens=False).ids),
                "rustbpe": lambda text: len(rust.encode(text))}
    if not arguments.without_sentencepiece:
        pieces = train_sentencepiece(texts, arguments.vocab_size, folder)
        counters["sentencepiece"] = lambda text: len(pieces.encode(text))
    results = {name: bytes_per_token(heldout, count) for name, count in counters.items()}
    for domain in sorted(results["flowrun"]):
        emit("quality.bytes_per_token", domain=domain, vocab_size=arguments.vocab_size, **{name: round(result[domain], 4) for name, result in results.items()},
             **{f"ratio_{name}": round(results["flowrun"][domain] / result[domain], 4) for name, result in results.items() if name != "flowrun"})
    same = all([id + len(SPECIALS) for id in rust.encode(document["text"])] == rust_file.encode(document["text"], add_special_tokens=False).ids for document in heldout)
    emit("quality.rustbpe_file", ids_equal=same, documents=len(heldout))

    kinds = json.loads((ROOT / "plugins/tokenizers/common/pipeline/testdata/tokenizers.json").read_text(encoding="utf-8"))
    for name, file in kinds.items():
        (folder / f"kind-{name}.json").write_text(json.dumps(file, ensure_ascii=False), encoding="utf-8")
    baselines = sorted(str(path) for path in folder.glob("*.json"))
    kept = folder / "own.json"
    kept.write_bytes(ours.read_bytes())     # the run's folder is set aside by the next run
    report = json.loads((run_graph(folder, size, f"node.report.baselines={json.dumps(baselines)}") / "tokenizer-report.json").read_text(encoding="utf-8"))
    return check_report(report, [kept, *baselines], heldout) and same


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab-size", type=int, default=8192)
    parser.add_argument("--without-sentencepiece", action="store_true", help="its training takes minutes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if compare(pathlib.Path(folder), arguments) else 1)


if __name__ == "__main__":
    main()
