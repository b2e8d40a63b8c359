"""BytePiece: definitions, kernels, golden values of bytepiece 0.6.3, and its files."""

import base64
import contextlib
import json
import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.bytepiece.best_cut import (
    BytePiece,
    Lines,
    best_pieces,
    cut_lines,
    random_pieces,
    uniform_draws,
)
from minillm.tokenizers.formats.bytepiece_file import read_bytepiece
from minillm.tokenizers.formats.untrusted import BrokenFileError
from minillm.tokenizers.text.segments import UnknownTextError

from ..texts import text as any_text

GOLDEN = json.loads(Path(__file__).parents[2].joinpath("golden/bytepiece.json").read_text("ascii"))


def tokenizer(counts: dict[str, int]) -> Tokenizer:
    pieces = sorted(map(base64.b64decode, counts), key=lambda piece: (len(piece), piece))
    model = BytePiece(
        [b"", b"", b"", *pieces],
        [0, 0, 0] + [counts[base64.b64encode(piece).decode()] for piece in pieces],
    )
    from minillm.tokenizers.bytepiece.training import bytepiece_stages

    return Tokenizer.of(bytepiece_stages(model, {}))


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("k", range(3))
def test_ids_are_those_of_bytepiece(k, name):
    with backend(name):
        for counts, expected in zip(GOLDEN["counts"][k], GOLDEN["ids"][k]):
            tok = tokenizer(counts)
            assert [tok.encode(sample) for sample in GOLDEN["samples"]] == expected
            batch, ends = tok.encode_batch(GOLDEN["samples"])
            assert [batch[i:j].tolist() for i, j in pairwise(ends)] == expected


def test_small_model():
    small = {key: row[2] for key, row in GOLDEN["small"].items()}
    model = tokenizer(small).model
    model.vocabulary = [b"", b"", b"", b"a", b"b", b"ab", b"bc", b"c"]  # the ids of the example
    model.counts = [0, 0, 0, 1, 1, 1, 1, 1]
    model = BytePiece(model.vocabulary, model.counts)
    assert [1, *model.encode_piece(b"abc"), 2] == GOLDEN["abc"] == [1, 3, 6, 2]
    with pytest.raises(UnknownTextError, match="abd"):
        model.encode_piece(b"abd")


def test_lines():
    assert cut_lines("a1\n\nb2") == ["a1\n\n", "b2"]
    assert cut_lines("a1\n\nb2", 10_000, True) == GOLDEN["isolated"] == ["a", "1", "\n\n", "b", "2"]
    assert cut_lines("abcde\n\nf", 2) == ["ab", "cd", "e\n\n", "f"]
    assert [len(part) for part in cut_lines("\n" * 250, 9)] == [100, 100, 50]


@given(any_text)
def test_lines_as_pieces(text):
    data, spans = Lines()(text)
    raw = data.tobytes()
    assert [raw[i:j].decode() for i, j in spans.tolist()] == cut_lines(text)


scores = st.dictionaries(
    st.binary(min_size=1, max_size=4).map(lambda piece: bytes(97 + byte % 3 for byte in piece)),
    st.integers(1, 5), max_size=9,
).map(lambda counts: counts | {b"a": 1, b"b": 2, b"c": 1})
words = st.text("abc", max_size=30).map(str.encode)


def with_all_bytes(counts: dict[bytes, int]) -> dict[bytes, int]:
    return {bytes([byte]): 1 for byte in range(256)} | counts


def model_of(counts: dict[bytes, int]) -> BytePiece:
    return BytePiece([b"", b"", b"", *counts], [0, 0, 0, *counts.values()])


@settings(max_examples=200)
@given(scores | scores.map(with_all_bytes), st.lists(words, max_size=4))
def test_kernel_finds_what_the_definition_finds(counts, texts):
    pytest.importorskip("numba")
    from minillm.tokenizers.counting.distinct_pieces import joined

    model = model_of(counts)
    data, spans = joined(texts) if texts else (np.empty(0, np.uint8), np.empty((0, 2), np.int64))
    ids, ends = model.encode(data, spans)
    with backend("numpy"):
        ids2, ends2 = model.encode(data, spans)
    assert ids.tolist() == ids2.tolist()
    assert ends.tolist() == ends2.tolist()


