"""Vision Transformer: an image is a sentence whose words are its patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..checks import is_whole
from ..nn import Dropout, Experts, Init, LayerNorm, Learned, Linear, Stack
from .layers import layer
from .model import Model, alone
from .settings import parts_of_blocks, small_number, switches, whole_numbers


@dataclass(frozen=True)
class ViTConfig:
    """Sizes of a ViT.

    image: rows and columns of an image, one number if they are equal; patch: those of a patch,
    a square, which must divide them. channels: numbers for each pixel, such as 3 for colours.
    ``hidden`` (F) is four times ``width`` (C) unless given. norm_first: norms before the parts of a
    block, and one at the end. dropout, experts: as of GPTConfig. eps: what norms add to the
    variance.
    """

    image: int | tuple[int, int]
    patch: int
    classes: int
    layers: int
    heads: int
    width: int
    channels: int = 1
    hidden: int | None = None
    norm_first: bool = True
    dropout: float = 0.0
    eps: float = 1e-6
    experts: Experts | None = None

    def __post_init__(self):
        sides = self.image if isinstance(self.image, (tuple, list)) else (self.image, self.image)
        if len(sides) != 2 or not all(is_whole(side) and side >= 1 for side in sides):
            raise ValueError(f"image={self.image!r}: expected the number of rows and columns, or "
                             "one whole number for both")
        object.__setattr__(self, "image", (int(sides[0]), int(sides[1])))
        whole_numbers(self, "patch", "classes", "layers", "heads", "width", "channels", "hidden",
                      optional=("hidden",))
        if sides[0] % self.patch or sides[1] % self.patch:
            raise ValueError(f"patch={self.patch} does not divide image={self.image} into whole "
                             "patches")
        switches(self, "norm_first")
        small_number(self, "eps")
        parts_of_blocks(self)

    @property
    def grid(self) -> tuple[int, int]:
        """How many patches stand below and beside one another."""
        return self.image[0] // self.patch, self.image[1] // self.patch  # type: ignore[index]


def cut(images, patch: int):
    """Images (B, rows, columns, channels) -> their patches, row by row, (B, N, P·P·channels)."""
    B, rows, columns, channels = images.shape
    P = patch
    x = images.reshape(B, rows // P, P, columns // P, P, channels).swapaxes(2, 3)
    return x.reshape(B, -1, P * P * channels)


class ViT(Model):
    """An encoder of patches; what it makes of one token more, of no patch, decides on the class.

    A batch is (images, labels), with labels (B,). Source: Dosovitskiy et al. (2021), section 3.1.
    """

    Config = ViTConfig

    def build(self, config: ViTConfig, init: Init) -> None:
        c = config
        inputs = c.patch * c.patch * c.channels
        self.patches = Linear(inputs, c.width, init, inputs ** -0.5)
        self.token = init.normal(0.02, c.width)
        self.positions = Learned(1 + c.grid[0] * c.grid[1], c.width, init, 0.02)
        self.dropout = Dropout(c.dropout)
        self.blocks = Stack([layer(c, init, "gelu_exact") for _ in range(c.layers)])
        self.norm = LayerNorm(c.width, init, c.eps) if c.norm_first else None
        self.output = Linear(c.width, c.classes, init, c.width ** -0.5)

    def check_images(self, images):
        """images as (B, rows, columns, channels) in the weights' type, or a clear error."""
        images, c = np.asarray(images), self.config
        expected = (*c.image, c.channels)
        if c.channels == 1 and images.shape[1:] == c.image:
            images = images[..., None]
        if images.shape[1:] != expected or len(images) == 0:
            raise ValueError(f"images has shape {images.shape}; this model takes (B, rows, "
                             f"columns, channels) with {expected}, and at least one image")
        if images.dtype.kind not in "iufb":
            raise TypeError(f"images has dtype {images.dtype}; expected numbers")
        with np.errstate(over="ignore"):  # found below
            images = images.astype(self.weights.dtype)
        if not np.isfinite(images).all():
            raise ValueError("images holds NaN or infinity")
        return images

    def logits(self, images, *, drops=None):
        """Scores of the classes: images (B, rows, columns) or (B, rows, columns, channels) ->
        (B, classes). drops: as of GPT. Raises ValueError for images of another size."""
        y = self.patches(cut(self.check_images(images), self.config.patch))
        x = self.saved("x", (len(y), 1 + y.shape[1], y.shape[2]), y.dtype)
        x[:, 0], x[:, 1:] = self.token.value, y
        x = self.positions.embed(x, np.arange(x.shape[1]))
        x = self.blocks(self.dropout(x, drops), drops=drops)
        self.shape = x.shape
        return self.output(x[:, 0] if self.norm is None else self.norm(x[:, 0]))

    def logits_backward(self, dlogits):
        dfirst = self.output.backward(dlogits)
        dx = np.zeros(self.shape, dfirst.dtype)
        dx[:, 0] = dfirst if self.norm is None else self.norm.backward(dfirst)
        dx = self.dropout.backward(self.blocks.backward(dx))
        self.positions.embed_backward(dx)
        self.token.grad += dx[:, 0].sum(axis=0)
        self.patches.backward(np.ascontiguousarray(dx[:, 1:]))

    @alone
    def looks(self, images, layer: int = -1):
        """How much the class token takes from each patch, in a layer: (B, H, rows, columns) of
        the grid of patches. What it takes from itself is missing to a sum of 1."""
        self.forward(images)
        weights = self.blocks[layer].attention.weights()[:, :, 0, 1:]
        return weights.reshape(*weights.shape[:2], *self.config.grid)
