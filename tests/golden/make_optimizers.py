"""Golden values of tests/training/test_optimizers.py: PyTorch 2.13's optimizers on a small problem.

    python tests/golden/make_optimizers.py > tests/golden/optimizers.json

The problem: weights W (6, 4) and b (4,), loss |X W + b - Y|² / 2 with the arrays of the test.
PyTorch's Lion does not exist, so the update of Chen et al. (2023), algorithm 2, stands here in
torch operations. Its Muon orthogonalizes in bfloat16; here it is given float64 to do it in.
"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
from optimizer_problem import X, Y, b0, w0

STEPS = 50


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr, betas, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


def run(make):
    # PyTorch keeps weights as (outputs, inputs).
    w = torch.tensor(w0.T, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(b0, dtype=torch.float64, requires_grad=True)
    optimizers = make(w, b)
    x, y = torch.tensor(X), torch.tensor(Y)
    for _ in range(STEPS):
        w.grad = b.grad = None
        (((x @ w.T + b - y) ** 2).sum() / 2).backward()
        for optimizer in optimizers:
            optimizer.step()
    return {"w": w.detach().T.tolist(), "b": b.detach().tolist()}


def pair(kind, decay, **options):
    """One optimizer for both, decaying the matrix only."""
    return lambda w, b: [kind([{"params": [w], "weight_decay": decay},
                               {"params": [b], "weight_decay": 0.0}], **options)]


def muon(w, b):
    # `zeropower` works in bfloat16 by `grad.bfloat16()`; the same steps in float64:
    from torch.optim import _muon

    def exact(grad, coefficients, steps, eps):
        a, c, d = coefficients
        y = grad.T if grad.size(0) > grad.size(1) else grad
        y = y / y.norm().clamp(min=eps)
        for _ in range(steps):
            gram = y @ y.T
            y = a * y + (c * gram + d * gram @ gram) @ y
        return y.T if grad.size(0) > grad.size(1) else y

    _muon._zeropower_via_newtonschulz = exact
    return [torch.optim.Muon([w], lr=0.02, weight_decay=0.1, momentum=0.95),
            torch.optim.AdamW([b], lr=3e-4, betas=(0.9, 0.95), weight_decay=0.0)]


optim = torch.optim
found = {
    "sgd": run(pair(optim.SGD, 0.01, lr=0.01)),
    "momentum": run(pair(optim.SGD, 0.01, lr=0.01, momentum=0.9)),
    "nesterov": run(pair(optim.SGD, 0.01, lr=0.01, momentum=0.9, nesterov=True)),
    "rmsprop": run(pair(optim.RMSprop, 0.01, lr=0.01, alpha=0.95)),
    "adam": run(pair(optim.Adam, 0.01, lr=0.01, betas=(0.9, 0.99))),
    "adamw": run(pair(optim.AdamW, 0.1, lr=0.01, betas=(0.9, 0.95))),
    "lion": run(pair(Lion, 0.1, lr=0.01, betas=(0.9, 0.99))),
    "muon": run(muon),
}
print(json.dumps({"pytorch": torch.__version__, **found}, indent=1))
