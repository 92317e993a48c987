"""What transformers makes of the folders that the three commands wrote, as JSON.

    load_folders.py check              says nothing, or which packages are missing
    load_folders.py SFT REWARD PPO     tokens of a chat, logits behind it, scores of two lengths of it
"""

import json
import os
import sys
from importlib.util import find_spec

os.environ["TRANSFORMERS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"


def check():
    needed = ("safetensors", "torch", "transformers", "tokenizers", "jinja2")
    missing = [name for name in needed if find_spec(name) is None]
    return "without " + ", ".join(missing) if missing else ""


def load(sft, reward, ppo):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(sft)
    chat = [{"role": "user", "content": "Say 3"}, {"role": "assistant", "content": "It is 3"}]
    ids = tokenizer.encode(tokenizer.apply_chat_template(chat, tokenize=False), add_special_tokens=False)
    found = {"ids": ids}
    with torch.no_grad():
        for name, folder in (("sft", sft), ("ppo", ppo)):
            model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            found[name] = model(torch.tensor([ids])).logits[0, -1].tolist()
        model = transformers.AutoModelForSequenceClassification.from_pretrained(reward, dtype=torch.float32)
        pad = model.config.pad_token_id
        both = torch.tensor([ids, ids[:-4] + [pad] * 4])
        mask = torch.tensor([[1] * len(ids), [1] * (len(ids) - 4) + [0] * 4])
        found["scores"] = model(both, attention_mask=mask).logits[:, 0].tolist()
    return found


print(json.dumps(check() if sys.argv[1] == "check" else load(*sys.argv[1:])))
