"""Copying at a distance, and functions given by examples."""

import numpy as np
import pytest

from minillm.data import IGNORE_INDEX
from minillm.data.tasks import copying, in_context


@pytest.mark.parametrize(("length", "distance"), [(1, 2), (5, 6), (5, 40), (12, 100)])
def test_copies_stand_at_the_distance(length, distance):
    inputs, targets = copying.sequences(50, length, distance, seed=1)
    assert inputs.shape == targets.shape == (50, distance + length - 1)
    whole = np.concatenate([inputs, targets[:, -1:]], axis=1)
    np.testing.assert_array_equal(whole[:, :length], whole[:, distance:])
    assert (whole[:, distance - 1] == copying.MARK).all()
    assert (whole[:, length : distance - 1] == copying.BLANK).all()
    asked = targets != IGNORE_INDEX
    assert (asked.sum(axis=1) == length).all()
    assert asked[:, -length:].all()
    np.testing.assert_array_equal(targets[:, -length:], whole[:, :length])
    assert whole.max() < copying.vocabulary_size()


def test_copying_is_deterministic_balanced_and_apart():
    a, _ = copying.sequences(4000, 6, 20, seed=1)
    b, _ = copying.sequences(4000, 6, 20, seed=1)
    held, _ = copying.sequences(1000, 6, 20, seed=1, held=True)
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, copying.sequences(4000, 6, 20, seed=2)[0])
    assert not {row.tobytes() for row in a} & {row.tobytes() for row in held}
    counts = np.bincount(a[:, :6].ravel(), minlength=10)[2:]
    assert counts.min() > 0.9 * counts.max()


def test_symbols_do_not_tell_of_each_other():
    symbols = copying.sequences(8000, 4, 10, seed=3)[0][:, :4] - copying.FIRST
    table = np.zeros((8, 8))
    np.add.at(table, (symbols[:, 0], symbols[:, 1]), 1)
    assert table.max(axis=1).sum() / table.sum() < 0.18  # chance is 1/8


@pytest.mark.parametrize("arguments", [
    {"n": -1, "length": 3, "distance": 9}, {"n": 3, "length": 0, "distance": 9},
    {"n": 3, "length": 3, "distance": 3}, {"n": 3, "length": 3, "distance": 9, "symbols": 4},
])
def test_copying_refuses(arguments):
    with pytest.raises(ValueError, match="is"):
        copying.sequences(**arguments)


def solve(prompt, kind, symbols):
    """The answer by plain reading of the prompt."""
    pairs = dict(zip(prompt[0:-1:2].tolist(), prompt[1::2].tolist()))
    if kind == "map":
        return pairs[int(prompt[-1])]
    (x, y), *_ = pairs.items()
    return (int(prompt[-1]) + y - x) % symbols


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("kind", in_context.KINDS)
@pytest.mark.parametrize(("examples", "symbols"), [(1, 5), (4, 5), (6, 16), (10, 26)])
def test_answers_follow_from_the_prompt(kind, examples, symbols, held):
    prompts, answers = in_context.prompts(300, examples, kind, symbols, seed=1, held=held)
    assert prompts.shape == (300, 2 * examples + 1)
    for prompt, answer in zip(prompts, answers):
        assert len(set(prompt[0:-1:2].tolist())) == examples
        assert (prompt[-1] in prompt[0:-1:2]) == (kind == "map")
        assert solve(prompt, kind, symbols) == answer
    assert (in_context.is_held(prompts) == held).all()


@pytest.mark.parametrize("kind", in_context.KINDS)
def test_nothing_but_the_examples_answers(kind):
    train, answers = in_context.prompts(6000, 6, kind, seed=1)
    again, _ = in_context.prompts(6000, 6, kind, seed=1)
    np.testing.assert_array_equal(train, again)
    held, truth = in_context.prompts(2000, 6, kind, seed=2, held=True)
    assert not {p.tobytes() for p in train} & {p.tobytes() for p in held}
    assert (np.bincount(answers).argmax() == truth).mean() < 0.1
    table = np.zeros((16, 16))  # what the asked symbol became in other prompts
    np.add.at(table, (train[:, -1], answers), 1)
    assert (table.argmax(axis=1)[held[:, -1]] == truth).mean() < 0.1
    assert (held[:, -2] == truth).mean() < 0.3  # the last example's value


def test_spelling():
    assert in_context.spell(np.array([0, 16, 3, 2, 3])) == "a→q d→c d→"


@pytest.mark.parametrize("arguments", [
    {"examples": 3, "kind": "sum"}, {"examples": 0}, {"examples": 17},
    {"examples": 16, "kind": "shift"}, {"examples": 2, "symbols": 3},
])
def test_in_context_refuses(arguments):
    with pytest.raises(ValueError, match="is"):
        in_context.prompts(4, **arguments)
