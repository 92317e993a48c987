"""The Python side of hugging_face_test.cpp: what transformers makes of the folders that we write.

    hugging_face.py check                    says nothing, or which packages are missing
    hugging_face.py logits TOKENS FOLDER...  of the last of these tokens (JSON list), by each model
    hugging_face.py score TOKENS FOLDER...   the same of sequence classifiers
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


def score(tokens, *folders):
    return logits(tokens, *folders, kind="AutoModelForSequenceClassification")


if __name__ == "__main__":
    print(json.dumps({"check": check, "logits": logits, "score": score}[sys.argv[1]](*sys.argv[2:])))
