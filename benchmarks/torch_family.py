"""BERT, Seq2Seq and ViT in PyTorch, and PyTorch copies of a minillm model of the family.

Parts have the names of ours, so that a weight finds its own.
"""

from __future__ import annotations

import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .torch_one_way import TorchOneWay

torch.set_num_threads(os.cpu_count() or 1)


class Attention(nn.Module):
    def __init__(self, C: int, H: int, causal: bool = False, cross: bool = False):
        super().__init__()
        self.H, self.causal = H, causal
        if cross:
            self.query, self.key_value = nn.Linear(C, C), nn.Linear(C, 2 * C)
        else:
            self.qkv = nn.Linear(C, 3 * C)
        self.proj = nn.Linear(C, C)

    def split(self, x, n: int):
        return x.view(*x.shape[:2], n, self.H, -1).permute(2, 0, 3, 1, 4)

    def forward(self, x, mask=None, memory=None):
        if memory is None:
            q, k, v = self.split(self.qkv(x), 3)
        else:
            (q,), (k, v) = self.split(self.query(x), 1), self.split(self.key_value(memory), 2)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=self.causal)
        return self.proj(y.transpose(1, 2).reshape(x.shape))


class FeedForward(nn.Module):
    def __init__(self, C: int, hidden: int, activation):
        super().__init__()
        self.expand, self.contract = nn.Linear(C, hidden), nn.Linear(hidden, C)
        self.activation = activation

    def forward(self, x):
        return self.contract(self.activation(self.expand(x)))


class Block(nn.Module):
    """norm_first as ViT has it, or norms after the parts; with a memory if it ``decodes``."""

    def __init__(self, config, activation, decodes: bool = False):
        super().__init__()
        c = config
        self.norm_first = c.norm_first
        self.norm1, self.norm2 = (nn.LayerNorm(c.width, c.eps) for _ in range(2))
        self.attention = Attention(c.width, c.heads, causal=decodes)
        self.feed_forward = FeedForward(c.width, c.hidden or 4 * c.width, activation)
        if decodes:
            self.norm_cross = nn.LayerNorm(c.width, c.eps)
            self.cross = Attention(c.width, c.heads, cross=True)

    def forward(self, x, mask=None, memory=None):
        if self.norm_first:
            x = x + self.attention(self.norm1(x), mask)
            return x + self.feed_forward(self.norm2(x))
        if memory is None:
            x = self.norm1(x + self.attention(x, mask))
        else:  # the mask is that of the memory
            x = self.norm1(x + self.attention(x))
            x = self.norm_cross(x + self.cross(x, mask, memory))
        return self.norm2(x + self.feed_forward(x))


class TorchBERT(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tokens, self.positions, self.types = (
            nn.Embedding(n, c.width) for n in (c.vocab_size, c.context, c.types))
        self.norm, self.head_norm = (nn.LayerNorm(c.width, c.eps) for _ in range(2))
        self.blocks = nn.ModuleList(Block(c, F.gelu) for _ in range(c.layers))
        self.dense = nn.Linear(c.width, c.width)
        self.output = nn.Linear(c.width, c.vocab_size)
        self.output.weight = self.tokens.weight

    def forward(self, ids, mask):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        x = self.norm(x + self.types(torch.zeros_like(ids)))
        for block in self.blocks:
            x = block(x, mask[:, None, None])
        return self.output(self.head_norm(F.gelu(self.dense(x))))


class Embedded(nn.Module):
    def __init__(self, entries: int, c):
        from minillm import ops

        super().__init__()
        self.tokens = nn.Embedding(entries, c.width)
        waves = ops.sinusoids(np.arange(c.context), c.width).astype(np.float32)
        self.register_buffer("waves", torch.tensor(waves))

    def forward(self, ids):
        C = self.tokens.embedding_dim
        return self.tokens(ids) * C**0.5 + self.waves[:ids.shape[1]]


class TorchSeq2Seq(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.target, self.source = (Embedded(n, c) for n in (c.vocab_size, c.source_vocab))
        self.encoder = nn.ModuleList(Block(c, F.relu) for _ in range(c.layers))
        self.decoder = nn.ModuleList(Block(c, F.relu, decodes=True) for _ in range(c.layers))

    def forward(self, source, target, mask):
        memory, x, mask = self.source(source), self.target(target), mask[:, None, None]
        for block in self.encoder:
            memory = block(memory, mask)
        for block in self.decoder:
            x = block(x, mask, memory)
        return x @ self.target.tokens.weight.T


class TorchViT(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.patches = nn.Conv2d(c.channels, c.width, c.patch, stride=c.patch)
        self.token = nn.Parameter(torch.empty(c.width))
        self.positions = nn.Embedding(1 + c.grid[0] * c.grid[1], c.width)
        self.blocks = nn.ModuleList(Block(c, F.gelu) for _ in range(c.layers))
        self.norm, self.output = nn.LayerNorm(c.width, c.eps), nn.Linear(c.width, c.classes)

    def forward(self, images):  # (B, channels, rows, columns)
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), 1, -1), x], 1) + self.positions.weight
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x[:, 0]))


def laid_out(path: str, kind: str, parameter):
    """How our array lies in PyTorch: a function of it."""
    def convolution(x):  # (rows, columns, channels) of a patch, then outputs
        outputs, channels, P, _ = parameter.shape
        return x.reshape(P, P, channels, outputs).transpose(3, 2, 0, 1)

    if parameter.ndim == 4:
        return convolution
    table = path.rpartition(".")[2] in ("tokens", "positions", "types")
    return (lambda x: x.T) if kind == "weight" and parameter.ndim == 2 and not table else (
        lambda x: x)


def pairs(copy, model):
    """(parameter of the copy, ours, how to lay out ours) of each."""
    if isinstance(copy, TorchOneWay):
        yield from copy.pairs(model)
        return
    ours = dict(model.named_parameters())
    for name, parameter in copy.named_parameters():
        path, _, kind = name.rpartition(".")
        own = ours[f"{path}.{'b' if kind == 'bias' else 'w'}"] if path else ours[name]
        yield parameter, own, laid_out(path, kind, parameter)


def torch_copy(model):
    """A PyTorch copy of a minillm BERT, Seq2Seq, ViT, RNN, LSTM or CNN, with its weights."""
    kind = model.kind()
    made = {"BERT": TorchBERT, "Seq2Seq": TorchSeq2Seq, "ViT": TorchViT}.get(kind)
    copy = made(model.config) if made else TorchOneWay(model.config, kind)
    with torch.no_grad():
        for parameter, own, lay in pairs(copy, model):
            parameter.copy_(torch.tensor(lay(own.value)))
    return copy


def largest_gap(copy, model) -> float:
    """The largest difference of two gradients, as a share of the largest number of its matrix."""
    gaps = []
    for parameter, own, lay in pairs(copy, model):
        theirs, mine = parameter.grad.numpy(), lay(own.grad)
        gaps.append(np.abs(theirs - mine).max() / np.abs(mine).max())
    return float(max(gaps))
