"""Where a token stands: strategies with one interface, one of which a model is given.

``embed`` acts once, on the embeddings; ``rotate`` and ``bias`` in every attention, on queries and
keys and on their scores; ``in_attention`` says whether they do anything. ``where`` holds the
positions, (T,) for all rows alike or (B, T).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from .layers import Embedding
from .module import Module
from .parameters import Init


class NoPositions(Module):
    """None: the model sees the order only through its causal mask."""

    in_attention = False

    def embed(self, x, where):
        """Add what depends on the position to the embeddings, in place."""
        return x

    def embed_backward(self, dx) -> None:
        """Add to the gradients of the strategy's parameters."""

    def rotate(self, x, where):
        """Queries or keys (B, H, T, D) as attention is to see them."""
        return x

    def rotate_backward(self, dy, where):
        """The gradient of what ``rotate`` was given."""
        return dy

    def bias(self, heads: int, where):
        """What a score loses for each position between query and key, (H,), or None."""
        return None


class Learned(NoPositions, Embedding):
    """A vector for each position, learned and added. Source: Gehring et al. (2017), section 3.1."""

    def __init__(self, context: int, width: int, init: Init, std: float = 0.01):
        Embedding.__init__(self, context, width, init, std)

    def embed(self, x, where):
        x += self(where)
        return x

    def embed_backward(self, dx) -> None:
        shared = self.ids.ndim == 1  # all rows have the same positions
        self.backward(dx.sum(axis=0) if shared else dx)


class Sinusoidal(NoPositions):
    """Waves of many lengths, added; nothing is learned. See ops.sinusoids."""

    def __init__(self, width: int):
        super().__init__()
        ops.sinusoids(0, width)  # refuses an odd one here, where it was given

    def embed(self, x, where):
        x += ops.sinusoids(where, x.shape[-1]).astype(x.dtype)
        return x


class Rotary(NoPositions):
    """Queries and keys are turned by an angle that grows with the position; see ops.rotate."""

    in_attention = True

    def __init__(self, theta: float = 10_000.0):
        super().__init__()
        self.theta = theta

    def rotate(self, x, where):
        return ops.rotate(x, where, self.theta)

    def rotate_backward(self, dy, where):
        return ops.rotate(dy, -np.asarray(where), self.theta)  # the way back is the inverse


class Alibi(NoPositions):
    """Attention with linear biases: the farther back a key lies, the lower its score.

    Head h of H takes off 2^(-8h/H) for each position, h = 1 … H. If H is no power of two, the
    first heads have the slopes of the next lower one, and the others every second slope of the
    next higher. Source: Press et al. (2022), section 3; other numbers of heads: its code.
    """

    in_attention = True

    def bias(self, heads: int, where):
        if not ((np.diff(where) == 1) | (np.asarray(where)[..., 1:] <= 0)).all():
            raise ValueError("where leaves out positions, but ALiBi counts each place between two "
                             "tokens as one; expected whole numbers that follow one another")
        lower = 1 << heads.bit_length() - 1
        powers = [*np.arange(1, lower + 1) / lower, *np.arange(1, 2 * lower, 2) / (2 * lower)]
        return 2.0 ** (-8 * np.array(powers[:heads]))


POSITIONS: dict[str, Any] = {
    "learned": Learned,
    "sinusoidal": lambda context, width, init: Sinusoidal(width),
    "rotary": lambda context, width, init: Rotary(),
    "alibi": lambda context, width, init: Alibi(),
    "none": lambda context, width, init: NoPositions(),
}
