"""Writes data/every_type.safetensors with the Python package `safetensors`, an independent program.

    pip install safetensors==0.8.0 numpy torch==2.13.0 && python tests/golden/safetensors_file.py
"""

import pathlib

import torch
from safetensors.torch import save_file

tensors = {
    "f64": torch.tensor([1 / 3, float("inf")], dtype=torch.float64),
    "f32": torch.tensor([[1.5, -2.25, 0.1], [float("nan"), 0.0, -0.0]]),
    "f16": torch.tensor([0.5, 65504.0], dtype=torch.float16),
    "bf16": torch.tensor([1.0, -3.140625, 2.0**100], dtype=torch.bfloat16),
    "i64": torch.tensor([-(2**63), 2**63 - 1]),
    "i32": torch.tensor(7, dtype=torch.int32),
    "i16": torch.tensor([[[-300]]], dtype=torch.int16),
    "i8": torch.tensor([-1, 2, -3], dtype=torch.int8),
    "u8": torch.tensor([255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "empty": torch.zeros(0, 3),
    'name "with" \u00fc\n': torch.tensor([1.0]),
}
path = pathlib.Path(__file__).parent / "data" / "every_type.safetensors"
save_file(tensors, path, metadata={"format": "pt"})
