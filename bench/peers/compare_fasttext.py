#!/usr/bin/env python3
"""Compares predictions of fastText models with those of the fasttext library: every label and probability of every text, and the speed.

    pip install -r bench/peers/requirements.txt
    cmake --build build --target flowrun_fasttext_tool
    bench/peers/compare_fasttext.py check [NAME ...] [--limit 10000]
    bench/peers/compare_fasttext.py damage [--count 400]      # seeded damages of models: each is refused with its place, or read
    bench/peers/compare_fasttext.py golden                    # rewrites the models and answers in plugins/filters/common/fasttext/testdata

NAME is lid.176 (Facebook's model for languages, quantized and pruned) or one of the models that the library trains here: with every loss, n-grams of characters and words, quantized
and pruned ones. One JSON line for each; exits with 1 where a probability differs in any bit. Speeds are of processor time on one core, both sides in turn, three times.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import fasttext
from filter_documents import documents
from lid_model import lid_model

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, ROOT, cpu  # noqa: E402

TOOL = BUILD / "bin/flowrun_fasttext_tool"
TESTDATA = ROOT / "plugins/filters/common/fasttext/testdata"
REPEATS = 3
SPEED_BYTES = 4_000_000
QUIET = {"verbose": 0, "thread": 12}  # with fewer than eleven threads the wheel leaves part of its matrix as malloc gave it
# name -> (training arguments, arguments of quantize or None)
TRAINED = {
    "softmax": ({"dim": 100}, None),
    "softmax_ngrams": ({"dim": 20, "wordNgrams": 3, "minn": 2, "maxn": 5, "bucket": 50_000, "minCount": 3}, None),
    "characters_alone": ({"dim": 7, "minn": 1, "maxn": 3, "bucket": 1000, "minCount": 100_000}, None),
    "hierarchical": ({"dim": 16, "loss": "hs", "minn": 2, "maxn": 4, "bucket": 30_000}, None),
    "negative_sampling": ({"dim": 12, "loss": "ns"}, None),
    "one_versus_all": ({"dim": 10, "loss": "ova", "wordNgrams": 2, "bucket": 20_000}, None),
    "quantized": ({"dim": 9, "wordNgrams": 2, "bucket": 20_000}, {"qnorm": False}),
    "quantized_all": ({"dim": 10, "minn": 3, "maxn": 4, "bucket": 5_000}, {"qnorm": True, "qout": True, "dsub": 4}),
    "pruned": ({"dim": 16, "loss": "hs", "minn": 2, "maxn": 4, "bucket": 30_000}, {"cutoff": 4_000, "qnorm": True}),
}


def kind_of(text):
    """A label that has to do with the text."""
    words = text.split()
    return f"{'code' if text.count(';') > len(words) / 20 else 'prose'}{min(len(words) // 40, 150)}"


def train(folder, name, texts, arguments, quantization):
    lines = folder / "train.txt"
    more_labels = quantization is not None and quantization.get("qout")  # quantizing needs 256 rows
    lines.write_text("".join(f"__label__{kind_of(text)}{f'_{i % 300}' if more_labels else ''} {' '.join(text.split())}\n" for i, text in enumerate(texts)), encoding="utf-8")
    model = fasttext.train_supervised(str(lines), lr=0.1, epoch=3, **arguments, **QUIET)
    if quantization is not None:
        model.quantize(input=str(lines), **quantization)
    path = folder / f"{name}.{'bin' if quantization is None else 'ftz'}"
    model.save_model(str(path))
    return path


def model_path(folder, name, texts):
    return lid_model() if name == "lid.176" else train(folder, name, texts[:2000], *TRAINED[name])


def odd_lines(draw):
    """What a reader of words may get wrong."""
    yield from ("", " ", "\t\v\f\r ", "</s>", "a </s> b", "__label__prose0 word", "x __label__unknown y", "a\x00b c\x00", "ﬁ ſ \U0001f600 中文字", "<a> >b<", "é", "a" * 5000)
    for _ in range(200):
        yield "".join(chr(draw.choice([32, 9, 0x85, 0xA0, 0x3000, draw.randrange(33, 127), draw.randrange(0xA1, 0x250), draw.randrange(0x4E00, 0x4F00)])) for _ in range(draw.randrange(80)))


def lines_of(limit):
    return [text.replace("\n", " ") for text in documents(limit)] + list(odd_lines(random.Random(5)))


def run_tool(*arguments, texts=()):
    stdin = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    return subprocess.run([str(TOOL), *map(str, arguments)], input=stdin, capture_output=True, check=True, encoding="utf-8").stdout.split("\n")[:-1]


def expect(model, text):
    labels, probabilities = model.predict(text, k=-1)
    return dict(zip((label.removeprefix("__label__") for label in labels), map(float, probabilities)))


def measure(model, path, texts):
    sample, size = [], 0
    for text in texts:
        sample.append(text)
        size += len(text.encode())
        if size > SPEED_BYTES:
            break
    ours, theirs = [], []
    for _ in range(REPEATS):
        start = time.process_time()
        for text in sample:
            model.predict(text)
        theirs.append(size / 1e6 / (time.process_time() - start))
        ours.append(size / 1e6 / float(run_tool(path, "--seconds", texts=sample)[0]))
    return sorted(ours), sorted(theirs)


def compare(name, path, texts, speed):
    model = fasttext.load_model(str(path))
    answers = [json.loads(line) for line in run_tool(path, texts=texts)]
    expected = [expect(model, text) for text in texts]
    wrong = [i for i, (e, f) in enumerate(zip(expected, answers, strict=True)) if e != f]
    for i in wrong[:3]:
        print(json.dumps({"name": name, "expected": expected[i], "found": answers[i], "text": texts[i]})[:3000], file=sys.stderr)
    figures = {"documents": len(texts), "probabilities": sum(map(len, expected)), "different": len(wrong)}
    if speed:
        ours, theirs = measure(model, path, texts)
        figures |= {"flowrun_mb_per_s": [round(x, 1) for x in ours], "fasttext_mb_per_s": [round(x, 2) for x in theirs], "ratio": round(ours[REPEATS // 2] / theirs[REPEATS // 2], 1)}
    print(json.dumps({"name": f"fasttext.{name}", "unit": "documents", "value": len(texts) - len(wrong), "cpu": cpu(), **figures}), flush=True)
    return not wrong


def check(args):
    texts = lines_of(args.limit)
    with tempfile.TemporaryDirectory() as folder:
        equal = [compare(name, model_path(pathlib.Path(folder), name, texts), texts, args.speed) for name in args.names or ["lid.176", *TRAINED]]
    return all(equal)


def damaged(data, draw):
    """A cut, flipped bits, or a number of four bytes overwritten by an extreme one; where it begins, half the time in the first 4 KiB, where the sizes are."""
    out = bytearray(data)
    at = draw.randrange(min(len(data), 4096) if draw.random() < 0.5 else len(data))
    kind = draw.randrange(3)
    if kind == 0:
        return bytes(out[:at])
    if kind == 1:
        for _ in range(draw.randrange(1, 9)):
            out[min(at + draw.randrange(64), len(out) - 1)] ^= 1 << draw.randrange(8)
    else:
        out[at:at + 4] = draw.choice([b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00", b"\x00\x00\xc0\x7f"])
    return bytes(out)


def damage(args):
    """Every damaged model is read, or refused in one message with a byte; what is read predicts what the tool then says without failing."""
    draw, texts = random.Random(9), lines_of(400)
    counts = {"read": 0, "refused": 0, "other": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        models = [train(folder, kind, [text[:400] for text in texts[:400]], {**arguments, "bucket": min(arguments.get("bucket", 0), 2000)}, quantization and {**quantization, "cutoff": min(quantization.get("cutoff", 0), 600)})
                  for kind, (arguments, quantization) in TRAINED.items()]
        contents = [path.read_bytes() for path in models] + [lid_model().read_bytes()]
        for i in range(args.count):
            path = folder / f"damaged{i}"
            path.write_bytes(damaged(contents[i % len(contents)], draw))
            process = subprocess.run([str(TOOL), str(path), "--check", str(path)], capture_output=True, encoding="utf-8", timeout=60)
            answer = json.loads(process.stdout) if process.returncode == 0 else "failed"
            kind = "read" if answer is None else "refused" if "at byte" in answer or "expected a supervised model" in answer else "other"
            if kind == "read":  # the library may crash on such a file; this must not
                used = subprocess.run([str(TOOL), str(path)], input="".join(json.dumps({"text": t}) + "\n" for t in texts[:20]), capture_output=True, encoding="utf-8", timeout=60)
                kind = "read" if used.returncode == 0 or "weights are too large" in used.stderr else "other"
            if kind == "other":
                print(json.dumps({"damage": i, "returncode": process.returncode, "answer": answer}), file=sys.stderr)
            counts[kind] += 1
            path.unlink()
    print(json.dumps({"name": "fasttext.damage", "unit": "models", "value": args.count - counts["other"], "cpu": cpu(), "damaged": args.count, **counts}))
    return counts["other"] == 0


def golden():
    """Small models, each of another kind, of invented words, and what the library says of some lines."""
    draw = random.Random(3)
    topics = [["".join(draw.choice("aeioubdfglmnprst") for _ in range(draw.randrange(2, 8))) for _ in range(40)] for _ in range(4)]
    sentences = [(topic, " ".join(draw.choice(topics[topic]) for _ in range(draw.randrange(3, 12)))) for topic in (draw.randrange(4) for _ in range(400))]
    TESTDATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        lines = pathlib.Path(name) / "train.txt"
        lines.write_text("".join(f"__label__topic{topic} {text}\n" for topic, text in sentences))
        asked = [text for _, text in sentences[:12]] + [a + " " + b for (_, a), (_, b) in zip(sentences[:8], sentences[20:])] + ["", "zzz", "a </s> b", "é 中文 " + sentences[3][1]]
        made = {"softmax.bin": ({"dim": 4, "wordNgrams": 2, "bucket": 100}, None), "hierarchical.bin": ({"dim": 4, "loss": "hs", "minn": 2, "maxn": 3, "bucket": 100}, None),
                "one_versus_all.bin": ({"dim": 4, "loss": "ova"}, None), "pruned.ftz": ({"dim": 4, "loss": "hs", "minn": 2, "maxn": 4, "bucket": 900}, {"cutoff": 300, "qnorm": True})}
        answers = []
        for file, (arguments, quantization) in made.items():
            model = fasttext.train_supervised(str(lines), lr=0.5, epoch=10, **arguments, **QUIET)
            if quantization:
                model.quantize(input=str(lines), **quantization)
            model.save_model(str(TESTDATA / file))
            model = fasttext.load_model(str(TESTDATA / file))
            answers += [json.dumps({"model": file, "text": text, "probabilities": expect(model, text)}, ensure_ascii=False) + "\n" for text in asked]
    (TESTDATA / "answers.jsonl").write_text("".join(answers), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "damage", "golden"])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--limit", type=int, default=10_000, help="real documents")
    parser.add_argument("--count", type=int, default=400, help="damages")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="do not measure speeds")
    args = parser.parse_args()
    if args.command == "golden":
        golden()
    else:
        sys.exit(0 if {"check": check, "damage": damage}[args.command](args) else 1)


if __name__ == "__main__":
    main()
