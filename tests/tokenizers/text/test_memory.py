"""The memory of pieces: it grows, is emptied at its largest, and never gives other ids back."""

import random

import numpy as np
import pytest

pytest.importorskip("numba")

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.text import memory_kernel
from minillm.tokenizers.text.machine_kernel import njit
from minillm.tokenizers.text.memory_kernel import (
    LARGEST,
    LONGEST,
    SPARE,
    has_room,
    is_new,
    new_memory,
    place_in,
    recall,
    remember,
    with_room,
)
from minillm.tokenizers.wordpiece.longest_match import WordPiece


@njit
def known_count(memory, text, i, length, apart, out):
    """How many ids are remembered, written to `out`; -1 for none."""
    place = place_in(memory, text, i, length, apart)
    return -1 if is_new(place) else recall(memory, place.number, out, 0)


@njit
def remember_piece(memory, text, i, length, apart, count, out):
    """Remember the `count` ids in ``memory.symbols``."""
    place = place_in(memory, text, i, length, apart)
    return remember(memory, place, text, i, length, count, out, 0)


def known(memory, piece, apart=False):
    """The ids that are remembered of a piece, or None."""
    text, out = np.frombuffer(b"  " + piece + b"." * 40, np.uint8), np.zeros(LONGEST + 3, np.int32)
    count = known_count(memory, text, 2, len(piece), apart, out)
    return None if count < 0 else out[:count].tolist()


def learn(memory, piece, ids, apart=False):
    """Remember these ids, as a kernel does; the piece ends where the data does."""
    text, out = np.frombuffer(piece, np.uint8), np.zeros(LONGEST + 3, np.int32)
    memory.symbols[: len(ids)] = ids
    count = remember_piece(memory, text, 0, len(piece), apart, len(ids), out)
    assert out[:count].tolist() == ids


def random_piece(rng):
    """Mostly short, of few letters, so that many are nearly alike."""
    return bytes(rng.choices(b"abc", k=rng.choice([1, 5, 8, 9, 15, 16, 17, LONGEST])))


def test_what_is_remembered_is_given_back():
    """Pieces of all lengths, apart or not, while the memory grows from a very small one."""
    rng = random.Random(1)
    memory = new_memory(1 << 12, SPARE * LONGEST, SPARE * LONGEST)
    pieces = {}
    while len(pieces) < 5000:
        if not has_room(memory):
            memory = with_room(memory)
        key = random_piece(rng), rng.random() < 0.3
        if key not in pieces:
            assert known(memory, *key) is None
            pieces[key] = [rng.randrange(1 << 20) for _ in range(rng.randint(1, len(key[0])))]
            learn(memory, key[0], pieces[key], key[1])
    assert len(memory.slots) > 1 << 12
    assert all(known(memory, *key) == ids for key, ids in pieces.items())


@pytest.mark.parametrize("part", range(3))
def test_memory_grows_where_it_is_full(part):
    memory = new_memory(1 << 13, 1 << 18, 1 << 18)
    sizes = [len(memory.keys), len(memory.stored), len(memory.arena)]
    learn(memory, b"a", [7])
    spare = SPARE * (1 if part == 0 else LONGEST)
    used = memory.used.tolist()
    memory.used[part] = sizes[part] - spare
    assert has_room(memory)
    memory.used[part] += 1
    assert not has_room(memory)
    if part == 0:  # only one of them has a key
        memory.keys[1:], memory.values[1:] = 1 << 56, 0
    else:
        memory.used[0] = used[0]
    grown = with_room(memory)
    assert [len(grown.keys), len(grown.stored), len(grown.arena)] == [
        size * (4 if k == part else 1) for k, size in enumerate(sizes)
    ]
    assert has_room(grown)
    assert known(grown, b"a") == [7]


def test_the_largest_memory_is_reached_in_steps_of_four():
    memory = new_memory()
    sizes = len(memory.slots), len(memory.stored), len(memory.arena)
    for size, most in zip(sizes, LARGEST, strict=True):
        while size < most:
            size *= 4
        assert size == most


def test_the_largest_memory_is_emptied(monkeypatch):
    monkeypatch.setattr(memory_kernel, "LARGEST", (1 << 13, *LARGEST[1:]))
    memory = new_memory(1 << 13)
    learn(memory, b"a", [7])
    memory.used[0] = len(memory.keys)
    same = with_room(memory)
    assert same is memory
    assert same.used.tolist() == [0, 0, 0]
    assert known(same, b"a") is None
    assert not same.slots.any()


def test_words_of_more_pieces_than_a_memory_works_on():
    """The kernel spells a very long word where its ids belong, not in the memory's own room."""
    from minillm.tokenizers.normalizers.bert import BertNormalizer
    from minillm.tokenizers.pre_tokenizers.bert import BertSplit

    model = WordPiece([b"[UNK]", b"a", b"##a", b"b"], 0, longest=5000)
    normalizer, text = BertNormalizer(), "a" * 4000 + " b " + "a" * 4000
    data = np.frombuffer(text.encode(), np.uint8)
    ids, _ = model.bulk(normalizer, BertSplit())(data, np.array([[0, len(data)]]))
    assert ids.tolist() == model(BertSplit()(text))[0].tolist() == (
        [1] + [2] * 3999 + [3, 1] + [2] * 3999
    )


def test_memories_that_grow_in_the_middle_of_a_text():
    """More words than the first memory has room for, with and without white space between them."""
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdeéü中文가ﬁ½", k=rng.randint(1, 20))) for _ in range(6000)]
    texts = ["中".join(words[:5000]) + "a\u0316\u0301b" * 5, " ".join(words[::-1])]
    for kind, size in (("wordpiece", 120), ("bpe", 300), ("byte_bpe", 400)):
        tok = Tokenizer.train([" ".join(words[:300])], kind, size)
        ids, offsets = tok.encode_batch(texts, add_special_tokens=False)
        for k, text in enumerate(texts):
            expected = tok.model(tok._pieces(text))[0]
            if kind == "byte_bpe":  # whose definition goes piece by piece
                pieces = tok._pieces(text)
                expected = [id for i, j in pieces.spans.tolist()
                            for id in tok.model.encode_piece(pieces.data[i:j].tobytes())]
            np.testing.assert_array_equal(ids[offsets[k] : offsets[k + 1]], expected)
