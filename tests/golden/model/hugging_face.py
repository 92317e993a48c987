"""Writes data/hf_<family>, tiny models as transformers saves them, and data/hf_<family>.json: what they make of some tokens.

    pip install torch==2.13.0 transformers==5.23.0 && python tests/golden/model/hugging_face.py

Grouped queries, heads that do not fill the width, and what each family has of its own.
"""

import json
import pathlib
import shutil

import torch
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
                          Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)

data = pathlib.Path(__file__).parents[1] / "data"
vocab = 24
rotary = dict(vocab_size=vocab, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-6)


def models():
    yield "llama", LlamaForCausalLM(LlamaConfig(
        **rotary, head_dim=4, tie_word_embeddings=False,
        rope_parameters={"rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 32}))
    yield "mistral", MistralForCausalLM(MistralConfig(**rotary, head_dim=6, sliding_window=None, tie_word_embeddings=False))
    yield "qwen2", Qwen2ForCausalLM(Qwen2Config(
        **rotary | {"hidden_size": 16}, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6}))
    yield "qwen3", Qwen3ForCausalLM(Qwen3Config(**rotary, head_dim=6, tie_word_embeddings=True))
    yield "gpt2", GPT2LMHeadModel(GPT2Config(
        vocab_size=vocab, n_embd=12, n_layer=2, n_head=3, n_positions=64, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
        bos_token_id=0, eos_token_id=0))


def write(family, model):
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(1.0 if weight.dim() == 1 and not name.endswith("bias") else 0.0, 0.3)
    folder = data / f"hf_{family}"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)

    rows = [torch.randint(vocab, (length,)) for length in (40, 7, 2)]
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
    (data / f"hf_{family}.json").write_text("{\n" + lines + "\n}\n")


for family, model in models():
    torch.manual_seed(1)
    write(family, model)
