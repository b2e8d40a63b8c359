"""SentencePiece's table in a tokenizer.json: Hugging Face's way of applying it."""

import base64
import json
import random

import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.normalizers.charsmap import Precompiled
from minillm.tokenizers.normalizers.charsmap_rules import named_charsmap
from minillm.tokenizers.sentencepiece.normalizer import SentencePieceNormalizer
from minillm.tokenizers.unigram.most_probable import Unigram

from ..texts import PIECES

TABLE = named_charsmap("nmt_nfkc")
ODD = [
    "か\u3099", "カ\u3099", "A\u030a", "Ａ\u0301", "ﾊﾟ", "㍿", "\ufdfa", "…", "①", "ＡＢＣ", "～",
    "\t", "\r\n", "e\u0301\u0323", "한", "\u1112\u1161\u11ab", "\x01", "\x00",
]


def test_it_differs_from_sentencepiece():
    ours, theirs = SentencePieceNormalizer(TABLE, False, False, False), Precompiled(TABLE)
    for text, sentencepiece, huggingface in (
        ("Ａ\u0301", "Á", "A"), ("カ\u3099", "ガ", "カ\u3099"), ("\r\n", "  ", " "),
        ("ﬁne ½", "fine 1⁄2", "fine 1⁄2"),
    ):
        assert ours(text) == sentencepiece
        assert theirs(text) == huggingface


def test_alignment():
    new, sources = Precompiled(TABLE).aligned("x㍿\x01ﬁ")
    assert new == "x株式会社fi"
    assert sources.tolist() == [[0, 1], [1, 2], [1, 2], [1, 2], [1, 2], [3, 4], [3, 4]]


def test_it_is_written_and_read(tmp_path):
    model = Unigram([b"<unk>", b"f", b"i", b"fi"], [0.0, -1.0, -1.0, -1.5], unk_id=0)
    tok = Tokenizer(model, normalizer=Precompiled(TABLE))
    tok.save(tmp_path / "t.json")
    again = Tokenizer.load(tmp_path / "t.json")
    assert again.normalizer == tok.normalizer
    assert again.encode("ﬁ") == tok.encode("ﬁ") == [3]
    value = json.loads((tmp_path / "t.json").read_text("utf-8"))
    for broken in ("%%", base64.b64encode(TABLE[:-1]).decode(), base64.b64encode(b"ab").decode()):
        value["normalizer"]["precompiled_charsmap"] = broken
        (tmp_path / "b.json").write_text(json.dumps(value), "utf-8")
        with pytest.raises(ValueError, match=r"b\.json: 'precompiled_charsmap'"):
            Tokenizer.load(tmp_path / "b.json")


@pytest.mark.parity
def test_the_library_does_the_same():
    """Characters are of Unicode 13 at most: about younger ones the two disagree on graphemes."""
    normalizers = pytest.importorskip("tokenizers").normalizers
    theirs, ours = normalizers.Precompiled(TABLE), Precompiled(TABLE)
    rng = random.Random(0)
    for _ in range(3000):
        points = [rng.randrange(rng.choice([0x1A00, 0x3000])) for _ in range(3)]
        text = "".join(
            rng.choice([rng.choice(PIECES), rng.choice(ODD), chr(rng.choice(points))])
            for _ in range(rng.randrange(1, 8))
        )
        assert ours(text) == theirs.normalize_str(text)
