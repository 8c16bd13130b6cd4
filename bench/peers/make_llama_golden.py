"""Writes framework/train/testdata/llama.safetensors: weights of a tiny random LlamaForCausalLM, ids, and the logits that transformers gives for
them, causal and bidirectional. The tests compare the blocks with it.

Run in an environment with torch, transformers and safetensors; the file in the repository was made with torch 2.15.0, transformers 5.23.0.
"""

import argparse
import pathlib

import torch
import transformers
from safetensors.torch import save_file

parser = argparse.ArgumentParser()
parser.add_argument("--out", default=str(pathlib.Path(__file__).parents[2] / "framework/train/testdata/llama.safetensors"))
arguments = parser.parse_args()

torch.manual_seed(1)
tensors = {}
for is_causal in (True, False):
    config = transformers.LlamaConfig(
        vocab_size=40, hidden_size=24, intermediate_size=64, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2, head_dim=4,
        max_position_embeddings=64, rms_norm_eps=1e-5, rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True, initializer_range=0.3)
    config.is_causal = is_causal
    model = transformers.LlamaForCausalLM(config).eval()
    if tensors:
        model.load_state_dict({name[len("weights."):]: value for name, value in tensors.items() if name.startswith("weights.")}, strict=False)
        model.tie_weights()
    else:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "norm" in name:
                    parameter.uniform_(0.5, 1.5)
                tensors["weights." + name] = parameter.detach().clone()
        tensors["ids"] = torch.randint(0, 40, (3, 33))
    with torch.no_grad():
        tensors["logits.causal" if is_causal else "logits.bidirectional"] = model(tensors["ids"]).logits.float()
assert not torch.allclose(tensors["logits.causal"], tensors["logits.bidirectional"])
save_file(tensors, arguments.out, metadata={"transformers": transformers.__version__, "torch": torch.__version__})
