"""TokenDataset: building, opening, damage, windows, splits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import Letters

from minillm.data import tokens
from minillm.data.tokens import TokenDataset
from minillm.tokenizers import Padding, Tokenizer, Truncation


@pytest.fixture
def built(tmp_path):
    tokenizer = Letters("abc")
    return TokenDataset.build(tmp_path / "t.bin", ["ab", "", "cba"], tokenizer, progress=False)


def test_build_puts_an_end_token_after_each_document(built):
    assert built.ids.tolist() == [0, 1, 3, 3, 2, 1, 0, 3]
    assert built.ids.dtype == np.uint16
    assert isinstance(built.ids, np.memmap)
    assert (built.vocab_size, built.end_token, len(built)) == (4, 3, 8)
    assert built.document_bounds.tolist() == [0, 3, 4, 8]
    assert not built.ids.flags.writeable


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text("abcd", max_size=9), max_size=12), limit=st.integers(1, 12))
def test_streaming_gives_what_encoding_one_by_one_gives(texts, limit, tmp_path_factory):
    tokenizer = Letters("abcd")
    path = tmp_path_factory.mktemp("d") / "t.bin"
    before, tokens.CHUNK_CHARACTERS = tokens.CHUNK_CHARACTERS, limit
    try:
        dataset = TokenDataset.build(path, iter(texts), tokenizer, progress=False)
    finally:
        tokens.CHUNK_CHARACTERS = before
    expected = [i for text in texts for i in [*tokenizer.encode_array(text), 4]]
    assert dataset.ids.tolist() == expected
    assert TokenDataset.open(path).document_bounds.tolist() == [
        0, *np.cumsum([len(text) + 1 for text in texts])
    ]  # fmt: skip


def test_a_large_vocabulary_takes_four_bytes(tmp_path):
    tokenizer = Letters("ab", vocab_size=65537)
    dataset = TokenDataset.build(tmp_path / "t", ["ab"], tokenizer, progress=False)
    assert dataset.ids.dtype == np.uint32
    assert dataset.ids.tolist() == [0, 1, 65536]
    assert TokenDataset.from_ids([1], vocab_size=65536).ids.dtype == np.uint16


def test_without_an_end_token_documents_run_together(tmp_path):
    tokenizer = Letters("ab")
    dataset = TokenDataset.build(tmp_path / "t", ["a", "b"], tokenizer, None, progress=False)
    assert dataset.ids.tolist() == [0, 1]
    assert dataset.end_token is None
    with pytest.raises(ValueError, match="end_token is None"):
        _ = dataset.document_bounds


def damaged(path, change):
    data = bytearray(path.read_bytes())
    data = change(data) or data
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:-1], "79 bytes long, expected 80"),
        (lambda d: d + b"x", "81 bytes long"),
        (lambda d: d[:20], "not a token file"),
        (lambda d: b"PK" + d[2:], "not a token file"),
        (lambda d: d[:8] + b"\x03" + d[9:], "broken header"),
        (lambda d: d[:12] + b"\0\0\0\0" + d[16:], "broken header"),
        (lambda d: d[:16] + b"\x09" + d[17:], "broken header"),
        (lambda d: d[:70] + b"\x09" + d[71:], "id 9 at position 3 is outside 0 to 3"),
        (lambda d: d[:24] + b"\xff" * 8 + d[32:], "80 bytes long"),
    ],
)
def test_a_damaged_file_is_refused(built, tmp_path, change, message):
    path = damaged(tmp_path / "t.bin", change)
    with pytest.raises(ValueError, match=message):
        TokenDataset.open(path)


def test_a_failed_build_leaves_the_old_file(built, tmp_path):
    def texts():
        yield "ab"
        raise RuntimeError("the disk is full")

    before = (tmp_path / "t.bin").read_bytes()
    with pytest.raises(RuntimeError, match="disk"):
        TokenDataset.build(tmp_path / "t.bin", texts(), Letters("abc"), progress=False)
    assert (tmp_path / "t.bin").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.bin"]


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"end_token='<end>' is not in the vocabulary"):
        TokenDataset.build(tmp_path / "t", ["a"], Letters("a"), "<end>", progress=False)
    with pytest.raises(ValueError, match="end_token=7 is not an id"):
        TokenDataset.build(tmp_path / "t", ["a"], Letters("a"), 7, progress=False)
    with pytest.raises(ValueError, match="the tokenizer's ids: id 1 at position 1"):
        TokenDataset.build(tmp_path / "t", ["ab"], Letters("ab", 1), None, progress=False)
    with pytest.raises(ValueError, match="ids run from -1 to 2"):
        TokenDataset.from_ids([-1, 2])
    with pytest.raises(ValueError, match="expected 0 to vocab_size - 1 = 1"):
        TokenDataset.from_ids([0, 2], vocab_size=2)
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        TokenDataset.from_ids([[0, 2]])
    with pytest.raises(ValueError, match="float64"):
        TokenDataset.from_ids([0.5])
    with pytest.raises(ValueError, match="context=0"):
        TokenDataset.from_ids([0, 1]).window_count(0)
    with pytest.raises(ValueError, match="stride=0"):
        TokenDataset.from_ids([0, 1]).window_count(1, 0)


@given(n=st.integers(0, 40), context=st.integers(1, 12), stride=st.integers(1, 12))
def test_windows(n, context, stride):
    dataset = TokenDataset.from_ids(np.arange(n), vocab_size=50)
    count = dataset.window_count(context, stride)
    starts = [s for s in range(0, n, stride) if s + context + 1 <= n]
    assert count == len(starts)
    if stride == 1:
        assert count == max(0, n - context)
    for i, start in enumerate(starts):
        x, y = dataset.window(i, context, stride)
        assert x.tolist() == list(range(start, start + context))
        assert y.tolist() == [token + 1 for token in x]
    with pytest.raises(IndexError):
        dataset.window(count, context, stride)


def test_split_cuts_between_documents():
    ids = [1, 0, 2, 2, 0, 3, 0, 4, 4, 0]
    train, held = TokenDataset.from_ids(ids, end_token=0).split(0.25)
    assert (train.ids.tolist(), held.ids.tolist()) == (ids[:7], ids[7:])
    assert held.vocab_size == train.vocab_size == 5
    assert len(TokenDataset.from_ids([1, 0, 2], end_token=0).document_bounds) == 3
    for share in (0, 1, 0.01, -1):
        with pytest.raises(ValueError, match=f"validation={share}"):
            TokenDataset.from_ids(ids, end_token=0).split(share)


def test_an_empty_corpus_is_a_dataset_too(tmp_path):
    dataset = TokenDataset.build(tmp_path / "t", [], Letters("a"), progress=False)
    assert len(dataset) == 0
    assert dataset.window_count(1) == 0


def test_texts_are_encoded_whole(tmp_path):
    """A file's truncation and padding are for a model's input, not for a corpus."""
    tok = Tokenizer.train(["the cat sat"], "byte_bpe", 260, ["<|endoftext|>"])
    short = replace(tok, truncation=Truncation(2), padding=Padding(9))
    for made in (tok, short):
        TokenDataset.build(tmp_path / "ids", ["the cat sat"], made, progress=False)
        ids = TokenDataset.open(tmp_path / "ids").ids
        assert ids.tolist() == [*tok.encode("the cat sat"), 0]


def test_data_sets_of_something_else_are_refused(tmp_path):
    for wrong in ("a", 2.5, True):
        with pytest.raises(ValueError, match=f"end_token={wrong!r}"):
            TokenDataset.from_ids([1, 2], end_token=wrong)
    for wrong in ("9", 9.5, True):
        with pytest.raises(ValueError, match=f"vocab_size={wrong!r}"):
            TokenDataset.from_ids([0], wrong)
    with pytest.raises(ValueError, match="ids has rows of different"):
        TokenDataset.from_ids([[1, 2], [3]])
    with pytest.raises(ValueError, match="validation='a'"):
        TokenDataset.from_ids([0, 1, 0, 1], end_token=1).split("a")
    with pytest.raises(TypeError, match="texts='one text'"):
        TokenDataset.build(tmp_path / "ids", "one text", None)
