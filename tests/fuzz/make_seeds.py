"""Writes seeds/: small right files, out of which the fuzzer makes wrong ones.

    pip install gguf==0.19.0 safetensors==0.8.0 && python tests/fuzz/make_seeds.py
"""

import json
import pathlib

import numpy as np
from gguf import GGUFValueType, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from safetensors.numpy import save_file

SEEDS = pathlib.Path(__file__).parent / "seeds"
TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q6_K"]


def gguf(name, types, alignment=None, tokenizer=True):
    writer = GGUFWriter(SEEDS / "gguf" / name, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_block_count(1)
    writer.add_rope_freq_base(10000.0)
    if tokenizer:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(["<end>", "a", "b", "ab"])
        writer.add_token_types([3, 1, 1, 1])
        writer.add_token_merges(["a b"])
        writer.add_eos_token_id(0)
        writer.add_add_bos_token(False)
        writer.add_chat_template("{{ messages }}")
    else:
        writer.add_key_value("list", [1, -1], GGUFValueType.ARRAY, GGUFValueType.INT64)
        writer.add_key_value("flags", [True, False], GGUFValueType.ARRAY, GGUFValueType.BOOL)
        writer.add_float64("f64", 0.5)
        writer.add_uint8("u8", 1)
        writer.add_int16("i16", -1)
    for kind in types:
        numbers, size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
        raw = np.arange(2 * size, dtype=np.uint8).reshape(2, size)
        if kind in ("F32", "F16"):
            raw = raw.view({"F32": np.float32, "F16": np.float16}[kind])
        writer.add_tensor(kind, raw, raw_dtype=GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def text(name, value):
    (SEEDS / name).write_text(json.dumps(value))


for folder in ["gguf", "safetensors", "json", "weight_map"]:
    (SEEDS / folder).mkdir(parents=True, exist_ok=True)
gguf("every_type.gguf", TYPES)
gguf("tokenizer.gguf", [])
gguf("alignment.gguf", ["F32", "Q8_0"], alignment=64, tokenizer=False)
save_file({"a": np.ones((2, 3), np.float32), "b": np.zeros(2, np.int64), "c": np.ones((), np.float16)},
          SEEDS / "safetensors" / "three.safetensors", metadata={"format": "pt"})
save_file({"w": np.zeros((0, 4), np.float32)}, SEEDS / "safetensors" / "empty.safetensors")
text("json/config.json", {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "rms_norm_eps": 1e-6,
                          "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}, "tie_word_embeddings": True,
                          "pad_token_id": None, "bos_token_id": -1})
text("json/strings.json", ["\u00fc \ud83d\ude00 \" \\ \n \u0000", "", {"": {"a": [[], {}]}}])
text("weight_map/index.json", {"metadata": {"total_size": 8}, "weight_map": {
    "model.embed_tokens.weight": "model-00001-of-00002.safetensors",
    "lm_head.weight": "model-00002-of-00002.safetensors"}})
