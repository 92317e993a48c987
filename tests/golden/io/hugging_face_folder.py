"""Writes data/tiny_llama, a model folder as transformers saves it: bfloat16, in several files.

    pip install torch==2.13.0 transformers==5.23.0 && python tests/golden/io/hugging_face_folder.py

tiny_llama.json beside it says of every tensor {"dtype", "shape", "numbers"}.
"""

import json
import pathlib
import shutil

import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(1)
config = LlamaConfig(vocab_size=8, hidden_size=4, intermediate_size=6, num_hidden_layers=2, num_attention_heads=2,
                     num_key_value_heads=1, max_position_embeddings=16, tie_word_embeddings=False)
model = LlamaForCausalLM(config).to(torch.bfloat16)
folder = pathlib.Path(__file__).parents[1] / "data" / "tiny_llama"
shutil.rmtree(folder, ignore_errors=True)
model.save_pretrained(folder, max_shard_size=300)
(folder / "generation_config.json").unlink(missing_ok=True)
expected = {name: {"dtype": "BF16", "shape": list(tensor.shape), "numbers": tensor.float().flatten().tolist()}
            for name, tensor in model.state_dict().items()}
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(expected.items()))
(folder.parent / "tiny_llama.json").write_text("{\n" + lines + "\n}\n")
