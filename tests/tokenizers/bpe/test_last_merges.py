"""Merges that never happen are left out of the kernel's table, and of nothing else."""

import random

import numpy as np
import pytest

from minillm.tokenizers.bpe.byte_bpe import ByteBPE

pytest.importorskip("numba")


def model_of(rng, letters, tokens, whole=False):
    """Random entries with all their cuts as merges, of random ranks, some of them equal."""
    names = {bytes([letter]): k for k, letter in enumerate(letters)}
    for _ in range(tokens):
        name = rng.choice(list(names)) + rng.choice(list(names))
        names.setdefault(name, len(names))
    rows = [(names[name[:k]], names[name[k:]], id) for name, id in names.items()
            for k in range(1, len(name)) if name[:k] in names and name[k:] in names]
    rng.shuffle(rows)
    rows = rows[: rng.randrange(1, len(rows) + 1)]
    ranks = [rng.randrange(len(rows)) for _ in rows]
    if rng.random() < 0.5:  # as in tiktoken: each token has one rank
        ranks = [id for *_, id in rows]
    return ByteBPE([*names], np.array(rows, np.int32), whole, np.array(ranks, np.int64))


def check(model, text):
    data = np.frombuffer(text, np.uint8)
    ids, _ = model.encode(data, np.array([[0, len(data)]]))
    assert ids.tolist() == model.encode_piece(text)


@pytest.mark.parametrize("seed", range(80))
def test_the_ids_stay_what_all_merges_give(seed):
    rng = random.Random(seed)
    letters = b"abcd"[: rng.randrange(1, 5)]
    model = model_of(rng, letters, rng.randrange(1, 60), rng.random() < 0.3)
    for _ in range(30):
        check(model, bytes(rng.choices(letters + b"x", k=rng.choice([1, 3, 9, 30, 200]))))
    for token in model.ids:
        check(model, token)


def test_half_of_the_merges_of_ranks_never_happen():
    names = [b"a", b"b", b"c", b"ab", b"abc", b"bc"]
    rows = [(0, 1, 3), (3, 2, 4), (0, 5, 4), (1, 2, 5)]  # bc comes too late for a + bc
    model = ByteBPE(names, np.array(rows, np.int32), ranks=np.array([3, 4, 4, 5]))
    pairs = model._words.pairs
    assert len(pairs.rows) == 3
    assert model._words.made.tolist() == [True] * 6
    check(model, b"abcbcaabbc")


def test_entries_that_their_merges_do_not_make():
    names = [b"a", b"b", b"c", b"ab", b"abc", b"bc"]
    rows = [(1, 2, 5), (0, 1, 3), (3, 2, 4)]  # bc comes first, so nothing becomes abc
    model = ByteBPE(names, np.array(rows, np.int32))
    assert len(model._words.pairs.rows) == 2
    assert model._words.made.tolist() == [True, True, True, True, False, True]
    check(model, b"abcbcaabbc")


def test_merges_that_make_other_bytes_than_their_parts_all_stay():
    names = [b"a", b"b", b"ab", b"c", b"bb"]
    rows = [(0, 1, 4), (4, 4, 3), (3, 1, 2)]  # a, b becomes bb
    model = ByteBPE(names, np.array(rows, np.int32))
    assert len(model._words.pairs.rows) == 3
    for text in (b"ababbabababb", b"ab", b"bb", b"abab"):
        check(model, text)


def test_endless_entries():
    names = [b"a" * (1 << k) for k in range(13)]
    rows = [(k, k, k + 1) for k in range(12)]
    model = ByteBPE(names, np.array(rows, np.int32))
    assert len(model._words.pairs.rows) == 12
    check(model, b"a" * 5000)
