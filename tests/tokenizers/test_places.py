"""Where the tokens of many texts come from: as one text after another, stage after stage."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.places import located, located_alone, located_together
from minillm.tokenizers.post_processors.templates import TrimOffsets
from minillm.tokenizers.rows import parts_by_text, parts_of, rows_of
from minillm.tokenizers.special_tokens import TokenRule
from minillm.tokenizers.stage_by_stage import bulk_cutter
from minillm.tokenizers.text.segments import UnknownTextError

from .texts import random_texts

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = {
    f"{name} {k}": entry["json"]
    for name in ("stages", "pipelines")
    for k, entry in enumerate(json.loads((GOLDEN / f"{name}.json").read_text("ascii")))
}
TEXTS = [*random_texts(60, 7), "", " ", "the cat  sat", "Ａ\u0301ﬁ ½ é", "a\ud83d\ude42b", "\udc00"]


def loaded(value, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(value), "utf-8")
    return replace(Tokenizer.load(tmp_path / "t.json"), truncation=None, padding=None)


def with_tokens(tok, seed):
    """The texts, some with special tokens in them."""
    rng = random.Random(seed)
    tokens = [*tok.special_tokens][:5]
    return [text[:k] + rng.choice(tokens) + text[k:] if tokens and rng.random() < 0.4 else text
            for text in TEXTS for k in [rng.randrange(len(text) + 1)]]


@pytest.mark.parametrize("name", FILES)
def test_together_as_alone(name, tmp_path):
    tok = loaded(FILES[name], tmp_path)
    texts = []
    for text in with_tokens(tok, 0):
        try:
            rows_of(tok, [text], "allow")
        except UnknownTextError:
            continue
        texts.append(text)
    raw = parts_by_text(tok, texts, "allow").raw
    together = located(tok, raw)
    alone = [located_alone(tok, part) for part in raw]
    for column, rows in zip(together, zip(*alone)):
        assert np.array_equal(column, np.concatenate(rows))
    for k, row in enumerate(rows_of(tok, texts, "allow")):
        for column, other in zip(row, rows_of(tok, [texts[k]], "allow")[0]):
            assert np.array_equal(column, other), texts[k]


def test_they_do_go_together(tmp_path):
    """None of all these files goes text by text."""
    for name, value in FILES.items():
        tok = loaded(value, tmp_path)
        assert located_together(tok, bulk_cutter(tok), ["", ""]) is not None, name
    assert located_together(tok, bulk_cutter(tok), ["a\ud83d\ude42"]) is None


def test_batches(tmp_path):
    tok = Tokenizer.train(["the cat sat on the mat"] * 9, vocab_size=280,
                          special_tokens=["<|a|>", "<|b|>"])
    tok = replace(tok, post_processor=TrimOffsets())
    texts = with_tokens(tok, 1)
    ids, offsets, spans = tok.encode_batch_with_offsets(texts, special="allow")
    assert [a.tolist() for a in tok.encode_batch(texts, special="allow")] == [
        ids.tolist(), offsets.tolist()]
    for k, text in enumerate(texts):
        part = slice(offsets[k], offsets[k + 1])
        found = [*map(tuple, spans[part].tolist())]
        assert tok.encode_with_offsets(text, special="allow") == (ids[part].tolist(), found)
    assert spans[:2].tolist() != [[0, 0]] * 2
    nothing = tok.encode_batch_with_offsets([])
    assert [a.tolist() for a in nothing] == [[], [0], []]
    assert nothing[2].shape == (0, 2)
    with pytest.raises(TypeError, match="pass a list"):
        tok.encode_batch_with_offsets("abc")
    with pytest.raises(ValueError, match=r"<\|a\|>"):
        tok.encode_batch_with_offsets(["b", "a<|a|>"])


@pytest.mark.parametrize("rule", [TokenRule(), TokenRule(lstrip=True), TokenRule(single_word=True)])
def test_both_ways_of_cutting_at_tokens(rule):
    tok = Tokenizer.train(["the cat"], vocab_size=262, special_tokens=["<a>", "<a>b"])
    tok = replace(tok, token_rules={"<a>": rule})
    texts = ["", "<a>", "<a>b<a>", "x <a>y<a>b", "x<a> <a>", "the cat"]
    for column, other in zip(parts_of(tok, texts, "allow"), parts_by_text(tok, texts, "allow")):
        assert np.array_equal(column, other)
    assert parts_of(tok, texts, "allow").raw[:3] == ["", "", ""]


@pytest.mark.parametrize(("model", "options"), [
    ("word", {"unk_token": None}), ("char", {}), ("bpe", {"vocab_size": 20, "unk_token": None}),
    ("unigram", {"vocab_size": 12, "unk_token": None}),
])
def test_unknown_text_is_named_with_its_place(model, options):
    """In a batch, too, it is the place in its own text, with its marks for spaces."""
    tok = Tokenizer.train(["the cat"], model=model, **options)
    for call in (tok.encode_batch, tok.encode_batch_with_offsets):
        with pytest.raises(UnknownTextError, match=r"'é.*' at byte [4-9],"):
            call(["the cat", "the é", "cat"])
