"""A small least-squares problem, which PyTorch's optimizers and ours solve step by step."""

import numpy as np

rng = np.random.default_rng(20)
X, Y = rng.normal(size=(12, 6)), rng.normal(size=(12, 4))
w0, b0 = rng.normal(size=(6, 4)), rng.normal(size=4)


class Problem:
    """|X W + b - Y|² / 2 with what an optimizer wants of a model: one vector for W and b."""

    def __init__(self, dtype=np.float64):
        from minillm.nn import Parameter

        self.weights = np.concatenate([w0.ravel(), b0]).astype(dtype)
        self.grads = np.zeros_like(self.weights)
        self.decayed, self.learned = w0.size, self.weights.size
        self.parts = {"blocks.0.w": Parameter(self.weights[:24].reshape(6, 4), True),
                      "blocks.0.b": Parameter(self.weights[24:], False)}
        self.parts["blocks.0.b"].start = 24
        for p in self.parts.values():
            p.view(self.weights, self.grads)

    def named_parameters(self):
        return self.parts.items()

    def gradient(self) -> float:
        w, b = (p.value for p in self.parts.values())
        off = X @ w + b - Y
        self.parts["blocks.0.w"].grad[:] = X.T @ off
        self.parts["blocks.0.b"].grad[:] = off.sum(axis=0)
        return float((off**2).sum() / 2)
