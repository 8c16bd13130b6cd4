#!/usr/bin/env python3
"""Compares what flowrun makes with the software that defines it: models and perplexity with transformers, the tokenizer with tokenizers, filter
decisions with datatrove, scores of texts with Python and Perl, readers with Python's json and csv, with gutenbergpy, warcio, FastWARC and datatrove, Parquet files with pyarrow, token
shards with numpy and safetensors. Called by `make parity`, which has run the default graph before; run it in the environment of requirements.txt.

Every comparison prints JSON lines; exits with 1 if one of them says no.
"""

import json
import os
import pathlib
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("FLOWRUN_BUILD", ROOT / "build"))
PARITY_GRAPH = HERE / "parity.toml"


def succeeds(*command, **options):
    print("+", *command, file=sys.stderr, flush=True)
    return subprocess.run(command, cwd=ROOT, **options).returncode == 0


def train(output, *settings):
    """Runs the parity graph into `output`; what it has run before is used again."""
    return succeeds(BUILD / "bin/flowrun", PARITY_GRAPH, "--output", output, *settings, stdout=subprocess.DEVNULL)


def compare_model(run, sequence_length, documents, *more):
    return succeeds(sys.executable, HERE / "compare_model.py", run, "--documents", documents, "--sequence-length", str(sequence_length), *more)


def sequence_length():
    expanded = subprocess.run([BUILD / "bin/flowrun", "graph", "--expand", PARITY_GRAPH], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tomllib.loads(expanded)["node"]["sequences"]["sequence_length"]


def main():
    causal, masked = "runs/parity", "runs/parity-mlm"
    length, documents = sequence_length(), f"{causal}/heldout.jsonl"
    passed = {
        "model_causal": train(causal) and compare_model(causal, length, documents, "--logits", f"{causal}/logits.safetensors"),
        "model_masked": train(masked, "--set", "node.loss.plugin=objectives/mlm")
        and compare_model(masked, length, f"{masked}/heldout.jsonl", "--logits", f"{masked}/logits.safetensors"),
        # The run that `make run` left: it keeps no logits, but its perplexity on the same documents must be what transformers finds.
        "model_pretrain": compare_model("runs/pretrain", length, documents),
    }
    tools = succeeds("cmake", "--build", BUILD, "--target", "flowrun_bpe_tool", "flowrun_formats_tool", "flowrun_tokenizer_tool", "flowrun_filter_tool", "flowrun_fasttext_tool", "flowrun_pii_tool", "flowrun_words_tool", "flowrun_minhash_tool", "flowrun_text_scores_tool", "flowrun_reader_tool")
    passed["tokenizer"] = tools and succeeds(sys.executable, HERE / "compare_bpe.py", "check", "--tool", BUILD / "bin/flowrun_bpe_tool", "--text", "data/books")
    passed["tokenizers"] = tools and succeeds(sys.executable, HERE / "compare_tokenizers.py")
    passed["tokenizer_formats"] = tools and succeeds(sys.executable, HERE / "compare_formats.py")
    passed["tokenizer_report"] = succeeds(sys.executable, HERE / "compare_quality.py", "--without-sentencepiece")
    passed["trainers"] = succeeds(sys.executable, HERE / "compare_trainers.py", "--megabytes", "3", "--repeats", "1")
    passed["damaged_tokenizers"] = tools and succeeds(sys.executable, HERE / "compare_mutations.py")
    passed["filters"] = tools and succeeds(sys.executable, HERE / "compare_filters.py", "check", "--no-speed")
    passed["deduplication"] = tools and succeeds(sys.executable, HERE / "compare_dedup.py", "check", "--limit", "3000", "--no-speed")
    passed["decontamination"] = tools and succeeds(sys.executable, HERE / "compare_decontaminate.py", "check", "--limit", "3000", "--no-speed")
    passed["pii"] = tools and succeeds(sys.executable, HERE / "compare_pii.py", "check", "--no-speed")
    passed["minhash"] = tools and succeeds(sys.executable, HERE / "compare_minhash.py", "check", "--documents", "3000")
    passed["fasttext"] = tools and succeeds(sys.executable, HERE / "compare_fasttext.py", "check", "--limit", "2000", "--no-speed") and succeeds(sys.executable, HERE / "compare_fasttext.py", "damage")
    passed["text_scores"] = tools and succeeds(sys.executable, HERE / "compare_text_scores.py", "--tool", BUILD / "bin/flowrun_text_scores_tool", "--text", "data/books", "--repeats", "1")
    passed["jsonl"] = tools and succeeds(sys.executable, HERE / "compare_jsonl.py")
    passed["csv"] = tools and succeeds(sys.executable, HERE / "compare_csv.py", "--megabytes", "20")
    passed["gutenberg"] = tools and succeeds(sys.executable, HERE / "compare_gutenberg.py")
    passed["latex"] = succeeds(sys.executable, HERE / "compare_latex.py")
    passed["code"] = succeeds(sys.executable, HERE / "compare_code.py")
    passed["mediawiki"] = tools and succeeds(sys.executable, HERE / "compare_mediawiki.py", "--megabytes", "5", "--repeats", "1")
    passed["stackexchange"] = tools and succeeds(sys.executable, HERE / "compare_stackexchange.py", "--megabytes", "5", "--repeats", "1")
    passed["warc"] = tools and succeeds(sys.executable, HERE / "compare_warc.py", "--megabytes", "0")
    passed["parquet"] = succeeds(sys.executable, HERE / "compare_parquet.py")
    passed["token_shards"] = succeeds(sys.executable, HERE / "compare_shards.py")
    print(json.dumps({"name": "parity", **passed}))
    sys.exit(0 if all(passed.values()) else 1)


if __name__ == "__main__":
    main()
