"""The gradient of every parameter against finite differences."""

import numpy as np
import pytest


def check_gradients(model, loss, step=1e-5, atol=1e-9):
    """Along a random direction of each parameter; ``loss()`` computes the loss of ``model``."""
    loss()
    model.backward()
    for part, p in model.named_parameters():
        if not p.trainable:
            continue
        along = np.random.default_rng(3).normal(size=p.shape)
        at, losses = p.value.copy(), []
        for sign in (1, -1):
            p.value[...] = at + sign * step * along
            losses.append(loss())
        p.value[...] = at
        numeric = (losses[0] - losses[1]) / (2 * step)
        exact = float((p.grad * along).sum())
        assert exact == pytest.approx(numeric, rel=1e-6, abs=atol), part
