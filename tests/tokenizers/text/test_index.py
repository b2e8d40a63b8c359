"""Numbers found by what they stand for: entries of a vocabulary, pairs, pairs in a filter."""

import random

import numpy as np
import pytest

pytest.importorskip("numba")

from minillm.tokenizers.bpe.merging_kernel import NO_PAIR, pair_value, pairs_of
from minillm.tokenizers.text.index_kernel import (
    entries_of,
    entry_at,
    find_merges,
    may_hold,
    put_bits,
)
from minillm.tokenizers.text.machine_kernel import njit
from minillm.tokenizers.text.pieces_kernel import pair_key


@njit
def found(text, start, end, entries):
    return entry_at(text, start, end - start, entries)


@njit
def values(pairs, lefts, rights, out):
    for k in range(lefts.size):
        out[k] = pair_value(pairs, lefts[k], rights[k])


@njit
def put(bits, lefts, rights):
    for k in range(lefts.size):
        put_bits(bits, pair_key(lefts[k], rights[k]))


@njit
def held(bits, lefts, rights, out):
    for k in range(lefts.size):
        out[k] = may_hold(bits, pair_key(lefts[k], rights[k]))


def names(count=3000):
    """Nearly equal byte strings of up to 40 bytes, one of them empty, one twice."""
    rng = random.Random(2)
    made = {bytes(rng.choices(b"ab", k=rng.randint(1, 12)) + [99] * rng.choice([0, 0, 3, 28]))
            for _ in range(count)}
    return [b"", *sorted(made), sorted(made)[5]]


def test_entries():
    tokens = names()
    entries = entries_of(tokens)
    ids = {token: id for id, token in reversed([*enumerate(tokens)]) if token}
    for token in [*tokens, *(token + b"a" for token in tokens), *(token[:-1] for token in tokens)]:
        for text, start in ((token, 0), (b"ab" + token + b"b" * 20, 2)):
            if token:
                data = np.frombuffer(text, np.uint8)
                assert found(data, start, start + len(token), entries) == ids.get(token, -1)


def test_merges():
    tokens = [b"a", b"b", b"ab", b"c" * 20, b"abab", b"ab" + b"c" * 20]
    pairs = [(0, 1, 2), (2, 2, 4), (2, 3, 5), (1, 0, -1), (3, 3, -1)]
    data = np.frombuffer(b"".join(tokens[a] + tokens[b] for a, b, _ in pairs), np.uint8)
    sizes = np.cumsum([0, *(len(tokens[k]) for a, b, _ in pairs for k in (a, b))])
    edges = np.stack([sizes[0:-1:2], sizes[1::2], sizes[2::2]], 1)
    out = np.empty((len(pairs), 3), np.int64)
    find_merges(data, edges, entries_of(tokens), out)
    assert out.tolist() == [[*row] for row in pairs]


def test_pairs():
    rng = np.random.default_rng(3)
    merges = rng.integers(0, 200, (8000, 3)).astype(np.int32)
    ranks = rng.permutation(8000)
    expected = {}
    for (left, right, merged), rank in zip(merges.tolist(), ranks.tolist()):
        expected.setdefault((left, right), rank << 32 | merged)
    lefts, rights = (side.ravel() for side in np.mgrid[0:210, 0:210])
    out = np.empty(lefts.size, np.uint64)
    values(pairs_of(merges, ranks), lefts, rights, out)
    assert out.tolist() == [expected.get(pair, int(NO_PAIR))
                            for pair in zip(lefts.tolist(), rights.tolist())]


def test_a_filter_forgets_nothing_and_seldom_invents():
    rng = np.random.default_rng(4)
    keys = rng.integers(0, 1 << 20, (2, 4000))
    bits = np.zeros(4096, np.uint64)
    put(bits, *keys)
    inside, others = np.zeros(4000, bool), np.zeros(100_000, bool)
    held(bits, *keys, inside)
    held(bits, *rng.integers(1 << 20, 1 << 21, (2, 100_000)), others)
    assert inside.all()
    assert others.mean() < 0.01
