"""``tokenizer compare`` and the scoreboard behind it."""

import pytest
from click.testing import CliRunner

from minillm.cli import group
from minillm.data import stories
from minillm.scoreboard import KINDS, bits_per_byte, compare

TEXTS = list(stories.corpus(60))


@pytest.fixture(scope="module")
def scores():
    return compare(TEXTS[:48], TEXTS[48:], 900)


def test_every_kind_is_measured(scores):
    size = sum(len(text.encode()) for text in TEXTS[48:])
    assert [score.name for score, _ in scores] == list(KINDS)
    for score, tok in scores:
        ids = tok.encode_batch(TEXTS[48:])[0]
        assert score.tokens == len(ids)
        assert score.bytes_per_token == size / len(ids)
        assert score.entries == tok.vocab_size


def test_exact_kinds_are_exact(scores):
    exact = {score.name: score.exact for score, _ in scores}
    for name in ("byte-level BPE, GPT-2", "byte-level BPE, GPT-4", "SentencePiece lossless",
                 "BytePiece"):
        assert exact[name] == 1
    assert exact["WordPiece"] == 0


def test_bits_per_byte_count_bytes(scores):
    """A model that has learned nothing needs about log2(V) bits for each token."""
    import math

    score, tok = next(pair for pair in scores if pair[0].name == "byte-level BPE, GPT-2")
    bits = bits_per_byte(tok, TEXTS[:48], TEXTS[48:], steps=1, width=32, layers=1, context=32)
    expected = math.log2(tok.vocab_size) / score.bytes_per_token
    assert abs(bits / expected - 1) < 0.1


def test_wrong_use():
    with pytest.raises(ValueError, match="names holds 'x'"):
        compare(TEXTS, TEXTS, 500, ["x"])
    with pytest.raises(ValueError, match="test has 0 texts"):
        compare(TEXTS, [], 500)


def test_command():
    arguments = ["tokenizer", "compare", "--stories", "zh", "--story-count", "40",
                 "--vocab-size", "900", "--kind", "BytePiece", "--kind", "BPE",
                 "--model-steps", "2"]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "32 documents to learn from, 8 to measure"
    assert [line.split()[0] for line in lines[1:]] == ["kind", "BytePiece", "BPE"]
    assert lines[2].split()[4] == "100%"
    wrong = CliRunner().invoke(group, [*arguments, "--kind", "x"])
    assert wrong.exit_code == 2
    assert "'x' is not a kind" in wrong.output
