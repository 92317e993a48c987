"""The Python side of hugging_face_test.cpp: what transformers makes of the folders that we write.

    hugging_face.py check                    says nothing, or which packages are missing
    hugging_face.py logits TOKENS FOLDER...  of the last of these tokens (JSON list), by each model
    hugging_face.py score TOKENS FOLDER...   the same of sequence classifiers
    hugging_face.py lora TOKENS {BASE OURS THEIRS}...
                                             logits as above of each base under the adapter OURS, and under a random one
                                             that PEFT makes and writes as THEIRS; "none" where PEFT is missing
"""

import json
import os
import sys
from importlib.util import find_spec

os.environ["TRANSFORMERS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"


def check():
    missing = [name for name in ("safetensors", "torch", "transformers") if find_spec(name) is None]
    return "without " + ", ".join(missing) if missing else ""


def logits(tokens, *folders, kind="AutoModelForCausalLM"):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    results = []
    for folder in folders:
        model = getattr(transformers, kind).from_pretrained(folder, dtype=torch.float32)
        with torch.no_grad():
            out = model(torch.tensor([json.loads(tokens)])).logits[0]
        results.append((out if out.dim() == 1 else out[-1]).tolist())
    return results


def lora(tokens, *folders):
    if find_spec("peft") is None:
        return "none"
    import peft
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    def loaded(base):
        return transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)

    def made(base, folder):
        model = loaded(base)
        gpt2 = model.config.model_type == "gpt2"
        model = peft.get_peft_model(model, peft.LoraConfig(
            r=3, lora_alpha=5, target_modules=["c_attn", "c_fc"] if gpt2 else ["q_proj", "v_proj", "up_proj"],
            fan_in_fan_out=gpt2, task_type="CAUSAL_LM"))
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.5)
        model.save_pretrained(folder)
        return model

    results = []
    with torch.no_grad():
        for base, ours, theirs in zip(*[iter(folders)] * 3):
            for model in (peft.PeftModel.from_pretrained(loaded(base), ours), made(base, theirs)):
                results.append(model(torch.tensor([json.loads(tokens)])).logits[0, -1].tolist())
    return results


def score(tokens, *folders):
    return logits(tokens, *folders, kind="AutoModelForSequenceClassification")


if __name__ == "__main__":
    print(json.dumps({"check": check, "logits": logits, "score": score, "lora": lora}[sys.argv[1]](*sys.argv[2:])))
