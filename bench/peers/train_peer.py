"""Trains a Hugging Face model from scratch on random tokens and prints its speed: what train_speed.py runs beside flowrun.

    python train_peer.py torch_eager|hf_trainer '{"config": {...}, "batch_size": 8, "sequence_length": 256}' STEPS WARM_UP_STEPS
"""

import json
import os
import statistics
import sys
import tempfile
import time

import torch
import transformers


def make_model(config):
    torch.manual_seed(0)
    options = {key: value for key, value in config.items() if key not in ("architectures", "model_type", "torch_dtype", "dtype", "transformers_version")}
    return transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(config["model_type"], **options, use_cache=False), attn_implementation="sdpa")


def torch_eager(model, tokens, batch_size):
    """The plainest loop that does the same work: forward, loss, backward, clipping, AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    model.train()
    times = [time.perf_counter()]
    for step in range(len(tokens) // batch_size):
        ids = tokens[step * batch_size:(step + 1) * batch_size]
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        times.append(time.perf_counter())
    return times


def hf_trainer(model, tokens, batch_size):
    times = [time.perf_counter()]

    class Clock(transformers.TrainerCallback):
        def on_step_end(self, *arguments, **more):
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        options = transformers.TrainingArguments(
            output_dir=folder, per_device_train_batch_size=batch_size, max_steps=len(tokens) // batch_size, learning_rate=1e-3, adam_beta2=0.95, weight_decay=0.1,
            lr_scheduler_type="cosine", logging_steps=10, save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True)
        transformers.Trainer(model=model, args=options, train_dataset=[{"input_ids": row, "labels": row} for row in tokens], callbacks=[Clock()]).train()
    return times


def main():
    kind, shape, steps, warm_up = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    model = make_model(shape["config"])
    tokens = torch.randint(0, shape["config"]["vocab_size"], (steps * shape["batch_size"], shape["sequence_length"]))
    times = {"torch_eager": torch_eager, "hf_trainer": hf_trainer}[kind](model, tokens, shape["batch_size"])
    seconds = statistics.median(after - before for before, after in zip(times[warm_up:], times[warm_up + 1:]))
    targets = shape["batch_size"] * (shape["sequence_length"] - 1)  # as flowrun counts: a row has one target less than tokens
    print(json.dumps({"tokens_per_second": targets / seconds, "torch": torch.__version__, "transformers": transformers.__version__,
                      "parameters": sum(p.numel() for p in model.parameters())}))


if __name__ == "__main__":
    main()
