"""Writes data/every_type.gguf with the Python package `gguf`, an independent program.

    pip install gguf==0.19.0 && python tests/golden/io/gguf_files.py

Metadata of every type; for every type that the library reads one tensor of random bytes, "q4_1", and
beside it "q4_1.expected": what `gguf.quants.dequantize` makes of it, as F32. Random bytes give every
kind of scale: negative, subnormal, infinite, NaN.
"""

import pathlib
import random

import numpy as np
from gguf import GGUFValueType, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q6_K"]
ROWS = 3

path = pathlib.Path(__file__).parents[1] / "data" / "every_type.gguf"
writer = GGUFWriter(path, "llama")
writer.add_uint8("u8", 255)
writer.add_int8("i8", -128)
writer.add_uint16("u16", 65535)
writer.add_int16("i16", -32768)
writer.add_uint32("u32", 2**32 - 1)
writer.add_int32("i32", -(2**31))
writer.add_uint64("u64", 2**63 - 1)
writer.add_int64("i64", -(2**63))
writer.add_float32("f32", 0.1)
writer.add_float64("f64", 0.1)
writer.add_bool("yes", True)
writer.add_bool("no", False)
writer.add_string("text", 'gr\u00fc\u00df "dich"\n')
writer.add_key_value("texts", ["", "a", "\u0120t"], GGUFValueType.ARRAY, GGUFValueType.STRING)
writer.add_key_value("integers", [-1, 0, 1], GGUFValueType.ARRAY, GGUFValueType.INT32)
writer.add_key_value("floats", [0.5, -0.25], GGUFValueType.ARRAY, GGUFValueType.FLOAT32)
writer.add_key_value("bools", [True, False], GGUFValueType.ARRAY, GGUFValueType.BOOL)

draw = random.Random(1)
for name in TYPES:
    kind = GGMLQuantizationType[name]
    numbers, size = GGML_QUANT_SIZES[kind]
    blocks = 2 if numbers == 256 else 5 if numbers == 32 else 40
    raw = np.frombuffer(draw.randbytes(ROWS * blocks * size), np.uint8).reshape(ROWS, blocks * size)
    if name == "F32":
        raw = raw.view(np.float32)
    elif name == "F16":
        raw = raw.view(np.float16)
    expected = dequantize(raw, kind).astype(np.float32)
    assert expected.shape == (ROWS, blocks * numbers)
    writer.add_tensor(name.lower(), raw, raw_dtype=kind)
    writer.add_tensor(name.lower() + ".expected", expected)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
