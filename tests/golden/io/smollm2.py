"""Writes data/smollm2_q4_1.json: a checksum of every tensor of a real model, as the Python package
`gguf` dequantises it.

    pip install gguf==0.19.0
    python tests/golden/io/smollm2.py "$(bash cmake/smollm2.sh)"

{"tensors": {name: {"type", "shape" (row-major), "checksum"}}, "tokens": n, "merges": n, ...}. The
checksum is sum over i of (2 i + 1) * (bits of the i-th float32) modulo 2^64, as 16 hexadecimal digits:
one bit or the order of two numbers changes it.
"""

import json
import pathlib
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize


def checksum(numbers):
    words = numbers.astype(np.float32).ravel().view(np.uint32).astype(np.uint64)
    weights = 2 * np.arange(words.size, dtype=np.uint64) + 1
    return f"{int((words * weights).sum(dtype=np.uint64)):016x}"


reader = GGUFReader(sys.argv[1])
tensors = {
    t.name: {
        "type": t.tensor_type.name,
        "shape": [int(n) for n in reversed(t.shape)],
        "checksum": checksum(dequantize(t.data, t.tensor_type)),
    }
    for t in reader.tensors
}


def field(key):
    return reader.fields["tokenizer." + key].contents()


tokens, merges = field("ggml.tokens"), field("ggml.merges")
tokenizer = {
    "model": field("ggml.model"),
    "pre": field("ggml.pre"),
    "tokens": len(tokens),
    "last_token": tokens[-1],
    "merges": len(merges),
    "last_merge": merges[-1],
    "control_tokens": field("ggml.token_type").count(3),
    "bos": field("ggml.bos_token_id"),
    "eos": field("ggml.eos_token_id"),
    "chat_template": field("chat_template"),
}
path = pathlib.Path(__file__).parents[1] / "data" / "smollm2_q4_1.json"
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in tensors.items())
path.write_text(f'{{"tokenizer": {json.dumps(tokenizer)},\n"tensors": {{\n{lines}\n}}}}\n')
