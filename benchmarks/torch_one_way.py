"""The RNN, LSTM and CNN language models in PyTorch, with the same weights."""

from __future__ import annotations

import os

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(os.cpu_count() or 1)


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


def torch_one_way(model) -> TorchOneWay:
    """A PyTorch copy of a minillm RNN, LSTM or CNN."""
    copy = TorchOneWay(model.config, model.kind())
    C = model.config.width
    pairs = [(copy.tokens.weight, model.tokens.w.value)]
    for i, block in enumerate(model.blocks):
        if model.kind() == "CNN":
            w = block.look.w.value.reshape(block.look.kernel, C, -1)
            pairs += [(copy.look[i].weight, w.transpose(2, 1, 0)),
                      (copy.look[i].bias, block.look.b.value),
                      (copy.mix[i].weight, block.mix.w.value.T[..., None]),
                      (copy.mix[i].bias, block.mix.b.value)]
        else:
            of_input, of_state, b, other = copy.layers.all_weights[i]
            pairs += [(of_input, block.w.value.T), (of_state, block.u.value.T),
                      (b, block.b.value.ravel()), (other, 0 * block.b.value.ravel())]
    with torch.no_grad():
        for parameter, value in pairs:
            parameter.copy_(torch.tensor(value))
    return copy
