"""Words merged window by window."""

import random

import numpy as np
import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.bpe.byte_bpe import ByteBPE
from minillm.tokenizers.bpe.merges import apply_merges

pytest.importorskip("numba")

from minillm.tokenizers.bpe.long_words_kernel import (
    LARGER,
    OVERLAP,
    WINDOW,
    merge_long,
    new_room,
)
from minillm.tokenizers.bpe.merging_kernel import RANKS, pairs_of

SIZES = [0, 1, 2, WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + OVERLAP, 3 * WINDOW, LARGER + 7, 3000]


def merged(symbols, pairs):
    out = np.empty(len(symbols), np.int32)
    symbols = np.array(symbols, np.int32)
    return out[: merge_long(symbols, len(symbols), pairs, new_room(len(symbols)), out)].tolist()


def check(symbols, rows, ranks):
    """rows: (left, right, merged) ids with these ranks."""
    table = {(a, b): (rank, new) for (a, b, new), rank in reversed(list(zip(rows, ranks)))}
    pairs = pairs_of(np.array(rows, np.int32).reshape(-1, 3), np.array(ranks, np.int64))
    assert merged(symbols, pairs) == apply_merges(list(symbols), table)


@pytest.mark.parametrize("seed", range(60))
def test_long_words_equal_the_definition(seed):
    """Also for vocabularies that no trainer makes: any pair may give any id at any rank."""
    rng = random.Random(seed)
    ids = rng.choice([6, 20, 200])
    rows = [(rng.randrange(ids), rng.randrange(ids), rng.randrange(ids))
            for _ in range(rng.randrange(1, 3 * ids))]
    rows = list({row[:2]: row for row in rows}.values())
    ranks = [rng.randrange(len(rows)) for _ in rows]  # some are equal
    check([rng.randrange(min(4, ids)) for _ in range(rng.choice(SIZES))], rows, ranks)


def powers(count):
    """Merges of a letter 0 into 2, 4, 8 … letters."""
    return [(k, k, k + 1) for k in range(count)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 5, 7, 9, 11])
def test_one_letter_and_tokens_longer_than_a_window(size, count):
    check([0] * size, powers(count), range(count))


@pytest.mark.parametrize("size", [2000, 2001])
def test_a_word_whose_tokens_all_depend_on_its_end(size):
    """The last letter joins the one before it, the pair the one before that, and so on."""
    rows = [(0, 1, 2), (0, 2, 1), (0, 0, 3)]
    check([0] * size + [1], rows, range(3))
    check(([0] * 150 + [1]) * 20, rows, range(3))
    check([0] * size, rows, range(3))


@pytest.mark.parametrize("length", [200, 1500, 6000])
def test_windows_that_disagree(length):
    """Which letters are paired is decided where the word begins, and shows as far as it goes."""
    rng = random.Random(length)
    rows = [(0, 1, 2), (1, 0, 3), (2, 2, 4), (3, 3, 5), (4, 4, 6), (1, 2, 7), (3, 0, 8)]
    for _ in range(30):
        ranks = rng.sample(range(len(rows)), len(rows))
        word = [1] * rng.randrange(2) + [0, 1] * (length // 2)
        for _ in range(rng.randrange(4)):
            word[rng.randrange(len(word))] = rng.randrange(2)
        check(word, rows, ranks)


def test_high_ranks():
    rows = [(0, 1, 2), (1, 0, 3), (2, 0, 4)]
    check([0, 1] * 300, rows, [RANKS * 2, 5, RANKS * 3])


def test_long_words_of_a_trained_vocabulary():
    rng = random.Random(1)
    tok = Tokenizer.train(["the cat sat on the mat, the rat ran that way"] * 3, "byte_bpe", 300)
    tok.encode("a")
    for size in SIZES:
        word = "".join(rng.choices("thecatsronmwy", k=size)).encode()
        symbols = [int(tok.model.byte_ids[byte]) for byte in word]
        expected = apply_merges(symbols, tok.model.rank_table())
        assert merged(symbols, tok.model._words.pairs) == expected


def test_a_long_word_without_any_entry():
    model = ByteBPE([b"a", b"b", b"ab"], np.array([[0, 1, 2]], np.int32))
    data = np.frombuffer(b"x" * 500 + b"ab" * 500, np.uint8)
    for spans, expected in (([[0, 500]], []), ([[0, 1500]], [2] * 500)):
        assert model.encode(data, np.array(spans))[0].tolist() == expected