def test_long_lines_and_blocks():
    """Texts longer than a block of the faster search, and than its first arrays."""
    pytest.importorskip("numba")
    counts = with_all_bytes({b"a" * n: 9 - n for n in range(2, 8)} | {b"ab": 3, b"\xe4\xb8": 2})
    model = model_of(counts)
    text = (b"aaab" * 90 + "中文".encode() + b"\n" + b"a" * 700 + b"\n\n") * 30
    data, spans = np.frombuffer(text, np.uint8), np.array([[0, len(text)]])
    ids, _ = model.encode(data, spans)
    with backend("numpy"):
        assert ids.tolist() == model.encode(data, spans)[0].tolist()
    fast = model.bulk(None, Lines())(data, spans)[0]
    with backend("numpy"):
        lines = Lines()(text.decode())
        assert fast.tolist() == model.encode(*lines)[0].tolist()


def test_many_pieces_that_begin_each_other():
    pytest.importorskip("numba")
    model = model_of(with_all_bytes({b"a" * n: n for n in range(2, 80)}))
    data = np.frombuffer(b"a" * 500 + b"b", np.uint8)
    ids, _ = model.encode(data, np.array([[0, 501]]))
    with backend("numpy"):
        assert ids.tolist() == model.encode(data, np.array([[0, 501]]))[0].tolist()


@settings(max_examples=100)
@given(scores, words, st.floats(0, 2), st.integers(0, 2**64 - 1))
def test_kernel_draws_what_the_definition_draws(counts, text, alpha, seed):
    pytest.importorskip("numba")
    model, again = model_of(counts), model_of(counts)
    model.alpha, model.seed = again.alpha, again.seed = alpha, seed
    data, spans = np.frombuffer(text, np.uint8), np.array([[0, len(text)]])
    for _ in range(3):
        ids, _ = model.encode(data, spans)
        with backend("numpy"):
            assert ids.tolist() == again.encode(data, spans)[0].tolist()


def every_way(data: bytes, pieces) -> list[tuple[bytes, ...]]:
    if not data:
        return [()]
    return [
        (data[:n], *rest) for n in range(1, len(data) + 1) if data[:n] in pieces
        for rest in every_way(data[n:], pieces)
    ]


@given(scores, st.text("abc", min_size=1, max_size=9).map(str.encode))
def test_best_of_all_ways(counts, data):
    model = model_of(counts)
    values = [sum(map(model.scores.get, way)) for way in every_way(data, model.scores)]
    found = best_pieces(data, model.scores, model.longest)
    assert b"".join(found) == data
    assert math.isclose(sum(map(model.scores.get, found)), max(values))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_random_ways_have_their_probabilities(alpha):
    model = model_of({b"a": 5, b"b": 3, b"ab": 4, b"ba": 2, b"aba": 1})
    weights = {
        way: math.exp(alpha * sum(map(model.scores.get, way)))
        for way in every_way(b"ababa", model.scores)
    }
    draw, n = uniform_draws(0), 20_000
    seen = Counter(
        tuple(random_pieces(b"ababa", model.scores, model.longest, alpha, draw)) for _ in range(n)
    )
    assert set(seen) <= set(weights)
    for way, weight in weights.items():
        p = weight / sum(weights.values())
        assert abs(seen[way] / n - p) < 5 * math.sqrt(p * (1 - p) / n)


@settings(max_examples=60)
@given(any_text)
def test_every_text_comes_back_composed(text):
    import unicodedata

    tok = tokenizer(GOLDEN["counts"][0][0])
    text = text.encode("utf-8", "replace").decode()
    ids, offsets = tok.encode_with_offsets(text)
    assert tok.decode(ids) == unicodedata.normalize("NFC", text)
    assert ids == tok.encode(text)
    assert all(0 <= i <= j <= len(text) for i, j in offsets)


@settings(max_examples=300)
@given(any_text | st.text("eé\u0301\u0300Å\u2126か\u3099中，“。1\u302a", max_size=6))
def test_what_is_surely_composed(text):
    pytest.importorskip("numba")
    import unicodedata

    from minillm.tokenizers.bytepiece.trie_kernel import surely_composed

    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    if surely_composed(data):
        assert unicodedata.is_normalized("NFC", text)


def test_plain_text_is_surely_composed():
    pytest.importorskip("numba")
    from minillm.tokenizers.bytepiece.trie_kernel import surely_composed

    text = "naïve “quotes” — 今天，天气很好！ ＡＢ\n"
    assert surely_composed(np.frombuffer(text.encode(), np.uint8))
    assert not surely_composed(np.frombuffer("e\u0301".encode(), np.uint8))


