"""Spans of SentencePiece's tokens: removed spaces, and characters that become several pieces."""

import base64
import json
import random
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.formats.sentencepiece_file import parse_model
from minillm.tokenizers.sentencepiece.model_stages import stages_of
from minillm.tokenizers.sentencepiece.normalizer import SentencePieceNormalizer
from minillm.tokenizers.text.segments import joined_texts

from ..texts import random_texts

STORED = json.loads(
    (Path(__file__).parents[2] / "golden/sentencepiece_offsets.json").read_text("ascii")
)


@pytest.mark.parametrize("entry", STORED, ids=range(len(STORED)))
def test_stored_offsets(entry):
    tok = Tokenizer.of(stages_of(parse_model(base64.b64decode(entry["model"]))))
    for text, ids, spans in entry["rows"]:
        found = tok.encode_with_offsets(text, special="text")
        assert found == (ids, [tuple(span) for span in spans]), text


def test_one_character_that_becomes_four():
    """㍿ is 株式会社: cut up, the last piece has the character."""
    from minillm.tokenizers.normalizers.charsmap_rules import named_charsmap

    normalizer = SentencePieceNormalizer(named_charsmap("nmt_nfkc"))
    assert normalizer("x㍿") == "▁x株式会社"
    width = [3, 1, 3, 3, 3, 3]  # bytes of its characters
    ends = [sum(width[: k + 1]) for k in range(6)]
    spans = [[end - size, end] for end, size in zip(ends, width)]
    found = normalizer.original("x㍿", np.array(spans)).tolist()
    assert found == [[0, 0], [0, 1], [1, 1], [1, 1], [1, 1], [1, 2]]


@pytest.mark.parametrize("charsmap", ["", "nmt_nfkc", "nfkc_cf"])
@pytest.mark.parametrize("symbols", [(), ("<x>", " a", "a ")])
def test_the_kernel_and_the_definition(charsmap, symbols):
    """All ways to treat spaces, also where nothing is left of a text, of many texts at once."""
    from minillm.tokenizers.normalizers.charsmap_rules import named_charsmap

    rng = random.Random(0)
    parts = ["a", " ", "  ", "▁", "é", "\u200b", "\t", "\x01", "㍿", "ﬁ", "\u3000", "ab", "<x>"]
    texts = ["".join(rng.choices(parts, k=rng.randrange(9))) for _ in range(300)]
    data, segments = joined_texts([*texts, *random_texts(80)])
    rules = named_charsmap(charsmap) if charsmap else b""
    for settings in product([False, True], repeat=4):
        normalizer = SentencePieceNormalizer(rules, *settings, symbols)
        found = normalizer.placed(data, segments)
        with backend("numpy"):
            for column, expected in zip(found, normalizer.placed(data, segments), strict=True):
                assert np.array_equal(column, expected), settings
