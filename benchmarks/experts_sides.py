"""A mixture of experts forward and backward: ours, transformers', and a dense layer of ours.

Each answers with the sizes of the output and of the gradient of the input, which must agree.
"""

from __future__ import annotations

import numpy as np

E, K = 8, 2


def arrays(C: int, N: int):
    """Input and gradient of the output, (1, N, C)."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 1, N, C)).astype(np.float32)


def sizes(y, dx) -> list[float]:
    return [float(np.abs(y).mean()), float(np.abs(dx).mean())]


def our_experts(C: int, F: int):
    """SwiGLU experts as Mixtral's, with weights large enough to matter."""
    from minillm.nn import Experts, Init, MixtureOfExperts

    return MixtureOfExperts(C, F, Init(0), Experts(E, K, F), kind="swiglu", out_std=0.05, std=0.05)


def forward_and_backward(layer, C: int, N: int):
    x, dy = arrays(C, N)
    gradients = [p.grad for _, p in layer.named_parameters()]

    def run() -> list[float]:
        for gradient in gradients:
            gradient[...] = 0
        y = layer(x)
        return sizes(y, layer.backward(dy))

    return run


def minillm_experts(C: int, F: int, N: int):
    return forward_and_backward(our_experts(C, F), C, N)


def minillm_dense(C: int, F: int, N: int):
    """One feed-forward layer of the width of all active experts: the same arithmetic."""
    from minillm.nn import GatedFeedForward, Init

    return forward_and_backward(GatedFeedForward(C, K * F, Init(0), std=0.05), C, N)


def torch_experts(C: int, F: int, N: int):
    import os

    import torch
    from transformers import MixtralConfig
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    torch.set_num_threads(os.cpu_count() or 1)
    block = MixtralSparseMoeBlock(MixtralConfig(
        hidden_size=C, intermediate_size=F, num_local_experts=E, num_experts_per_tok=K,
        num_attention_heads=1))
    ours = our_experts(C, F)
    with torch.no_grad():
        block.gate.weight.copy_(torch.tensor(ours.router.value.T))
        both = np.concatenate([ours.gates.value, ours.expand.value], axis=2)
        block.experts.gate_up_proj.copy_(torch.tensor(both.swapaxes(1, 2)))
        block.experts.down_proj.copy_(torch.tensor(ours.contract.value.swapaxes(1, 2)))
    x, dy = map(torch.tensor, arrays(C, N))
    x.requires_grad_(True)

    def run() -> list[float]:
        block.zero_grad()
        x.grad = None
        y = block(x)
        y.backward(dy)
        return sizes(y.detach().numpy(), x.grad.numpy())

    return run
