"""The same GPT in PyTorch, with the same weights: the peer of the training benchmarks."""

from __future__ import annotations

import os

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(os.cpu_count() or 1)


class Block(nn.Module):
    def __init__(self, C: int, H: int):
        super().__init__()
        self.H = H
        self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.qkv, self.proj = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.expand, self.contract = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def heads(self, x):
        B, T, C = x.shape
        return self.qkv(self.norm1(x)).view(B, T, 3, self.H, C // self.H).permute(2, 0, 3, 1, 4)

    def rest(self, x, y):
        x = x + self.proj(y.transpose(1, 2).reshape(x.shape))
        return x + self.contract(F.gelu(self.expand(self.norm2(x)), approximate="tanh"))

    def forward(self, x):
        q, k, v = self.heads(x)
        return self.rest(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))

    def extend(self, x, keys, values, n: int):
        q, k, v = self.heads(x)
        keys[:, :, n:n + 1], values[:, :, n:n + 1] = k, v
        y = F.scaled_dot_product_attention(q, keys[:, :, :n + 1], values[:, :, :n + 1])
        return self.rest(x, y)


class TorchGPT(nn.Module):
    def __init__(self, V: int, T: int, L: int, H: int, C: int):
        super().__init__()
        self.H = H
        self.tokens, self.positions = nn.Embedding(V, C), nn.Embedding(T, C)
        self.blocks = nn.ModuleList(Block(C, H) for _ in range(L))
        self.norm = nn.LayerNorm(C)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.tokens.weight.T

    @torch.inference_mode()
    def greedy(self, prompt: list[int], count: int) -> list[int]:
        T, C = self.positions.weight.shape
        cache = [torch.zeros(2, 1, self.H, T, C // self.H) for _ in self.blocks]
        text = list(prompt)
        for n in range(len(prompt) + count - 1):
            x = self.tokens(torch.tensor([[text[n]]])) + self.positions(torch.tensor([[n]]))
            for block, (keys, values) in zip(self.blocks, cache):
                x = block.extend(x, keys, values, n)
            if n + 1 >= len(prompt):
                text.append(int((self.norm(x) @ self.tokens.weight.T).argmax()))
        return text


def torch_gpt(model) -> TorchGPT:
    """A PyTorch copy of a minillm GPT."""
    c = model.config
    copy = TorchGPT(c.vocab_size, c.context, c.layers, c.heads, c.width)
    ours = {name: torch.tensor(p.value) for name, p in model.named_parameters()}
    with torch.no_grad():
        for name, parameter in copy.named_parameters():
            path, kind = name.rsplit(".", 1)
            path = path.replace(".qkv", ".attention.qkv").replace(".proj", ".attention.proj")
            path = path.replace(".expand", ".feed_forward.expand")
            path = path.replace(".contract", ".feed_forward.contract")
            value = ours[f"{path}.{'b' if kind == 'bias' else 'w'}"]
            linear = value.ndim == 2 and path not in ("tokens", "positions")
            parameter.copy_(value.T if linear else value)
    return copy
