#!/usr/bin/env python3
"""Tokens a second of training: the default graph beside the Hugging Face Trainer and a plain torch loop, on the same architecture, batch, optimizer
and threads, in turn in one run. All three get the memory settings of glibc that are best for torch (flowrun sets its own anyway).

    bench/train_speed.py PYTHON [--steps N] [--repeats N] [--graph FILE]      PYTHON: one with torch, transformers and accelerate

flowrun's figure is the median over the steps after the first ones (timing.jsonl); the peers' likewise. Ratios are of neighbours.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import tomllib

from common import FLOWRUN, ROOT, emit

WARM_UP_STEPS = 8
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592", "MALLOC_TOP_PAD_": "1073741824"}


def flowrun_speed(graph, steps, threads, folder):
    """Trains for `steps` steps into `folder`; returns tokens a second."""
    settings = {"node.train.steps": steps, "node.train.warmup_steps": 1, "node.perplexity.every_steps": 0, "node.perplexity.max_tokens": 1000, "node.checkpoint.every_steps": 0}
    command = [FLOWRUN, "run", graph, "--fresh", "-q", "--json", "--threads", str(threads), "--output", folder]
    command += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **MALLOC})
    lines = [json.loads(line) for line in (folder / "timing.jsonl").read_text(encoding="utf-8").splitlines()]
    return statistics.median(line["tokens_per_second"] for line in lines if line["step"] > WARM_UP_STEPS)


def peer_speed(python, kind, shape, steps, threads):
    environment = {**os.environ, **MALLOC, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    command = [python, ROOT / "bench/peers/train_peer.py", kind, json.dumps(shape), str(steps), str(WARM_UP_STEPS)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip().splitlines()[-1] if result.stderr.strip() else f"exit code {result.returncode}")
    return json.loads(result.stdout.splitlines()[-1])


def shape_of(run):
    """What the peers must train: the model's own config.json, and the batch that the graph says."""
    nodes = tomllib.loads((run / "run.toml").read_text(encoding="utf-8"))["node"]
    config = json.loads((run / "model/config.json").read_text(encoding="utf-8"))
    return {"config": config, "batch_size": nodes["loss"]["batch_size"], "sequence_length": nodes["sequences"]["sequence_length"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--graph", default=ROOT / "graphs/pretrain.toml")
    arguments = parser.parse_args()

    found, failed, extra = {"flowrun": [], "torch_eager": [], "hf_trainer": []}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        for _ in range(arguments.repeats):
            found["flowrun"].append(flowrun_speed(arguments.graph, arguments.steps, arguments.threads, run))
            shape = shape_of(run)
            for kind in ("torch_eager", "hf_trainer"):
                if kind in failed:
                    continue
                try:
                    result = peer_speed(arguments.python, kind, shape, arguments.steps, arguments.threads)
                except RuntimeError as error:
                    failed[kind] = str(error)
                    continue
                found[kind].append(result.pop("tokens_per_second"))
                extra[kind] = result
    common = {"threads": arguments.threads, "precision": "fp32"}
    for kind, values in found.items():
        emit(f"train.{kind}", "tokens/s", values, **common, **extra.get(kind, {}), **({"failed": failed[kind]} if kind in failed else {}))
    for kind in ("torch_eager", "hf_trainer"):
        if found[kind]:
            emit(f"train.ratio_to_{kind}", "flowrun/peer", [ours / theirs for ours, theirs in zip(found["flowrun"], found[kind])], **common)


if __name__ == "__main__":
    main()
