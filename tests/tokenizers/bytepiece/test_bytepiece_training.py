"""Training BytePiece: golden values, and each kernel against its definition."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.bytepiece.ngrams import (
    NgramModel,
    conditional_logs,
    count_ngrams,
    cut_at_zeros,
    tag,
)
from minillm.tokenizers.bytepiece.training import (
    bytepiece_vocabularies,
    prune,
    prune_fast,
    split,
    training_segments,
)
from minillm.tokenizers.counting.distinct_pieces import joined

from ..texts import text as any_text

GOLDEN = json.loads(Path(__file__).parents[2].joinpath("golden/bytepiece.json").read_text("ascii"))
NAMES = {"ensure_unicode": "whole_characters"}


def options_of(k: int) -> tuple[list[int], dict]:
    options = {NAMES.get(key, key): value for key, value in GOLDEN["options"][k].items()}
    size = options.pop("max_vocab_size")
    return [n - 3 for n in (size if isinstance(size, list) else [size])], options


def expected(k: int) -> list[dict[bytes, int]]:
    return [
        {base64.b64decode(key): count for key, count in counts.items()}
        for counts in GOLDEN["counts"][k]
    ]


@pytest.mark.parametrize("k", range(3))
def test_vocabularies_are_those_of_bytepiece(k):
    pytest.importorskip("numba")
    sizes, options = options_of(k)
    assert bytepiece_vocabularies(GOLDEN["corpus"], sizes, **options) == expected(k)


def test_the_definition_too():
    sizes, options = options_of(0)
    with backend("numpy"):
        assert bytepiece_vocabularies(GOLDEN["corpus"], sizes, **options) == expected(0)


def test_ngram_probabilities_by_hand():
    counts = count_ngrams([b"abab", b"ac"], 2)
    assert [counts[ngram] for ngram in (b"a", b"ab", b"ba")] == [3, 2, 1]
    assert counts[b""] == 6 + 253
    logs = conditional_logs(counts)
    assert np.isclose(logs[b"ab"], np.log(2 / 3))
    assert b"ba" not in logs
    assert tag(b"abab", logs, 2) == [0, 1, 0, 1]
    assert cut_at_zeros(b"abab", [0, 1, 0, 1]) == [b"ab", b"ab"]


some_text = any_text | st.text("ab中é\n", max_size=40)


@settings(max_examples=150)
@given(
    st.lists(some_text, min_size=1, max_size=4), st.integers(1, 7), st.integers(1, 3), st.booleans()
)
def test_kernel_cuts_as_the_definition(texts, order, min_count, whole):
    pytest.importorskip("numba")
    segments = [
        part for text in texts
        for part in training_segments(text.encode("utf-8", "replace").decode() * 2)
    ]
    model = conditional_logs(count_ngrams(segments, order), min_count)
    pieces = [
        piece for part in segments for piece in cut_at_zeros(part, tag(part, model, order, whole))
    ]
    if not segments:
        return
    data, spans = joined(segments)
    half = len(segments) // 2
    parts = [joined(part) for part in (segments[:half], segments[half:]) if part]
    found = NgramModel(parts, order, min_count).cut(data, spans, whole)
    raw = data.tobytes()
    assert [raw[i:j] for i, j in found.tolist()] == pieces


counted = st.dictionaries(
    st.binary(min_size=1, max_size=5).map(lambda piece: bytes(97 + byte % 3 for byte in piece)),
    st.integers(1, 9), max_size=30,
)


@settings(max_examples=60)
@given(counted, st.lists(st.integers(256, 270), min_size=1, max_size=3), st.integers(1, 3))
def test_kernel_prunes_as_the_definition(pieces, sizes, min_count):
    pytest.importorskip("numba")
    counts = np.array(list(pieces.values()), np.int64)
    found = prune_fast(list(pieces), counts, sizes, 4, min_count)
    assert found == prune(pieces, sizes, 4, min_count)


def test_nothing_is_unreachable():
    tok = Tokenizer.train(GOLDEN["corpus"], "bytepiece", 900)
    for token in tok.model.vocabulary[3:]:
        assert tok.model.encode_piece(token) == [tok.model.ids[token]]


def test_counts_are_kept_when_pieces_go():
    kept = {b"a": 4, b"b": 4, b"ab": 9}
    assert split(kept, {b"abab": 3, b"b": 1}) == {b"ab": 6, b"b": 1}


def test_arguments():
    with pytest.raises(ValueError, match="vocab_size=200"):
        Tokenizer.train(["a"], "bytepiece", 200)
    with pytest.raises(ValueError, match="order=9"):
        Tokenizer.train(["a"], "bytepiece", 300, order=9)


@pytest.mark.parity
def test_parity_with_bytepiece():
    ahocorasick = pytest.importorskip("ahocorasick")
    if ahocorasick.unicode:
        pytest.skip("pyahocorasick was not built with AHOCORASICK_BYTES=1")
    theirs = pytest.importorskip("bytepiece")
    texts = GOLDEN["corpus"][:2]
    trainer = theirs.Trainer(max_vocab_size=800, order=5)
    trainer.train(texts)
    [counts] = bytepiece_vocabularies(texts, [797], order=5)
    assert counts == trainer.pieces[0]
    tok = Tokenizer.train(texts, "bytepiece", 800, order=5)
    other = theirs.Tokenizer(trainer.dump(trainer.pieces[0]))
    for sample in GOLDEN["samples"]:
        assert tok.encode(sample) == other.encode(sample)


@pytest.mark.parity
def test_bytepiece_opens_our_files(tmp_path):
    ahocorasick = pytest.importorskip("ahocorasick")
    if ahocorasick.unicode:
        pytest.skip("pyahocorasick was not built with AHOCORASICK_BYTES=1")
    theirs = pytest.importorskip("bytepiece")
    tok = Tokenizer.train(GOLDEN["corpus"], "bytepiece", 500)
    tok.save(tmp_path / "pieces.json")
    other = theirs.Tokenizer(str(tmp_path / "pieces.json"))
    for sample in GOLDEN["samples"]:
        assert tok.encode(sample) == other.encode(sample)
        assert tok.decode(tok.encode(sample)) == other.decode(other.encode(sample))
