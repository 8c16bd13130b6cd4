#!/usr/bin/env python3
"""Damages tokenizer.json files of every kind in every way and loads each with Hugging Face tokenizers and with flowrun: what both load must encode some fifty
texts to the same ids, tokens, offsets and decoded text.

    compare_mutations.py [--count N] [--seed N] [--tool FILE] [--keep FOLDER]      N damaged files

Prints JSON lines: how many files ended in each way; the reasons for which flowrun refuses files that the library loads, with their number; what the library
refuses and flowrun loads; the first difference. Exits with 1 if ids differ, or flowrun ends or hangs. --keep writes the files of those three kinds.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile

import tokenizers
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "plugins/tokenizers/common/pipeline"
sys.path[:0] = [str(ROOT / "bench")]
from common import BUILD  # noqa: E402

BATCH = 250
SECONDS = 120  # for a batch: the slowest file of a sound one takes a second
MEMORY_BYTES = 6 << 30
VALUES = [None, True, False, -1, 0, 1, 2, 7, 255, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64, 1e300, -0.5, 0.1, "", "a", " ", "\0", "\u2581", "Ġ", "[UNK]", "<s>", "y" * 300, [], {},
          [1, "a"], {"a": 1}, {"String": " "}, {"Regex": "\\s+"}, "always", "never", "first", "Isolated", "Removed", "MergedWithNext", "Left", "Right"]
KEYS = ["type", "vocab", "merges", "unk_token", "id", "content", "pattern", "extra", "behavior", "invert", "dropout", "use_regex", "add_prefix_space", "trim_offsets", "normalized", "special"]


class Pairs(list):
    """An object as its pairs, so that a key may stand twice."""


def to_pairs(value):
    if isinstance(value, dict):
        return Pairs([key, to_pairs(item)] for key, item in value.items())
    return [to_pairs(item) for item in value] if isinstance(value, list) else value


def to_text(value):
    if isinstance(value, Pairs):
        return "{" + ",".join(json.dumps(key, ensure_ascii=False) + ":" + to_text(item) for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(to_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def places(value, found):
    """Every place that holds a value: (list, index), where an object's pair is a list too."""
    for index, item in enumerate(value):
        slot = (item, 1) if isinstance(value, Pairs) else (value, index)
        found.append(slot)
        if isinstance(slot[0][slot[1]], list):
            places(slot[0][slot[1]], found)
    return found


def pick(root, draw):
    """Most places are in the vocabulary; the components deserve as many."""
    part = draw.choice(root)[1] if draw.random() < 0.75 else root
    found = places(part, []) if isinstance(part, list) else []
    return draw.choice(found or places(root, []))


def changed_string(text, draw):
    at = draw.randrange(len(text) + 1)
    return draw.choice([text[:at] + text[at + 1 :], text[:at] + draw.choice(["x", " ", "\0", "é", "\u2581", "\\"]) + text[at:], text.upper(), text[::-1], text * 2])


def mutate(root, draw):
    holder, index = pick(root, draw)
    value, kind = holder[index], draw.randrange(8)
    if kind == 0:
        holder[index] = to_pairs(draw.choice(VALUES))
    elif kind == 1 and isinstance(value, list) and value:
        del value[draw.randrange(len(value)) :: draw.choice([1, 10**9])]  # cut short, or one taken out
    elif kind == 2 and isinstance(value, list) and value:
        value.insert(draw.randrange(len(value) + 1), json_copy(draw.choice(value)))
    elif kind == 3 and isinstance(value, Pairs):
        value.insert(draw.randrange(len(value) + 1), [draw.choice(KEYS), to_pairs(draw.choice(VALUES))])
    elif kind == 4 and isinstance(value, Pairs) and value:
        pair = draw.choice(value)
        pair[0] = draw.choice([changed_string(pair[0], draw), draw.choice(KEYS)])
    elif isinstance(value, str):
        holder[index] = changed_string(value, draw)
    elif isinstance(value, bool):
        holder[index] = not value
    elif isinstance(value, (int, float)):
        holder[index] = draw.choice([value + 1, value - 1, value * 2, -value, value + 0.5])
    else:
        other, at = pick(root, draw)
        holder[index], other[at] = json_copy(other[at]), json_copy(value)


def json_copy(value):
    return Pairs(json_copy(item) for item in value) if isinstance(value, Pairs) else [json_copy(item) for item in value] if isinstance(value, list) else value


def damaged(files, draw):
    """Returns the text of a damaged file."""
    root = to_pairs(draw.choice(files))
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        mutate(root, draw)
    text = to_text(root)
    if draw.random() < 0.12:
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(text))
            text = text[:at] + chr(draw.randrange(1, 0x100)) + text[at + 1 :]
    return text[: draw.randrange(len(text))] if draw.random() < 0.02 else text


# ---- the peer, in a process of its own: it may panic, and it may end


def answer_of_peer(text, texts):
    try:
        tokenizer = Tokenizer.from_str(text)
    except BaseException as error:  # a panic is no Exception
        return {"refused": str(error)}
    answers = []
    for one in texts:
        try:
            encoding = tokenizer.encode(one)
            answers.append([encoding.ids, encoding.tokens, encoding.offsets, tokenizer.decode(encoding.ids)])
        except BaseException:
            answers.append(None)
    return answers


