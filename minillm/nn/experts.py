"""A mixture of experts: many feed-forward layers, of which each token uses a few."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import ops
from ..checks import check, is_number, is_whole
from .feed_forward import FEED_FORWARDS, inside_of
from .module import Module
from .parameters import Init, Parameter


@dataclass(frozen=True)
class Experts:
    """Which experts a block has in the place of its feed-forward layer; Mixtral's kind.

    count: number of experts (E); active: how many a token uses, all of them in a dense mixture;
    hidden: width inside each expert, that of the layer they replace if None; shared: experts that
    every token uses besides. gate, normalize: see ops.weigh. correction: a number for each
    expert that is added to p for the choice alone, see ``rebalance``. balance, z: weights of
    ops.load_balance and ops.z_loss in the loss of training. capacity: in training an expert
    takes so many times its equal share at most; what it cannot take is dropped.
    """

    count: int = 8
    active: int = 2
    hidden: int | None = None
    shared: int = 0
    gate: str = "softmax"
    normalize: bool = True
    correction: bool = False
    balance: float = 0.0
    z: float = 0.0
    capacity: float | None = None

    def __post_init__(self) -> None:
        for name in ("count", "active", "hidden", "shared"):
            value, least = getattr(self, name), int(name != "shared")
            if value is not None or name != "hidden":
                check(name, value, is_whole(value) and value >= least,
                      f"a whole number of at least {least}")
        check("active", self.active, self.active <= self.count,
              f"at most count={self.count}, the number of experts")
        check("gate", self.gate, self.gate in ops.GATES, f"one of {', '.join(ops.GATES)}")
        for name in ("balance", "z"):
            value = getattr(self, name)
            check(name, value, is_number(value) and value >= 0, "a number of at least 0")
        check("capacity", self.capacity, self.capacity is None
              or (is_number(self.capacity) and self.capacity > 0), "a positive number, or None")

    @classmethod
    def of(cls, value: Any) -> Experts | None:
        """Experts, or what a file holds of them: a dict of their settings, or nothing."""
        if value is None or isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"experts={value!r:.60}: expected Experts(…), or None")
        return cls(**value)


class MixtureOfExperts(Module):
    """y = Σⱼ wⱼ expertⱼ(x) over the experts that a router chooses for x.  (B, T, C) -> same.

    Experts have no biases. After a forward, ``chosen`` (N, k) and ``weights`` (N, k) say where
    the tokens went, ``penalty`` what it adds to the loss of training. ``counts`` says how often
    each expert was chosen in training since ``rebalance``. A model sets ``training`` during a loss
    and ``scale``, which multiplies the loss, before backward.
    Sources: Shazeer et al. (2017), section 2; Jiang et al. (2024), section 2.1; shared and
    fine-grained experts: Dai et al. (2024), sections 3.1 and 3.2.
    """

    def __init__(self, width: int, hidden: int, init: Init, experts: Experts,
                 out_std: float = 0.02, kind: str = "gelu", std: float = 0.02):
        super().__init__()
        self.experts, E, F = experts, experts.count, experts.hidden or hidden
        self.training, self.scale = False, 0.0
        self.counts: list[float] | None = None
        self.router = init.normal(std, width, E)
        self.correction = Parameter(init.constant(0, E).value, False, trainable=False) \
            if experts.correction else None
        self.shared = FEED_FORWARDS[kind](width, F * experts.shared, init, out_std, bias=False,
                                          std=std) if experts.shared else None
        self.activation, gated = inside_of(kind)
        self.gates = init.normal(std, E, width, F) if gated else None
        self.expand = init.normal(std, E, width, F)
        self.contract = init.normal(out_std, E, F, width)

    def forward(self, x):
        self.x, self.scale = x.reshape(-1, x.shape[-1]), 0.0
        self.route()
        shape = len(self.tokens), x.shape[-1]
        self.rows = np.take(self.x, self.tokens, axis=0, mode="clip",
                            out=self.saved("rows", shape, x.dtype))
        self.out = ops.grouped_linear(self.inside(), self.contract.value, self.starts,
                                      out=self.saved("out", shape, x.dtype))
        y = ops.combine(self.out, self.place, self.weights,
                        out=self.saved("y", self.x.shape, x.dtype)).reshape(x.shape)
        if self.shared is not None:
            y += self.shared(x)
        return y

    def route(self) -> None:
        """Choose experts for each token, sort the tokens by expert, and keep the counts."""
        e, N = self.experts, len(self.x)
        gate, _ = ops.GATES[e.gate]
        self.scores = ops.linear(self.x, self.router.value)
        self.p = gate(self.scores)
        self.chosen = ops.choose(self.p if self.correction is None
                                 else self.p + self.correction.value, e.active)
        self.weights = ops.weigh(self.p, self.chosen, e.normalize)
        limit = ops.capacity_of(N, e.active, e.count, e.capacity) \
            if self.training and e.capacity else None
        self.tokens, self.place, self.starts = ops.by_expert(self.chosen, e.count, limit)
        self.shares = np.bincount(self.chosen.ravel(), minlength=e.count) / self.chosen.size
        self.penalty = 0.0
        if e.balance:
            self.penalty += e.balance * ops.load_balance(self.p, self.shares)
        if e.z:
            self.penalty += e.z * ops.z_loss(self.scores)

    def inside(self):
        """The hidden layer of all experts: each row by the expert it was sent to.  (M, F)."""
        f, _ = ops.ACTIVATIONS[self.activation]
        shape, dtype = (len(self.rows), self.expand.shape[2]), self.rows.dtype
        self.h = ops.grouped_linear(self.rows, self.expand.value, self.starts,
                                    out=self.saved("h", shape, dtype))
        self.active = self.saved("active", shape, dtype)
        if self.gates is None:
            return f(self.h, out=self.active)
        self.g = ops.grouped_linear(self.rows, self.gates.value, self.starts,
                                    out=self.saved("g", shape, dtype))
        self.open = f(self.g, out=self.saved("open", shape, dtype))
        return np.multiply(self.open, self.h, out=self.active)

    def inside_backward(self, d):
        """Gradient of ``inside`` by the rows; ``d``, that of the hidden layer, is overwritten."""
        _, f_backward = ops.ACTIVATIONS[self.activation]
        drows = self.scratch("drows", self.rows.shape, d.dtype)
        if self.gates is None:
            dh = f_backward(d, self.h, out=d)
            return ops.grouped_linear_backward(dh, self.rows, self.expand.value, self.expand.grad,
                                               self.starts, out=drows)
        dg = np.multiply(d, self.h, out=self.scratch("dg", d.shape, d.dtype))
        dg = f_backward(dg, self.g, out=dg)
        d *= self.open
        ops.grouped_linear_backward(d, self.rows, self.expand.value, self.expand.grad,
                                    self.starts, out=drows)
        more = self.scratch("dout", drows.shape, d.dtype)
        drows += ops.grouped_linear_backward(dg, self.rows, self.gates.value, self.gates.grad,
                                             self.starts, out=more)
        return drows

    def backward(self, dy):
        flat = dy.reshape(self.x.shape)
        dout, dweights = ops.combine_backward(flat, self.out, self.place, self.weights,
                                              out=self.scratch("dout", self.out.shape, dy.dtype))
        d = ops.grouped_linear_backward(dout, self.active, self.contract.value,
                                        self.contract.grad, self.starts,
                                        out=self.scratch("d", self.active.shape, dy.dtype))
        drows = self.inside_backward(d)
        dx = ops.combine(drows, self.place, np.ones_like(self.weights),
                         out=self.scratch("dx", self.x.shape, dy.dtype))
        dx += ops.linear_backward(self.route_backward(dweights), self.x, self.router.value,
                                  self.router.grad)
        dx = dx.reshape(dy.shape)
        if self.shared is not None:
            dx += self.shared.backward(dy)
        counts = self.shares * self.chosen.size
        self.counts = (counts + (0 if self.counts is None else self.counts)).tolist()
        return dx

    def route_backward(self, dweights):
        """Gradient of the scores, from that of the weights and from the losses of the router."""
        e = self.experts
        _, gate_backward = ops.GATES[e.gate]
        dp = ops.weigh_backward(dweights, self.weights, self.p, self.chosen, e.normalize)
        if e.balance:
            dp += self.scale * e.balance * ops.load_balance_backward(self.p, self.shares)
        dscores = gate_backward(dp, self.p)
        if e.z:
            dscores += self.scale * e.z * ops.z_loss_backward(self.scores)
        return dscores


@contextmanager
def training(mixtures: list[MixtureOfExperts]) -> Iterator[None]:
    """What they do in here is for training: their capacity counts."""
    for part in mixtures:
        part.training = True
    try:
        yield
    finally:
        for part in mixtures:
            part.training = False


def feed_forward_or_experts(kind: str, width: int, hidden: int, init: Init, out_std: float,
                            experts: Experts | None = None, std: float = 0.02,
                            **options: Any) -> Module:
    """A feed-forward layer of this kind, or experts in its place; options: of the layer alone."""
    if experts is not None:
        return MixtureOfExperts(width, hidden, init, experts, out_std, kind, std)
    return FEED_FORWARDS[kind](width, hidden, init, out_std, std=std, **options)


def rebalance(model: Module, rate: float) -> None:
    """Make experts that were chosen more than others less likely to be chosen, and vice versa.

    To be called after a step. Each ``correction`` moves by ``rate``, down where an expert had more
    than its share since the last call, up where it had less. No loss is needed, and the gradient
    is that of the task alone. Raises ValueError for a model without corrections, or one that has
    not been trained since.
    Source: Wang et al. (2024), section 3, algorithm 1.
    """
    mixtures = [(part, part.correction) for part in model.modules()
                if isinstance(part, MixtureOfExperts) and part.correction is not None]
    if not mixtures or any(part.counts is None for part, _ in mixtures):
        raise ValueError("model has no experts with correction=True that a backward has gone "
                         "through since the last rebalance; call it once after each step")
    for part, correction in mixtures:
        counts = np.array(part.counts)
        correction.value -= rate * np.sign(counts - counts.mean())
        part.counts = None
