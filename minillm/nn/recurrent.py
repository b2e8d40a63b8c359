"""Recurrent layers: they read one vector after another, and keep a state."""

from __future__ import annotations

import numpy as np

from .. import ops
from .module import Module, replicate
from .parameters import Init


class Elman(Module):
    """h_t = tanh(x_t W + h_{t-1} U + b), from h = 0.  x: (B, T, C) -> the states (B, T, H).

    After backward, ``dh`` (1 + T, B, H) is the gradient by each state, the first being h_0.
    """

    gates = 1  # matrices that x and the state are multiplied by

    def __init__(self, inputs: int, width: int, init: Init):
        super().__init__()
        self.w = init.normal(inputs**-0.5, inputs, self.gates * width)
        self.u = init.normal(width**-0.5, width, self.gates * width)
        self.b = self.bias(width, init)

    def bias(self, width: int, init: Init):
        return init.constant(0, 1, width)

    def forward(self, x):
        (B, T, C), H, dtype = x.shape, self.u.shape[0], x.dtype
        self.x, self.h = self.saved("x", (T, B, C), dtype), self.saved("h", (1 + T, B, H), dtype)
        self.x[...], self.h[0] = x.swapaxes(0, 1), 0  # time first
        a = self.saved("a", (T, B, self.gates * H), dtype)
        self.recur(ops.linear(self.x, self.w.value, self.b.value.reshape(-1), out=a))
        y = self.saved("y", (B, T, H), dtype)
        y[...] = self.h[1:].swapaxes(0, 1)
        return y

    def backward(self, dy):
        self.dh = self.saved("dh", self.h.shape, dy.dtype)
        self.dh[0], self.dh[1:] = 0, dy.swapaxes(0, 1)
        dx = self.scratch("dx", self.x.shape, dy.dtype)
        ops.linear_backward(self.recur_backward(), self.x, self.w.value, self.w.grad,
                            self.b.grad.reshape(-1), out=dx)
        out = self.scratch("dx in order", dx.swapaxes(0, 1).shape, dy.dtype)
        out[...] = dx.swapaxes(0, 1)
        return out

    def recur(self, a) -> None:
        """Fill the states, given the part of each step that is known beforehand."""
        ops.tanh_recurrence(a, self.u.value, self.h)

    def recur_backward(self):
        """The gradient by that part; ``dh`` becomes the whole gradient by each state."""
        da = self.scratch("da", self.h[1:].shape, self.h.dtype)
        return ops.tanh_recurrence_backward(self.dh, self.h, self.u.value, self.u.grad, out=da)


class LongShortTerm(Elman):
    """The layer of an LSTM: see ops.lstm.  x: (B, T, C) -> the states h (B, T, H).

    The forget gates start open, b_f = 1 (Gers et al., 2000; Jozefowicz et al., 2015). After
    backward, ``dh`` and ``dc`` (1 + T, B, H) are the gradients by the states h and c.
    """

    gates = 4  # in the order i, f, g, o

    def bias(self, width: int, init: Init):
        return init.given(np.broadcast_to([[0.0], [1.0], [0.0], [0.0]], (4, width)))

    def recur(self, a) -> None:
        self.c = self.saved("c", self.h.shape, self.h.dtype)
        self.c[0], self.opened = 0, a
        ops.lstm(a, self.u.value, self.h, self.c)

    def recur_backward(self):
        self.dc = self.saved("dc", self.h.shape, self.h.dtype)
        self.dc[...] = 0
        return ops.lstm_backward(self.dh, self.dc, self.opened, self.c, self.h, self.u.value,
                                 self.u.grad)


def gradient_norms(layer: Elman, x, seed: int = 0):
    """How much of a gradient comes back to a state n steps earlier: (T,), n = 0 … T - 1.

    The gradient of a random direction of the last state h_T, of length 1 in each row of x
    (B, T, C), by the states n steps before it; the root of the mean over rows of its length². The
    layer's own gradients stay as they are.
    Source: Pascanu et al. (2013), section 2.
    """
    layer = replicate(layer)
    dy = np.zeros_like(layer(x))
    last = np.random.default_rng(seed).normal(size=dy[:, -1].shape)
    dy[:, -1] = last / np.linalg.norm(last, axis=1, keepdims=True)
    layer.backward(dy)
    squares = (layer.dh[1:] ** 2).sum(axis=2)
    if isinstance(layer, LongShortTerm):
        squares += (layer.dc[1:] ** 2).sum(axis=2)
    return np.sqrt(squares.mean(axis=1))[::-1]
