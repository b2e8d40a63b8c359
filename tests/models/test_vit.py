"""ViT: its patches, what the class token looks at, what it can learn, and what it refuses."""

import json

import numpy as np
import pytest

from minillm import backend
from minillm.models import ViT, ViTConfig
from minillm.models.vit import cut
from minillm.training import AdamW, load_model, save_checkpoint

from .kinds import KINDS, pictures

SIZES = dict(image=8, patch=4, classes=3, layers=1, heads=2, width=8)


def test_patches_are_the_squares_of_an_image():
    images = np.random.default_rng(0).normal(size=(2, 6, 9, 2))
    patches = cut(images, 3)
    assert patches.shape == (2, 6, 18)
    for n in range(6):
        row, column = 3 * (n // 3), 3 * (n % 3)
        square = images[:, row:row + 3, column:column + 3]
        assert np.array_equal(patches[:, n], square.reshape(2, -1))


@pytest.mark.parametrize("which", ["numpy", "numba"])
def test_it_is_an_encoder_of_patches(which):
    """Written out with the parts, for one image."""
    with backend(which):
        model, (images, _) = KINDS["ViT"].make(), pictures(6, 6)
        squares = images[0].reshape(3, 2, 3, 2).swapaxes(1, 2).reshape(9, 4)
        x = np.concatenate([model.token.value[None],
                            squares @ model.patches.w.value + model.patches.b.value])
        x = (x + model.positions.w.value)[None]
        other = model.replica()
        x = other.norm(other.blocks(x))[:, 0] @ model.output.w.value + model.output.b.value
        np.testing.assert_allclose(model.forward(images)[:1], x, rtol=1e-9)


def test_a_channel_may_be_left_out_and_numbers_may_be_whole():
    model, (images, _) = KINDS["ViT"].make(), pictures(6, 6)
    found = model.forward(images).copy()
    assert np.array_equal(model.forward(images[..., None]), found)
    pixels = (images * 50).astype(np.uint8)
    assert np.array_equal(model.forward(pixels).copy(), model.forward(pixels.astype(float)))


def test_what_the_class_token_looks_at():
    for name, size in (("ViT", (6, 6)), ("ViT, colours and dropout", (4, 6, 3))):
        model, (images, _) = KINDS[name].make(), pictures(*size)
        for layer in (0, 1, -1):
            found = model.looks(images, layer)
            assert found.shape == (5, model.config.heads, *model.config.grid)
            sums = found.sum((2, 3))
            assert ((sums > 0) & (sums < 1)).all()
            itself = model.blocks[layer].attention.weights()[:, :, 0, 0]
            np.testing.assert_allclose(sums + itself, 1)
        expected = model.forward(images).copy()
        model.looks(images)
        assert np.array_equal(model.forward(images), expected)


def test_sizes_of_images_survive_a_checkpoint(tmp_path):
    for image in (8, (8, 8), [8, 8], np.int64(8)):
        model = ViT(ViTConfig(**SIZES | dict(image=image)))
        assert model.config == ViTConfig(**SIZES)
        assert model.config.grid == (2, 2)
        json.dumps(model.config.image)
        save_checkpoint(tmp_path / "m.npz", model)
        assert load_model(tmp_path / "m.npz").config == model.config


def shapes(rng, count):
    """Squares (0) and crosses (1) of side 5 somewhere in 12 x 12 pixels, in a little noise."""
    cross = np.zeros((5, 5))
    cross[2] = cross[:, 2] = 1
    square = np.ones((5, 5))
    square[1:4, 1:4] = 0
    images, labels = rng.normal(0, 0.1, (count, 12, 12)), rng.integers(0, 2, count)
    for image, label, row, column in zip(images, labels, *rng.integers(0, 8, (2, count))):
        image[row:row + 5, column:column + 5] += (square, cross)[label]
    return images, labels


@pytest.mark.parametrize("norm_first", [True, False])
def test_it_learns_to_tell_shapes_apart(norm_first):
    rng = np.random.default_rng(0)
    model = ViT(ViTConfig(image=12, patch=3, classes=2, layers=2, heads=4, width=32,
                          norm_first=norm_first))
    optimizer = AdamW(model, lr=3e-3)
    for step in range(250):
        optimizer.lr = 3e-3 * (1 - step / 250)
        model.grads[:] = 0
        model.loss(*shapes(rng, 64))
        model.backward()
        optimizer.clip(1.0)
        optimizer.step()
    images, labels = shapes(rng, 500)
    assert (model.forward(images).argmax(-1) == labels).mean() >= 0.97


@pytest.mark.parametrize(("changed", "message"), [
    (dict(image=0), "image=0"), (dict(image=(8, 8, 1)), r"image=\(8, 8, 1\)"),
    (dict(image=8.0), r"image=8\.0"), (dict(image="88"), "image='88'"),
    (dict(image=(8, True)), "image="), (dict(patch=3), r"patch=3 does not divide image=\(8, 8\)"),
    (dict(image=(8, 6)), "patch=4 does not divide"), (dict(patch=0), "patch=0"),
    (dict(classes=0), "classes=0"), (dict(channels=0), "channels=0"),
    (dict(heads=3), "not a multiple of heads=3"), (dict(norm_first=1), "norm_first=1"),
    (dict(dropout=2), "dropout=2"), (dict(eps=0), "eps=0"),
])
def test_refused_sizes(changed, message):
    with pytest.raises(ValueError, match=message):
        ViTConfig(**SIZES | changed)


@pytest.mark.parametrize(("images", "message"), [
    (np.zeros((2, 8, 9)), r"images has shape \(2, 8, 9\).*\(8, 8, 1\)"),
    (np.zeros((8, 8)), r"images has shape \(8, 8\)"), (np.zeros((2, 8, 8, 3)), "images has shape"),
    (np.zeros((2, 4, 16)), "images has shape"), (np.zeros((0, 8, 8)), "at least one image"),
    (np.full((1, 8, 8), np.nan), "images holds NaN"), (np.full((1, 8, 8), np.inf), "infinity"),
    (np.full((1, 8, 8), 1e300), "infinity"),
])
def test_refused_images(images, message):
    model = ViT(ViTConfig(**SIZES))
    for method in (model.forward, model.looks):
        with pytest.raises(ValueError, match=message):
            method(images)


def test_refused_types_and_labels():
    model = ViT(ViTConfig(**SIZES))
    with pytest.raises(TypeError, match="images has dtype <U1"):
        model.forward(np.full((1, 8, 8), "a"))
    with pytest.raises(ValueError, match=r"targets holds 3, which is neither in \[0, 3\)"):
        model.loss(np.zeros((1, 8, 8)), [3])
    with pytest.raises(ValueError, match=r"takes as inputs \(images\)"):
        model.loss(np.zeros((1, 8, 8)), [1], [1])
