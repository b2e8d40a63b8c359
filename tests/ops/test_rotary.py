"""Rotary positions turn queries and keys as Llama does."""

import json
from pathlib import Path

import numpy as np

from minillm import ops

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "rotary.json").read_text())


def test_llama_turns_the_same_pairs_by_the_same_angles():
    """Near positions, and far ones up to 8,191; Llama's cosines have the digits of float32."""
    rng = np.random.default_rng(12)
    q, k = (rng.normal(size=(2, heads, 5, 8)) for heads in (2, 1))
    where = np.array([[0, 1, 2, 3, 4], [7, 100, 1000, 5000, 8191]])
    for x, expected in ((q, GOLDEN["q"]), (k, GOLDEN["k"])):
        found = ops.rotate(x, where)
        np.testing.assert_allclose(found[0], np.array(expected)[0], atol=1e-6)
        np.testing.assert_allclose(found[1], np.array(expected)[1], atol=3e-3)
