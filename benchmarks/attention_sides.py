"""Attention forward and backward: ours and PyTorch's.

Each answers with means and some numbers of the output and of the three gradients.
"""

from __future__ import annotations

import numpy as np

B, H, T, D = 4, 6, 1024, 64


def arrays():
    """q, k, v and the gradient of the output, (B, H, T, D) each."""
    return np.random.default_rng(0).normal(size=(4, B, H, T, D)).astype(np.float32)


def excerpt(*results) -> list[float]:
    """A few numbers of each, and its mean size."""
    return [float(number) for x in results for number in (np.abs(x).mean(), *x.ravel()[::99_991])]


def minillm_attention(window: int):
    """window: how far back a query sees, 0 for all."""
    from minillm import ops

    q, k, v, dy = arrays()
    options = {"causal": True, "window": window or None}

    def run():
        y, saved = ops.attention(q, k, v, **options)
        gradients = ops.attention_backward(dy, q, k, v, y, saved, **options)
        return lambda: excerpt(y, *gradients)

    return run


def torch_attention(window: int):
    """scaled_dot_product_attention; a window is a mask to it."""
    import os

    import torch
    import torch.nn.functional as F

    torch.set_num_threads(os.cpu_count() or 1)
    *inputs, dy = map(torch.tensor, arrays())
    for x in inputs:
        x.requires_grad_(True)
    ones = torch.ones(T, T, dtype=torch.bool)
    mask = ones.tril() & ones.triu(1 - window) if window else None

    def run():
        y = F.scaled_dot_product_attention(*inputs, attn_mask=mask, is_causal=mask is None)
        gradients = torch.autograd.grad(y, inputs, dy)
        return lambda: excerpt(*(x.detach().numpy() for x in (y, *gradients)))

    return run
