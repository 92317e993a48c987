"""The Python side of hugging_face_test.cpp: safetensors and transformers, the libraries whose folders
we read and write. Answers are JSON on the last line of the output.

    hugging_face.py check               says nothing, or which packages are missing
    hugging_face.py make FOLDER         saves a tiny Llama in several files, float32
    hugging_face.py files FOLDER        what safetensors reads, file by file
    hugging_face.py model FOLDER        what transformers loads, and what it missed or did not expect
"""

import contextlib
import json
import os
import pathlib
import sys
from importlib.util import find_spec

os.environ["TRANSFORMERS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"


def check():
    missing = [name for name in ("safetensors", "torch", "transformers") if find_spec(name) is None]
    return "without " + ", ".join(missing) if missing else ""


def described(tensors):
    """Every float as the integer of its float32 bits: exact in JSON, NaNs too."""
    import torch

    return {name: {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
                   "bits": tensor.float().flatten().view(torch.int32).tolist()}
            for name, tensor in tensors.items()}


def make(folder):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(2)
    config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=12, num_hidden_layers=2,
                         num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=16)
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder, max_shard_size=2000)
    return described(model.state_dict())


def files(folder):
    from safetensors import safe_open

    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            found[path.name] = {"metadata": file.metadata(),
                                "tensors": described({name: file.get_tensor(name) for name in file.keys()})}
    return found


def model(folder):
    from transformers import AutoModelForCausalLM

    loaded, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    return {"class": type(loaded).__name__, "tensors": described(loaded.state_dict()),
            "missing": sorted(report["missing_keys"]), "unexpected": sorted(report["unexpected_keys"])}


with contextlib.redirect_stdout(sys.stderr):
    answer = globals()[sys.argv[1]](*sys.argv[2:])
print(json.dumps(answer))
