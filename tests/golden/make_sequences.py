"""Golden values of tests/ops/test_sequences.py: PyTorch 2.13's RNN, LSTM and conv1d, in float64.

    python tests/golden/make_sequences.py > tests/golden/sequences.json
"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
import sequence_problem as problem


def tensor(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def recurrent(kind, gates):
    layer = kind(problem.C, problem.H, batch_first=True, dtype=torch.float64)
    for parameter, value in zip(layer.parameters(), problem.weights[gates], strict=True):
        parameter.data = torch.tensor(value)
    x = tensor(problem.x)
    y, _ = layer(x)
    (y * torch.tensor(problem.dy)).sum().backward()
    return {"y": y.tolist(), "dx": x.grad.tolist(),
            "dw": [p.grad.tolist() for p in layer.parameters()][:3]}


def convolution(kernel, dilation):
    x, w, b = tensor(problem.x), tensor(kernel), tensor(problem.bias)
    left = (kernel.shape[2] - 1) * dilation
    padded = torch.nn.functional.pad(x.transpose(1, 2), (left, 0))
    y = torch.nn.functional.conv1d(padded, w, b, dilation=dilation).transpose(1, 2)
    (y * torch.tensor(problem.dconv)).sum().backward()
    return {"y": y.tolist(), "dx": x.grad.tolist(), "dw": w.grad.tolist(), "db": b.grad.tolist()}


print(json.dumps({
    "pytorch": torch.__version__,
    "rnn": recurrent(torch.nn.RNN, 1),
    "lstm": recurrent(torch.nn.LSTM, 4),
    "convolutions": [convolution(kernel, dilation) for kernel, (_, dilation)
                     in zip(problem.kernels, problem.CONVOLUTIONS, strict=True)],
}))
