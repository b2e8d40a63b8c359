"""Counted by formula, and counted from the products that a forward pass really does."""

from contextlib import contextmanager

import numpy as np
import pytest

from minillm import backend
from minillm.models import GPT, LSTM, GPTConfig, RecurrentConfig, multiplications

from .kinds import KINDS
from .test_options import OPTIONS, SIZES, model_of


@contextmanager
def counting(monkeypatch):
    """A list that takes in how many multiplications each product does."""
    done, matmul = [], np.matmul

    def counted(a, b, **options):
        done.append(int(np.prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2])))
                    * a.shape[-2] * a.shape[-1] * b.shape[-1])
        return matmul(a, b, **options)

    with monkeypatch.context() as patch, backend("numpy"):
        patch.setattr(np, "matmul", counted)
        yield done


@pytest.mark.parametrize("name", OPTIONS)
def test_a_gpt(name, monkeypatch):
    model = model_of(name)
    for T in (1, 7):
        with counting(monkeypatch) as done:
            model.forward(np.arange(T)[None])
        assert sum(done) == multiplications(model.config, T)


@pytest.mark.parametrize("name", KINDS)
def test_the_others(name, monkeypatch):
    kind = KINDS[name]
    if "Classifier" in name:
        pytest.skip("its head is not a BERT's")
    model, inputs = kind.make(), [part[:1] for part in kind.batch()[:-1]]
    lengths = [part.shape[1] for part in inputs if part.ndim == 2][:2]
    if name.startswith("BERT"):
        lengths, inputs = lengths[:1], inputs[:1]
    with counting(monkeypatch) as done:
        model.forward(*inputs)
    assert sum(done) == multiplications(model.config, *(() if "ViT" in name else lengths))


def test_of_gpt2():
    """The figure that chapter 16 finds."""
    gpt2 = GPTConfig(50_257, context=1024, layers=12, heads=12, width=768)
    blocks = 12 * (12 * 768**2 + 2 * 1024 * 768)
    assert multiplications(gpt2, 1024) == 1024 * (50_257 * 768 + blocks)
    assert GPT.size(gpt2) == 124_439_808


def test_another_kind_is_refused():
    with pytest.raises(TypeError, match="RecurrentConfig; expected that of a GPT"):
        multiplications(LSTM(RecurrentConfig(**{k: SIZES[k] for k in (
            "vocab_size", "context", "layers", "width")})).config, 5)
