"""Seeded inputs, and a case as plain lists for JSON."""

import math
import random

import torch


class Draw:
    """Seeded inputs with short decimal forms."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def normal(self, *shape, std=1.0):
        count = math.prod(shape)
        flat = [round(self.random.gauss(0.0, std), 4) for _ in range(count)]
        return torch.tensor(flat).reshape(shape)

    def integers(self, below, *shape):
        flat = [self.random.randrange(below) for _ in range(math.prod(shape))]
        return torch.tensor(flat).reshape(shape)

    def mask(self, rows, width, holes):
        """Ragged rows, the last one full, each with a true; holes: some trues inside are gone."""
        mask = torch.zeros(rows, width, dtype=torch.bool)
        for row in range(rows):
            length = width if row == rows - 1 else self.random.randint(1, width)
            mask[row, :length] = True
            for t in range(length):
                if holes and mask[row].sum() > 1 and self.random.random() < 0.3:
                    mask[row, t] = False
        return mask


def plain(value):
    """Tensors as nested lists, NaN as null."""
    if isinstance(value, torch.Tensor):
        return plain(value.detach().tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def is_real(item, shape):
    return isinstance(item, torch.Tensor) and item.is_floating_point() and item.shape == shape


def poison(tensor, mask):
    """NaN where the mask is false: what the C++ is given."""
    return tensor.detach().masked_fill(~mask, math.nan)


def case(name, inputs, outputs, differentiable=(), mask=None, loss=None):
    """One case; `differentiable` names the inputs whose gradient is recorded."""
    leaves = [inputs[key] for key in differentiable]
    gradients = {}
    if leaves:
        total = outputs[loss] if loss else (next(iter(outputs.values())) * inputs["cotangent"]).sum()
        gradients = dict(zip(differentiable, torch.autograd.grad(total, leaves)))
    if mask is not None:
        inputs = {key: poison(item, mask) if key != "cotangent" and is_real(item, mask.shape) else item
                  for key, item in inputs.items()}
    return plain({"name": name, "inputs": inputs, "outputs": outputs, "gradients": gradients})


def leaf(tensor):
    return tensor.clone().requires_grad_()
