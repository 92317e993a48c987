"""Writes the seeds of text: small right files that need no package to be made.

    python tests/fuzz/make_text_seeds.py

Files that a parser reads together stand in one seed, with the byte 0x1c between them.
"""

import json
import pathlib
import struct

TESTS = pathlib.Path(__file__).parents[1]
SEEDS = TESTS / "fuzz" / "seeds"
CHAT = json.loads((TESTS / "golden" / "data" / "chat_templates.json").read_text())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def write(target, name, *files):
    path = SEEDS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [file if isinstance(file, bytes) else (file if isinstance(file, str) else json.dumps(file)).encode()
             for file in files]
    path.write_bytes(b"\x1c".join(parts))


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def turn(role, content):
    return {"role": role, "content": content}


write("jsonl", "demonstrations.jsonl", lines({"prompt": "a b", "completion": " c"}, {"prompt": "d", "completion": "\u00e9"}))
write("jsonl", "text.jsonl", lines({"text": "a\nb"}) + "\r\n" + lines({"text": "c", "id": 3}))
write("jsonl", "chats.jsonl", lines({"messages": [turn("user", "Hi"), turn("assistant", "Ho")], "tools": []}))
write("jsonl", "preferences.jsonl", lines({"prompt": "a", "chosen": "b", "rejected": "c"}))
write("jsonl", "implicit.jsonl", lines({"chosen": [turn("user", "q"), turn("assistant", "b")],
                                        "rejected": [turn("user", "q"), turn("assistant", "c")]}))
write("jsonl", "ranked.jsonl", lines({"prompt": "a", "responses": ["b", "c", "d"], "ranks": [1, 2, 2]}))
write("jsonl", "unpaired.jsonl", lines({"prompt": "a", "completion": "b", "label": False}))

# What a byte has no token for is dropped, so that a vocabulary may be this small.
SPLIT = {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s+"},
         "behavior": "Isolated", "invert": False}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
MARK = {"SpecialToken": {"id": "<|end|>", "type_id": 0}}
TEXT = {"Sequence": {"id": "A", "type_id": 0}}


def tokenizer(pre, **fields):
    vocabulary = ["H", "e", "l", "o", "\u0120", "w", "ll", "el", "\u0120w"]
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
             "vocab": {token: i for i, token in enumerate(vocabulary)},
             "merges": [["l", "l"], ["e", "l"], ["\u0120", "w"]]}
    added = {"id": 9, "content": "<|end|>", "single_word": False, "lstrip": False, "rstrip": True, "normalized": False,
             "special": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [added], "normalizer": None,
            "pre_tokenizer": pre, "post_processor": None, "decoder": BYTES, "model": model} | fields


write("tokenizer_json", "bytes.json", tokenizer(BYTES | {"use_regex": True}), {}, {})
write("tokenizer_json", "split.json", tokenizer({"type": "Sequence", "pretokenizers": [SPLIT, BYTES]}, normalizer={"type": "NFC"}),
      {"eos_token": "<|end|>", "bos_token": {"content": "H"}, "pad_token": None}, {"eos_token_id": [9, 3]})
write("tokenizer_json", "digits.json", tokenizer(
    {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True},
                                           SPLIT | {"pattern": {"String": " "}, "behavior": "MergedWithNext"}, BYTES]},
    post_processor={"type": "TemplateProcessing", "single": [MARK, TEXT], "pair": [MARK, TEXT],
                    "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [9], "tokens": ["<|end|>"]}}}),
      {"end_tokens": ["<|end|>", "ll"]}, {"eos_token_id": 9})


def alphabet():
    """GPT-2's characters for the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


CHARACTERS = alphabet()
write("bpe_files", "gpt2", json.dumps({token: i for i, token in enumerate([*CHARACTERS, "ll", "\u0120w"])}, ensure_ascii=False),
      "#version: 0.2\nl l\n\u0120 w\n")

ENTRIES = [b"<unk>", b"\n<s>\n", b"\n</s>\n", *(b"<0x%02X>" % byte for byte in range(256)), b" ", b"a", b" a"]
write("llama2c_tokenizer", "tokenizer.bin", struct.pack("<i", 8) + b"".join(
    struct.pack("<fi", -i, len(token)) + token for i, token in enumerate(ENTRIES)))

TALK = [turn("system", "Be brief."), turn("user", "Hi"), turn("assistant", "Ho"), turn("user", "?"), turn("assistant", "!")]
for name, source in CHAT["templates"].items():
    if len(source) < 3000:
        write("chat_template", name.replace("/", "_").replace(" ", "_") + ".jinja", source,
              TALK[1:] if name == "mistral" else TALK)  # whose turns begin with the user's
write("chat_template", "marked.jinja", "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}"
      "{% generation %}{{ m['content'] | trim }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}", TALK)

LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
         "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": True}
write("config", "llama.json", LLAMA | {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                                         "high_freq_factor": 4.0, "original_max_position_embeddings": 32}})
write("config", "mistral.json", LLAMA | {"model_type": "mistral", "sliding_window": 4096})
write("config", "qwen2.json", LLAMA | {"model_type": "qwen2", "use_sliding_window": False, "sliding_window": 8})
write("config", "qwen3.json", LLAMA | {"model_type": "qwen3", "head_dim": 8, "layer_types": ["full_attention"],
                                       "rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}})
write("config", "gpt2.json", {"model_type": "gpt2", "vocab_size": 32, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32,
                              "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", "n_inner": None})

LORA = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 8, "lora_alpha": 16, "lora_dropout": 0.0, "bias": "none",
        "target_modules": ["q_proj", "down_proj"], "use_dora": False, "rank_pattern": {}, "modules_to_save": None}
write("adapter_config", "names.json", LORA | {"layers_to_transform": [1]})
write("adapter_config", "pattern.json", LORA | {"target_modules": "model[.]layers[.][01]..*(q|down)_proj"})
write("adapter_config", "all.json", LORA | {"target_modules": "all-linear"})

STATE = {"values": {"trainer/steps": 3, "loader/order": [2, 0, 1], "best": "Infinity", "kl": 0.1, "name": "a", "done": False,
                    "means": [0.5, "NaN"], "texts": ["a", ""], "seed": 18446744073709551615},
         "options": {"trainer/epochs": 2}, "library": "0.1.0"}
write("stored_values", "state.json", STATE)
HEADER = json.dumps({"a/w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
FILES = {"state.json": json.dumps(STATE).encode(), "tensors.safetensors": struct.pack("<Q", len(HEADER)) + HEADER + bytes(4)}
write("checkpoint", "whole", {"format": "rlhf-checkpoint", "version": 2, "library": "0.1.0",
                              "files": {name: {"bytes": len(data), "crc32c": crc32c(data)} for name, data in FILES.items()}},
      FILES["state.json"], FILES["tensors.safetensors"])
