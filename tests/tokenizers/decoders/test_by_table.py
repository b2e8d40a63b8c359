"""Rows decoded all at once, beside each decoded by itself."""

import random

import numpy as np
import pytest

from minillm.tokenizers import Tokenizer, WordVocabulary
from minillm.tokenizers.decoders.by_table import Decoding, flattened
from minillm.tokenizers.decoders.joining import Join, JoinMarked, JoinWordPieces, JoinWords
from minillm.tokenizers.decoders.rewriting import (
    CTC,
    ByteTokens,
    DecodeInTurn,
    FromByteAlphabet,
    JoinSpaced,
    ReplaceIn,
    StripFrom,
)
from minillm.tokenizers.decoders.streaming import OneByOne
from minillm.tokenizers.normalizers.rewriting import Replace

NAMES = ["a", "b", "▁c", " ", "  d", "##e", "f</w>", "<0xE4>", "<0xB8>", "<0xAD>", "<0x20>", "Ġg",
         "ä", "¸", "Ń", "<pad>", "|", ".", "n't", "中", "▁", "|end|"]
LLAMA = DecodeInTurn((ReplaceIn(Replace("▁", " ")), ByteTokens(), Join(), StripFrom(" ", 1, 0)))
DECODERS = [
    Join(), JoinSpaced(), JoinWords(), JoinWordPieces(), JoinMarked(), JoinMarked(scheme="never"),
    FromByteAlphabet(), ByteTokens(), CTC(), LLAMA,
    DecodeInTurn((ByteTokens(), StripFrom("a", 1, 1))),
    DecodeInTurn((FromByteAlphabet(), StripFrom(" ", 0, 2))), DecodeInTurn((JoinSpaced(), CTC())),
]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Also a few ids are decoded by the table."""
    monkeypatch.setattr("minillm.tokenizers.vocabulary.FEW", 0)


def made_with(decoder):
    tokens = [name.encode() for name in NAMES[:-1]]
    return Tokenizer(WordVocabulary(tokens), decoder=decoder, special_tokens={"|end|": len(tokens)})


def rows(count, seed=1):
    rng = random.Random(seed)
    usual = [k for k, name in enumerate(NAMES) if "<" not in name and name not in "ä¸Ń"]
    return [rng.choices(rng.choice([usual, range(len(NAMES))]), k=rng.choice([0, 1, 2, 3, 9]))
            for _ in range(count)]


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: type(decoder).__name__)
@pytest.mark.parametrize("skip", [False, True])
def test_as_each_by_itself(decoder, skip):
    tok = made_with(decoder)
    for some in (rows(400), rows(5, 2), [[]], []):
        expected = [tok.decode(row, skip, "backslashreplace") for row in some]
        assert tok.decode_batch(some, skip, "backslashreplace") == expected
        arrays = [np.array(row, kind) for row, kind in zip(some, ["i4", "i8", "u2"] * len(some))]
        assert tok.decode_batch(arrays, skip, "backslashreplace") == expected


def test_what_is_remembered_is_forgotten_when_it_is_much(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr("minillm.tokenizers.decoders.by_table.MANY", 5)
    tok = made_with(LLAMA)
    assert tok.decode_batch(rows(300)) == [tok.decode(row) for row in rows(300)]
    assert len(tok._decoding.known) <= 6


@pytest.mark.parametrize(
    "wrong", [[-1], [1, 99], [1 << 70], [1.0], ["a"], [True], [None], b"12345678", 3,
              np.array([1.5]), np.array([True]), np.array([[1]]), np.array([1, 1 << 63], "u8")]
)
def test_the_errors_are_those_of_one_row(wrong):
    tok = made_with(Join())
    with pytest.raises((TypeError, ValueError)) as one:
        tok.decode(wrong)
    with pytest.raises(type(one.value)) as many:
        tok.decode_batch([[1, 2], wrong])
    assert str(many.value) == str(one.value)


def test_the_table_of_a_call_is_the_one_it_began_with():
    """Two threads that learn at once may each replace what the other has learned."""
    pytest.importorskip("numba")
    tok = made_with(LLAMA)
    expected = tok.decode_batch(rows(50))

    class Replaced(Decoding):
        """Whoever looks at the table a second time finds another one."""

        @property
        def table(self):
            return self.tables.pop() if len(self.tables) > 1 else self.tables[0]

        @table.setter
        def table(self, table):
            self.tables = [table]

    decoding = Replaced(tok.decoder, tok._bytes)
    decoding.tables.append(tok._decoding.table)
    flat, starts = flattened(rows(50))
    assert [data.decode() for data in decoding(flat, starts)] == expected


class Dashed(OneByOne):
    """An empty row becomes a dash."""

    def start(self):
        return "new"

    def push(self, state, token):
        return "begun", [token]

    def finish(self, state):
        return [b"-"] * (state == "new")


def test_empty_rows():
    tok = made_with(Dashed())
    assert tok.decode_batch([[], [0, 1], [], [1], []]) == ["-", "ab", "-", "b", "-"]


def test_an_id_that_is_not_used():
    tok = Tokenizer(WordVocabulary([b"a", b"b"]), decoder=Join(), special_tokens={"|x|": 5})
    assert tok.decode_batch([[0, 5], [1]]) == ["a|x|", "b"]
    with pytest.raises(ValueError, match=r"ids\[1\]=3"):
        tok.decode_batch([[0], [1, 3]])
