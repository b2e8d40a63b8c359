"""Ids equal those of tiktoken and Hugging Face tokenizers: stored values, and live ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from minillm.tokenizers import PATTERNS, Tokenizer

from .texts import text

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/tokenizers.json").read_text("ascii"))
END = ["<|endoftext|>"]


@pytest.fixture(scope="module")
def toks():
    return {
        rule: Tokenizer.train(GOLDEN["corpus"], "byte_bpe", 400, END, pattern=rule)
        for rule in PATTERNS
    }


def test_stored_training(toks, tmp_path):
    toks["gpt2"].save(tmp_path / "t.json")
    model = json.loads((tmp_path / "t.json").read_text("utf-8"))["model"]
    assert model["vocab"] == GOLDEN["vocab"]
    assert model["merges"] == GOLDEN["merges"]


def test_stored_ids_and_offsets(toks):
    for sample, ids, offsets in zip(GOLDEN["samples"], GOLDEN["ids"], GOLDEN["offsets"]):
        found = toks["gpt2"].encode_with_offsets(sample)
        assert found == (ids, [tuple(span) for span in offsets]), sample


def test_stored_ids_of_every_rule(toks):
    for rule, rows in GOLDEN["tiktoken"].items():
        tok = Tokenizer(toks["gpt2"].model, pre_tokenizer=toks[rule].pre_tokenizer)
        assert [tok.encode(sample) for sample in GOLDEN["samples"]] == rows, rule


@pytest.mark.parity
@pytest.mark.parametrize("rule", PATTERNS)
def test_tiktoken_live(toks, rule):
    tiktoken = pytest.importorskip("tiktoken")
    from minillm.tokenizers.patterns.named_rules import PATTERNS

    tok = toks[rule]
    ranks = {token: id for id, token in enumerate(tok.model.vocabulary) if token is not None}
    pattern = PATTERNS[rule].replace(r"\Z", r"\z")
    other = tiktoken.Encoding(
        rule, pat_str=pattern, mergeable_ranks=ranks, special_tokens={END[0]: 0}
    )

    @settings(max_examples=300)
    @given(text)
    def same(source):
        assert tok.encode(source, special="text") == other.encode_ordinary(source)

    same()
    for source in ("a\ud800b", "x\ud83d\udc4dy", "a" * 3000, " " * 3000, "中" * 1000):
        assert tok.encode(source) == other.encode(source)
    source = "one<|endoftext|>two  <|endoftext|>"
    assert tok.encode(source, special="allow") == other.encode(source, allowed_special="all")


@pytest.mark.parity
@pytest.mark.parametrize(
    ("model", "options"),
    [("char", {}), ("word", {}), ("bpe", {"vocab_size": 200}), ("byte_bpe", {"vocab_size": 400}),
     *[("byte_bpe", {"vocab_size": 400, "pattern": rule}) for rule in PATTERNS],
     ("byte_bpe", {"vocab_size": 400, "pattern": r"\w+|\W"})],
)
def test_hugging_face_opens_our_files(model, options, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    if model == "char":
        options = {"unk_token": "<|unk|>"}
    tok = Tokenizer.train(GOLDEN["corpus"], model, special_tokens=END, **options)
    tok.save(tmp_path / "t.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "t.json"))
    for source in [*GOLDEN["samples"], *GOLDEN["corpus"], "one<|endoftext|>two"]:
        other = theirs.encode(source)
        ids, offsets = tok.encode_with_offsets(source, special="allow")
        assert ids == other.ids, source
        assert offsets == other.offsets, source
        assert tok.decode(ids) == theirs.decode(ids, skip_special_tokens=False), source


@pytest.mark.parity
def test_hugging_face_trains_the_same(tmp_path, shared_data):
    """From a file, line by line, with a minimum frequency."""
    tokenizers = pytest.importorskip("tokenizers")
    from tokenizers import models, pre_tokenizers, trainers

    path = shared_data / "tang_poems.txt"
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.train([str(path)], trainers.BpeTrainer(
        vocab_size=3000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=END, show_progress=False, min_frequency=3,
    ))
    tok = Tokenizer.train([path], "byte_bpe", 3000, END, min_frequency=3)
    tok.save(tmp_path / "t.json")
    mine = json.loads((tmp_path / "t.json").read_text("utf-8"))["model"]
    reference = json.loads(theirs.to_str())["model"]
    assert (mine["vocab"], mine["merges"]) == (reference["vocab"], reference["merges"])
