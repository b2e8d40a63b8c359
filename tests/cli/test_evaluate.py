"""``evaluate`` against a plain computation, token by token: nothing is left out."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from minillm.cli import group
from minillm.cli.modelling import measure
from minillm.data import DataLoader, TokenDataset
from minillm.models import GPT, GPTConfig, storyteller
from minillm.tokenizers import Tokenizer
from minillm.training import evaluate

END = "<|endoftext|>"
TEXT = "The cat sat on the mat. 小猫坐在垫子上。" * 20
CONTEXT = 16


def brute_force(model, ids: list[int], starts: list[int], context: int) -> float:
    """Sum of -log P of ids[1:], each predicted from those since the last of ``starts`` before."""
    total = 0.0
    for at in range(1, len(ids)):
        start = max(s for s in starts if s < at)
        assert at - start <= context
        row = model.forward([ids[start:at]])[0, -1].astype(np.float64)
        top = row.max()
        total += top + np.log(np.exp(row - top).sum()) - row[ids[at]]
    return total


def figures(lines: list[str]) -> dict[str, float]:
    return {line[:15].strip(): float(line[15:].split()[0].replace(",", "")) for line in lines}


@pytest.fixture
def tokenizer():
    def make(*special: str) -> Tokenizer:
        return Tokenizer.train([TEXT], model="byte_bpe", vocab_size=280, special_tokens=special)
    return make


def model_for(tok: Tokenizer) -> GPT:
    model = GPT(GPTConfig(tok.vocab_size, CONTEXT, 1, 2, 16), seed=2)
    model.weights *= 10
    return model


@pytest.mark.parametrize("extra", range(0, CONTEXT + 2, 3))
def test_a_data_set_is_scored_to_its_last_token(tokenizer, extra):
    tok = tokenizer()
    model = model_for(tok)
    ids = tok.encode(TEXT)[: 3 * CONTEXT + extra]
    loader = DataLoader(TokenDataset.from_ids(ids, tok.vocab_size), 2, CONTEXT, shuffle=False,
                        drop_last=False)
    found = evaluate(model, loader)
    assert found.labels == len(ids) - 1
    expected = brute_force(model, ids, list(range(0, len(ids), CONTEXT)), CONTEXT)
    assert found.loss * found.labels == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("length", [1, 5, 40, 61])
@pytest.mark.parametrize("documents", [1, 3])
def test_bits_per_byte_with_end_tokens(tokenizer, length, documents):
    """Every token counts, the end tokens too; the bytes are all bytes of the texts."""
    tok = tokenizer(END)
    model, end = model_for(tok), tok.token_to_id(END)
    texts = [TEXT[i : i + length] for i in range(documents)]
    pieces = [tok.encode(text) for text in texts]
    ids = [end, *(id for piece in pieces for id in (*piece, end))]
    if max(map(len, pieces)) < CONTEXT:  # a document a row
        starts = [i for i, id in enumerate(ids) if id == end]
    else:
        starts = list(range(0, len(ids), CONTEXT))
    nats = brute_force(model, ids, starts, CONTEXT)
    found = figures(measure(model, tok, texts, None, 2, False))
    assert found["tokens"] == len(ids) - 1
    assert found["loss"] == pytest.approx(nats / (len(ids) - 1), abs=1e-4)
    size = sum(len(text.encode()) for text in texts)
    assert found["bits per byte"] == pytest.approx(nats / np.log(2) / size, abs=1e-4)


@pytest.mark.parametrize("length", [40, 61, 200])
def test_bits_per_byte_without_end_tokens(tokenizer, length):
    """The first token has nothing to be predicted from: neither it nor its bytes count."""
    tok = tokenizer()
    model = model_for(tok)
    for text in (TEXT[:length], TEXT[30 : 30 + length]):  # the second begins with 猫
        ids = tok.encode(text)
        nats = brute_force(model, ids, list(range(0, len(ids), CONTEXT)), CONTEXT)
        found = figures(measure(model, tok, [text], None, 2, False))
        assert found["tokens"] == len(ids) - 1
        size = len(tok.decode_bytes(ids[1:]))
        assert found["bits per byte"] == pytest.approx(nats / np.log(2) / size, abs=1e-3)


def test_junk_after_the_last_whole_window_is_seen(tmp_path):
    """A text of one window of the storyteller's, and the same with noise behind it."""
    model, tok = storyteller()
    from minillm.data import stories

    ids = tok.encode("".join(stories.corpus(20, 5, "en", "small")))
    clean = tok.decode(ids[: model.config.context + 1])
    bits = []
    for text in (clean, clean + " qxzvk jkvqz" * 8):  # less than another window
        (tmp_path / "text.txt").write_text(text)
        arguments = ["evaluate", "storyteller", str(tmp_path / "text.txt")]
        result = CliRunner().invoke(group, arguments)
        bits.append(figures(result.output.splitlines())["bits per byte"])
    assert bits[1] > 2 * bits[0]
