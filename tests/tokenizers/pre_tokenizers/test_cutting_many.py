"""Pre-tokenizers over many texts at once cut, and rewrite, as they do one text after another."""

import random

import numpy as np
import pytest

from minillm.tokenizers import Cut, CutInTurn, Metaspace, Split
from minillm.tokenizers.pre_tokenizers.behaviors import FixedLength, UnicodeScripts
from minillm.tokenizers.pre_tokenizers.bert import BertSplit
from minillm.tokenizers.pre_tokenizers.cutting_many import cutter_of
from minillm.tokenizers.pre_tokenizers.in_turn import InByteAlphabet, PrefixSpace
from minillm.tokenizers.pre_tokenizers.split_rules import Characters
from minillm.tokenizers.stage_by_stage import opening
from minillm.tokenizers.text.segments import Continued, joined_texts

from ..texts import random_texts

WORDS = Split(r"\S+")
STAGES = [
    None, BertSplit(), Characters(), FixedLength(1), FixedLength(3), UnicodeScripts(),
    PrefixSpace(), InByteAlphabet(), Metaspace(split=False),
    *(Metaspace(mark, scheme) for mark in "▁_é🙂" for scheme in ("always", "first", "never")),
]
SEQUENCES = [
    CutInTurn(steps) for steps in (
        (WORDS, Metaspace()), (WORDS, Metaspace(scheme="first")), (UnicodeScripts(), Metaspace()),
        (Metaspace(scheme="first"), WORDS, FixedLength(2)), (FixedLength(4), UnicodeScripts()),
        (Metaspace(scheme="first"), Cut("▁"), Metaspace(scheme="first")),
        (PrefixSpace(), Split("gpt2"), InByteAlphabet()), (InByteAlphabet(), FixedLength(2)),
        (Cut(r"\s", "MergedWithNext"), PrefixSpace(), Characters(), Metaspace("é", "always")),
    )
]


def texts():
    """Random ones, and few characters, some of them behind a special token."""
    rng = random.Random(0)
    small = ["".join(rng.choices("ab ▁é_🙂中あ가я1\n", k=rng.randrange(9))) for _ in range(300)]
    return [Continued(text) if rng.random() < 0.3 else text
            for text in [*random_texts(200), *small, "", " ", "▁"]]


@pytest.mark.parametrize("stage", [*STAGES, *SEQUENCES], ids=str)
def test_as_text_by_text(stage):
    rows = texts()
    data, segments = joined_texts(rows)
    found = cutter_of(stage)(data, segments, opening(rows))
    characters = np.cumsum((data & 0xC0) != 0x80) - 1
    assert found.counts.sum() == len(found.spans)
    ends = np.cumsum(found.counts)
    for k, text in enumerate(rows):
        spans = found.spans[ends[k] - found.counts[k] : ends[k]]
        pieces = [bytes(found.data[i:j]).decode() for i, j in spans.tolist()]
        if stage is None:
            assert pieces == [text] * bool(text)
            continue
        mine, edges = stage(text)
        assert pieces == [bytes(mine[i:j]).decode() for i, j in edges.tolist()], text
        if not hasattr(stage, "aligned"):
            continue
        _, sources = stage.aligned(text)
        begun = np.cumsum((mine & 0xC0) != 0x80) - 1
        for (i, j), (left, right) in zip(spans.tolist(), edges.tolist(), strict=True):
            where = np.arange(i, j) if found.source is None else found.source[i:j]
            expected = sources[begun[left:right], 0] + characters[segments[k, 0]]
            assert characters[where].tolist() == expected.tolist(), text


def test_segments_that_leave_out_bytes():
    """A cutter looks at the segments it is given and at nothing between them."""
    data = np.frombuffer("xx ab  éxcd ".encode(), np.uint8)
    segments = np.array([[2, 5], [6, 9], [10, 13]])
    begun = np.array([1, 0, 2])
    for stage, expected in (
        (Metaspace(), ["▁ab", "▁é", "▁cd", "▁"]), (PrefixSpace(), [" ab", " é", " cd "]),
        (FixedLength(2), [" a", "b", " é", "cd", " "]), (UnicodeScripts(), ["ab", "é", "cd "]),
        (InByteAlphabet(), ["Ġab", "ĠÃ©", "cdĠ"]),
    ):
        made, spans, counts, _ = cutter_of(stage)(data, segments, begun)
        assert [bytes(made[i:j]).decode() for i, j in spans.tolist()] == expected
        assert counts.sum() == len(expected)
