"""Writes data/hf_llama, a tiny Llama as transformers saves it, and data/hf_llama.json: what it makes of some tokens.

    pip install torch==2.13.0 transformers==5.23.0 && python tests/golden/model/hugging_face.py

Grouped queries, heads that do not fill the width, Llama 3's rope scaling, an output layer of its own.
"""

import json
import pathlib
import shutil

import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(1)
config = LlamaConfig(
    vocab_size=24, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=4, max_position_embeddings=64, tie_word_embeddings=False, rms_norm_eps=1e-6,
    rope_parameters={"rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0,
                     "high_freq_factor": 4.0, "original_max_position_embeddings": 32})
model = LlamaForCausalLM(config)
with torch.no_grad():
    for weight in model.parameters():
        weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.3)
data = pathlib.Path(__file__).parents[1] / "data"
folder = data / "hf_llama"
shutil.rmtree(folder, ignore_errors=True)
model.save_pretrained(folder)
(folder / "generation_config.json").unlink(missing_ok=True)

rows = [torch.randint(24, (length,)) for length in (40, 7, 2)]
log_probs, logits = [], []
for row in rows:
    out = model(row[None]).logits[0]
    log_probs.append(out[:-1].log_softmax(-1).gather(1, row[1:, None])[:, 0])
    logits.append(out[-1].tolist())
loss = -torch.cat(log_probs).mean()
loss.backward()
golden = {
    "tokens": [row.tolist() for row in rows],
    "log_probs": [row.tolist() for row in log_probs],
    "last_logits": logits,
    "loss": loss.item(),
    "gradients": {name: weight.grad.tolist() for name, weight in sorted(model.named_parameters())},
}
lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
(data / "hf_llama.json").write_text("{\n" + lines + "\n}\n")
