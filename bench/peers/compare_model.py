"""Loads what a training run left in Hugging Face transformers and compares it with what flowrun measured itself:

- the logits that evaluators/logits wrote, token by token (with --logits);
- for a causal model, the loss of the last evaluators/perplexity in metrics.jsonl: documents cut in windows, every token but a window's first.

    python compare_model.py RUN --documents RUN/heldout.jsonl --logits RUN/logits.safetensors --sequence-length 256

`--documents` is the JSONL of the held-out documents (writers/jsonl), which both evaluators read in this order. Prints one JSON line and exits
with 1 where logits differ by more than 1e-4 or the loss by more than 1e-3 relative.
"""

import argparse
import json
import math
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file


def read_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def logits_difference(model, encoded, logits):
    """Greatest difference over all tensors, each of which may be cut at the end."""
    greatest, tokens = 0.0, 0
    for document_id, expected in logits.items():
        ids = encoded[document_id][: expected.shape[0]]
        with torch.no_grad():
            found = model(torch.tensor([ids])).logits[0].float()
        greatest = max(greatest, (found - expected).abs().max().item())
        tokens += len(ids)
    return greatest, tokens


def windowed_loss(model, documents, length):
    total, scored = 0.0, 0
    for ids in documents:
        for begin in range(0, len(ids), length):
            window = torch.tensor([ids[begin : begin + length]])
            if window.shape[1] < 2:
                continue
            with torch.no_grad():
                logits = model(window).logits[0, :-1].double()
            total += torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum").item()
            scored += window.shape[1] - 1
    return total / scored, scored


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--documents", type=pathlib.Path, required=True)
    parser.add_argument("--logits", type=pathlib.Path)
    parser.add_argument("--sequence-length", type=int, required=True)
    arguments = parser.parse_args()

    model = transformers.AutoModelForCausalLM.from_pretrained(arguments.run / "model", dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.run / "model")
    documents = read_jsonl(arguments.documents)
    # A document that holds "<|endoftext|>" holds these characters, not that token (docs/decisions/0006-text-is-data.md).
    encoded = {document["id"]: tokenizer(document["text"], add_special_tokens=False, split_special_tokens=True)["input_ids"] for document in documents}

    result = {
        "name": "parity.model", "run": str(arguments.run), "transformers": transformers.__version__, "torch": torch.__version__,
        "is_causal": getattr(model.config, "is_causal", True),
    }
    passed = True
    if arguments.logits:
        difference, tokens = logits_difference(model, encoded, load_file(arguments.logits))
        result.update(logits_tokens=tokens, logits_max_difference=difference)
        passed = tokens > 0 and difference <= 1e-4
    if result["is_causal"]:
        loss, scored = windowed_loss(model, [encoded[document["id"]] for document in documents], arguments.sequence_length)
        lines = [line for line in read_jsonl(arguments.run / "metrics.jsonl") if line["kind"] == "eval" and line["domain"] == "all"]
        expected = lines[-1]
        result.update(loss=loss, perplexity=math.exp(loss), tokens=scored, flowrun_perplexity=expected["perplexity"], flowrun_tokens=expected["tokens"],
                      perplexity_relative_difference=abs(math.exp(loss) / expected["perplexity"] - 1))
        passed = passed and scored == expected["tokens"] and result["perplexity_relative_difference"] <= 1e-3
    result["passed"] = passed
    print(json.dumps(result))
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