def work(texts_path):
    texts = json.loads(pathlib.Path(texts_path).read_text(encoding="utf-8"))
    for line in sys.stdin:
        print(json.dumps(answer_of_peer(json.loads(line), texts)), flush=True)


def answers(command, files):
    """Yields an answer for each file; None where the process ended or hung on it."""
    while files:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as lines:
            lines.write("".join(json.dumps(file) + "\n" for file in files))
            lines.seek(0)
            limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))  # noqa: E731
            try:
                output = subprocess.run(command, stdin=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS, preexec_fn=limit).stdout
            except subprocess.TimeoutExpired as expired:
                output = expired.stdout or b""
        given = [json.loads(line) for line in output.decode("utf-8").split("\n")[:-1]]
        yield from given
        if len(given) < len(files):
            yield None
        files = files[len(given) + 1 :]


# ---- outcomes

PLACE = re.compile(r"^tokenizer\.json: (merges\[|'.+' (is|has|names|adds|needs)|the key|the file|is nested|is not JSON.*line \d+, column \d+)|in '.+' of tokenizer\.json", re.DOTALL)


def reason(message):
    """A message without what differs from file to file."""
    message = message.split("\n")[0].replace("tokenizer.json: ", "")
    message = re.sub(r"^'model\.vocab\[.*\]'", "'model.vocab[N]'", message)
    message = re.sub(r"which is the id of .*", "which is the id of another", message)
    message = re.sub(r"is [\[{].*, expected", "is …, expected", message)
    message = re.sub(r'"(?:[^"\\]|\\.)*"(\.\.\.)?', '"…"', message)
    message = re.sub(r"\[\d+\]", "[N]", message)
    message = re.sub(r"is not JSON.*", "is not JSON", message)
    message = re.sub(r" is [^,]*, (expected|which)", r" is …, \1", message)
    message = re.sub(r"'[^']*' is not a key that is known here", "a key that is not known here", message)
    return re.sub(r"-?\d[\d.e+]*", "N", message)[:160]


def class_of(ours, theirs):
    """Returns how a file ended, and of a difference what was found and expected."""
    if ours is None:
        return "flowrun_ended", None
    if theirs is None:
        return "peer_ended", None
    refused = isinstance(ours, dict), isinstance(theirs, dict)
    if any(refused):
        return {(True, True): "refused_by_both", (True, False): "refused_by_flowrun", (False, True): "refused_by_peer"}[refused], None
    outcome = "equal"
    for index, (found, expected) in enumerate(zip(ours, theirs, strict=True)):
        if found is not None and expected is not None and found != expected:
            return "different", {"text": index, "found": found, "expected": expected}
        if (found is None) != (expected is None):
            outcome = "equal_but_texts_refused_by_flowrun" if found is None else "equal_but_texts_refused_by_peer"
    return outcome, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tool", default=BUILD / "bin/flowrun_tokenizer_tool")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work)
        return
    draw = random.Random(arguments.seed)
    files = list(json.loads((PIPELINE / "testdata/tokenizers.json").read_text(encoding="utf-8")).values())
    texts = json.loads((PIPELINE / "testdata/texts.json").read_text(encoding="utf-8"))["texts"][:50]
    outcomes, reasons, first = collections.Counter(), collections.Counter(), None
    placeless, by_peer = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        texts_path = pathlib.Path(folder) / "texts.json"
        texts_path.write_text(json.dumps(texts), encoding="utf-8")
        for begin in range(0, arguments.count, BATCH):
            batch = [damaged(files, draw) for _ in range(min(BATCH, arguments.count - begin))]
            ours = answers([arguments.tool, "files", texts_path], batch)
            theirs = answers([sys.executable, __file__, "--work", str(texts_path)], batch)
            for number, (file, found, expected) in enumerate(zip(batch, ours, theirs, strict=True), begin):
                outcome, difference = class_of(found, expected)
                outcomes[outcome] += 1
                if difference:
                    first = first or {"file": number, **difference}
                if isinstance(found, dict):
                    if outcome == "refused_by_flowrun":
                        reasons[reason(found["refused"])] += 1
                    if not PLACE.search(found["refused"]):
                        placeless[reason(found["refused"])] += 1
                if outcome == "refused_by_peer":
                    by_peer[reason(expected["refused"])] += 1
                if arguments.keep and outcome in ("different", "flowrun_ended", "refused_by_peer", "equal_but_texts_refused_by_flowrun", "equal_but_texts_refused_by_peer"):
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    (arguments.keep / f"{outcome}-{number}.json").write_text(file, encoding="utf-8")
    peer = f"tokenizers {tokenizers.__version__}"
    print(json.dumps({"name": "mutations", "peer": peer, "seed": arguments.seed, "files": arguments.count, "texts": len(texts), **dict(outcomes.most_common()), "first_difference": first}))
    for name, counter in (("refused_by_flowrun", reasons), ("refused_by_peer", by_peer), ("refused_without_a_place", placeless)):
        for text, count in counter.most_common():
            print(json.dumps({"name": f"mutations.{name}", "reason": text, "files": count}, ensure_ascii=False))
    sys.exit(1 if outcomes["different"] or outcomes["flowrun_ended"] else 0)


if __name__ == "__main__":
    main()
