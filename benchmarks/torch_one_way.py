"""The RNN, LSTM and CNN language models in PyTorch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class TorchOneWay(nn.Module):
    def __init__(self, config, kind: str):
        super().__init__()
        V, C, L = config.vocab_size, config.width, config.layers
        self.tokens, self.kind = nn.Embedding(V, C), kind
        if kind == "CNN":
            self.reach = [config.dilation**i for i in range(L)]
            self.look = nn.ModuleList(nn.Conv1d(C, 2 * C, config.kernel, dilation=d)
                                      for d in self.reach)
            self.mix = nn.ModuleList(nn.Conv1d(C, C, 1) for _ in range(L))
        else:
            self.layers = getattr(nn, kind)(C, C, L, batch_first=True)
            for _, _, _, other in self.layers.all_weights:  # ours has one bias, theirs adds two
                nn.init.zeros_(other)

    def forward(self, ids):
        x = self.tokens(ids)
        if self.kind == "CNN":
            x = x.transpose(1, 2)
            for look, mix, d in zip(self.look, self.mix, self.reach):
                a, b = look(F.pad(x, ((look.kernel_size[0] - 1) * d, 0))).chunk(2, 1)
                x = x + mix(torch.tanh(a) * torch.sigmoid(b))
            x = x.transpose(1, 2)
        else:
            x, _ = self.layers(x)
        return x @ self.tokens.weight.T

    def pairs(self, model):
        """(parameter, ours, how to lay out ours) of each."""
        C = model.config.width
        yield self.tokens.weight, model.tokens.w, lambda x: x
        for i, block in enumerate(model.blocks):
            if self.kind == "CNN":
                yield (self.look[i].weight, block.look.w,
                       lambda x: x.reshape(-1, C, 2 * C).transpose(2, 1, 0))
                yield self.look[i].bias, block.look.b, lambda x: x
                yield self.mix[i].weight, block.mix.w, lambda x: x.T[..., None]
                yield self.mix[i].bias, block.mix.b, lambda x: x
            else:
                of_input, of_state, b, _ = self.layers.all_weights[i]
                yield of_input, block.w, lambda x: x.T
                yield of_state, block.u, lambda x: x.T
                yield b, block.b, lambda x: x.ravel()