def test_decoding_leaves_out_what_is_no_text():
    tok = tokenizer(GOLDEN["counts"][0][0])
    ids = tok.encode("小猫")
    assert tok.decode([1, *ids, 2, 0]) == "小猫"
    assert tok.decode([tok.token_to_id("小".encode()[:1]), *ids]) == "小猫"


def test_files(tmp_path):
    tok = tokenizer(GOLDEN["counts"][0][1])
    path = tmp_path / "pieces.json"
    tok.save(path)
    again = Tokenizer.load(path)
    assert again.model.vocabulary == tok.model.vocabulary
    assert again.model.counts == tok.model.counts
    rows = json.loads(path.read_text("utf-8"))
    assert list(rows.values())[300][1] == tok.model.vocabulary[303].decode(errors="ignore")
    assert again.encode("Hello world") == tok.encode("Hello world")


def test_special_tokens_survive(tmp_path):
    tok = Tokenizer.train(["ab ab ab\n" * 9], "bytepiece", 300, ["<|endoftext|>"])
    assert tok.special_tokens == {"<|endoftext|>": 3}
    assert tok.encode("ab<|endoftext|>", special="allow")[-1] == 3
    tok.save(tmp_path / "pieces.json")
    again = Tokenizer.load(tmp_path / "pieces.json")
    assert again.special_tokens == tok.special_tokens
    text = "ab ab<|endoftext|>b"
    assert again.encode(text, "allow") == tok.encode(text, "allow")
    tok.special_tokens["late"] = 9_999
    with pytest.raises(ValueError, match="without gaps"):
        tok.save(tmp_path / "other.json")


ENTRY = '{"YQ==": [3, "a", 1], "Yg==": [4, "b", 2]}'
BROKEN = [
    (ENTRY[:-9], "not valid JSON"), (ENTRY.replace("YQ==", "Y"), "base64"),
    (ENTRY.replace("YQ==", ""), "0 bytes"), (ENTRY.replace("4", "3"), "before"),
    (ENTRY.replace("Yg", "YQ"), "twice"), (ENTRY.replace("4", "5"), "3 to 4"),
    (ENTRY.replace("4", "16000000"), "3 to 4"), (ENTRY.replace("2", "NaN"), "count"),
    (ENTRY.replace("2", "-2"), "count"), (ENTRY.replace("2", "true"), "count"),
    (ENTRY.replace("2", "9" * 5000), "not valid JSON"), (ENTRY.replace("2", "1e3"), "count"),
    (ENTRY.replace(', 2', ""), "id, text, count"), (ENTRY.replace('"b"', "7"), "text"),
    (ENTRY.replace("1", "0").replace("2", "0"), "together"),
    (ENTRY.replace("2", str(2**52)).replace("1", str(2**52)), "together"),
    (ENTRY.replace('[4, "b", 2]', "[" * 3000), "JSON"), (ENTRY.replace('"b"', '"\xff"'), "UTF-8"),
    (ENTRY.replace("YQ==", "/w==").replace("1", "0"), "UTF-8"),
]


@pytest.mark.parametrize(("content", "message"), BROKEN)
def test_broken_files_say_where(content, message, tmp_path):
    path = tmp_path / "broken.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(BrokenFileError, match=message) as caught:
        Tokenizer.load(path)
    assert "broken.json" in str(caught.value)


@settings(max_examples=300)
@given(st.data())
def test_mutated_files_give_one_kind_of_error(tmp_path_factory, data):
    content = bytearray(ENTRY.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.getbasetemp() / "mutated.json"
    path.write_bytes(bytes(content))
    with contextlib.suppress(BrokenFileError):
        read_bytepiece(path)


def test_two_threads_find_the_same(monkeypatch):
    pytest.importorskip("numba")
    from minillm.tokenizers.text import two_threads

    tok = tokenizer(GOLDEN["counts"][0][0])
    texts = [*GOLDEN["corpus"], "", "no line feed at all " * 9, "\n\n\n", *GOLDEN["corpus"]]
    expected = [tok.encode(text) for text in texts]
    whole = tok.encode("\n".join(texts))
    monkeypatch.setattr(two_threads, "ENOUGH", 8)
    monkeypatch.setattr(two_threads.threads, "count", lambda: 2)
    assert [tok.encode(text) for text in texts] == expected
    ids, ends = tok.encode_batch(texts)
    assert [ids[i:j].tolist() for i, j in pairwise(ends)] == expected
    assert tok.encode("\n".join(texts)) == whole
    vocabulary = Tokenizer.train(GOLDEN["corpus"], "bytepiece", 900).model.counts
    assert vocabulary == tok.model.counts
