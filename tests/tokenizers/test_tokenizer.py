"""The Tokenizer: encode, decode, offsets, special tokens, streams, and wrong arguments."""

import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import PATTERNS, Split, Tokenizer

from .texts import text

CORPUS = [
    "The cat sat on the mat. Don't you see? it's 12345!\n\n  x = 3\n",
    "小猫坐在垫子上。 naïve 👍🏽 café <|x|> ABC abc\t\r\n" * 3,
]
SPECIAL = ["<|end|>", "<|end|>more", "<|x|>"]


@pytest.fixture(scope="module")
def toks():
    return {
        rule: Tokenizer.train(CORPUS, "byte_bpe", 320, SPECIAL, pattern=rule) for rule in PATTERNS
    }


@settings(max_examples=200)
@given(text)
def test_byte_bpe_round_trip_equals_its_definition(toks, source):
    for tok in toks.values():
        ids = tok.encode(source, special="text")
        assert tok.decode(ids) == source
        with backend("numpy"):
            assert tok.encode(source, special="text") == ids


@settings(max_examples=150)
@given(text)
def test_offsets_cover_the_text(toks, source):
    for tok in toks.values():
        ids, offsets = tok.encode_with_offsets(source, special="allow")
        assert ids == tok.encode(source, special="allow")
        position = 0
        for id, (start, end) in zip(ids, offsets):
            assert start <= position <= end
            assert tok.decode_bytes([id]) in source[start:end].encode()
            position = end
        assert position == len(source)


@settings(max_examples=100)
@given(st.lists(text, max_size=6))
def test_batch_equals_one_by_one(toks, sources):
    for special in ("allow", "text"):
        for tok in toks.values():
            ids, offsets = tok.encode_batch(sources, special=special)
            assert (ids.dtype, offsets.dtype) == (np.int32, np.int64)
            assert len(offsets) == len(sources) + 1
            rows = [ids[i:j].tolist() for i, j in itertools.pairwise(offsets)]
            assert rows == [tok.encode(source, special=special) for source in sources]


@settings(max_examples=100)
@given(st.lists(st.integers(0, 319), max_size=30))
def test_stream_equals_decode(toks, ids):
    tok = toks["gpt2"]
    stream = tok.stream()
    parts = [stream.push(id) for id in ids]
    assert "".join(parts) + stream.finish() == tok.decode(ids)
    assert tok.decode(ids) == tok.decode_bytes(ids).decode("utf-8", "replace")


def test_stream_waits_for_whole_characters(toks):
    tok = toks["gpt2"]
    stream = tok.stream()
    euro = [tok.token_to_id(bytes([byte])) for byte in "€".encode()]
    assert [stream.push(id) for id in euro] == ["", "", "€"]
    assert stream.push(euro[0]) == ""
    assert stream.finish() == "\ufffd"


def test_special_tokens(toks):
    tok = toks["cl100k"]
    assert tok.special_tokens == {"<|end|>": 0, "<|end|>more": 1, "<|x|>": 2}
    with pytest.raises(ValueError, match=r"'<\|end\|>' at character 1"):
        tok.encode("a<|end|>b")
    a, b = tok.token_to_id("a"), tok.token_to_id("b")
    assert tok.encode("a<|end|>b", special="allow") == [a, 0, b]
    assert tok.encode("a<|end|>moreb", special="allow") == [a, 1, b]  # the longest first
    assert 0 not in tok.encode("a<|end|>b", special="text")
    assert tok.decode([a, 0, b]) == "a<|end|>b"
    assert tok.encode_with_offsets("a<|x|>é", special="allow")[1][:2] == [(0, 1), (1, 6)]
    with pytest.raises(ValueError, match="special='maybe'"):
        tok.encode("a", special="maybe")


def test_text_never_turns_into_a_special_token():
    for model, size in (("word", None), ("bpe", 200), ("char", None)):
        tok = Tokenizer.train(["a <|end|> b <|unk|> <|ed|>"], model, size, ["<|end|>"])
        assert 0 not in tok.encode("a <|end|>", special="text")


def test_empty_text_and_no_ids(toks):
    for tok in toks.values():
        assert tok.encode("") == []
        assert tok.decode([]) == ""
        assert tok.tokens("") == []
        assert tok.encode_with_offsets("") == ([], [])
        ids, offsets = tok.encode_batch([])
        assert len(ids) == 0
        assert offsets.tolist() == [0]


def test_surrogates_become_replacement_characters(toks):
    for tok in toks.values():
        assert tok.decode(tok.encode("a\ud800b")) == "a\ufffdb"
        ids, offsets = tok.encode_with_offsets("a\ud83d\udc4db")
        assert tok.decode(ids) == "a👍b"
        assert offsets[1] == (1, 3)
        assert offsets[-1] == (3, 4)


def test_wrong_ids(toks):
    tok = toks["gpt2"]
    for bad in ([320], [-1], [0, 1, 10**9]):
        with pytest.raises(ValueError, match="is not an id of this tokenizer; expected 0 to 319"):
            tok.decode(bad)
    for odd in ([1.5], [[1, 2]], ["a"]):
        with pytest.raises(TypeError, match="one row of whole numbers"):
            tok.decode(odd)
    assert tok.decode(np.array([0], np.int64)) == "<|end|>"


def test_invalid_utf8_decodes_with_replacement(toks):
    tok = toks["gpt2"]
    for data, expected in (
        (b"\xe4\xb8a", "\ufffda"), (b"\xed\xa0\x80", "\ufffd" * 3), (b"\xc0\x80", "\ufffd" * 2),
        (b"\xf4\x90\x80\x80", "\ufffd" * 4),
    ):
        assert tok.decode([tok.token_to_id(bytes([byte])) for byte in data]) == expected


def test_long_pieces_are_not_quadratic(toks):
    """A million equal letters, or spaces, at once; the same ids as a short run, repeated."""
    pytest.importorskip("numba")
    tok = Tokenizer.train(["a" * 64 + " " * 64], "byte_bpe", 270)
    for character in "a ":
        long, short = tok.encode(character * (1 << 20)), tok.encode(character * (1 << 12))
        assert len(long) == len(short) << 8
        assert set(long) == set(short)


def test_wrong_training_arguments(tmp_path):
    with pytest.raises(ValueError, match="use one of char, word, bpe, byte_bpe"):
        Tokenizer.train(["a"], model="wordpieces")
    with pytest.raises(ValueError, match="at least 257 "):
        Tokenizer.train(["a"], "byte_bpe", vocab_size=256, special_tokens=["<s>"])
    with pytest.raises(ValueError, match="at least 3 "):
        Tokenizer.train(["abc"], "char", vocab_size=2)
    with pytest.raises(ValueError, match=r"at least 4 .*3 characters"):
        Tokenizer.train(["ab c"], "bpe", vocab_size=3)
    with pytest.raises(ValueError, match="'<s>' twice"):
        Tokenizer.train(["a"], "char", special_tokens=["<s>", "<s>"])
    with pytest.raises(ValueError, match="non-empty"):
        Tokenizer.train(["a"], "char", special_tokens=[""])
    with pytest.raises(TypeError, match="pass a list"):
        Tokenizer.train("a text", "char")
    with pytest.raises(TypeError, match="texts holds 5"):
        Tokenizer.train([5], "char")
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"caf\xe9\n")
    with pytest.raises(ValueError, match=r"latin\.txt: byte 3 is not valid UTF-8"):
        Tokenizer.train([latin], "char")
    with pytest.raises(TypeError, match="expected str"):
        Tokenizer.train(["a"], "char").encode(b"a")


def test_files_are_read_line_by_line(tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text("a  \nb  \n" * 50 + "tail", encoding="utf-8", newline="\n")
    from minillm.tokenizers.counting import distinct_pieces as counting

    lines = path.read_text("utf-8").splitlines(keepends=True)
    expected = counting.count_pieces(lines, "gpt2")
    for block in (7, 64, 1 << 24):
        monkeypatch.setattr(counting, "BLOCK", block)
        data, offsets, counts = counting.word_counts([path], "gpt2")
        words = [data[i:j].tobytes() for i, j in itertools.pairwise(offsets)]
        assert dict(zip(words, counts.tolist())) == expected


def test_counting_grows():
    from minillm.tokenizers.counting import distinct_pieces as counting

    texts = [" ".join(f"w{k * 7919:x}" for k in range(60_000)), "x" * 3_000_000, "é" * 40]
    data, offsets, counts = counting.word_counts([*texts, *texts], "gpt2")
    words = [data[i:j].tobytes() for i, j in itertools.pairwise(offsets)]
    expected = counting.count_pieces(texts, "gpt2")
    assert words == list(expected)
    assert counts.tolist() == [2 * count for count in expected.values()]


def test_char_and_word():
    source = "The cat, the dog -- and (maybe) a cow?\n\n  Yes!"
    char = Tokenizer.train([source], "char")
    assert char.tokens("cat") == ["c", "a", "t"]
    assert [char.id_to_token(k) for k in range(char.vocab_size)] == sorted(set(source))
    assert char.decode(char.encode(source)) == source
    with pytest.raises(ValueError, match="'z' at byte 1"):
        char.encode("az")
    word = Tokenizer.train([source], "word")
    assert word.tokens("The cow-- yes?") == ["The", " ", "cow", "--", " ", "<|unk|>", "?"]
    assert word.decode(word.encode(source)) == source
    small = Tokenizer.train([source], "char", vocab_size=6, unk_token="?!")
    assert small.vocab_size == 6
    assert small.tokens("aQ") == ["a", "?!"]


def test_explain_shows_every_stage(toks):
    shown = toks["gpt2"].explain("Don't sit<|x|>", special="allow")
    assert shown.pieces == ["Don", "'t", " sit", "<|x|>"]
    assert "".join(shown.tokens) == shown.text == shown.normalized
    assert len(shown.ids) == len(shown.offsets) == len(shown.tokens)


def test_importing_does_not_load_numba():
    code = "import sys, minillm.tokenizers; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("pattern", "why"), [
    ("gpt2", None), (r"\d+|\D", None), (r"(?=a\d)a|.", "looks further than one character"),
])
def test_explain_says_what_goes_text_by_text(pattern, why):
    tok = Tokenizer.train(["ab12"], "byte_bpe", vocab_size=258)
    tok = replace(tok, pre_tokenizer=Split(pattern, gaps="keep"))
    found = tok.explain("a12 b").text_by_text
    assert found is None if why is None else why in found
    ids, _ = tok.encode_batch(["a12 b", "a1"])
    assert ids.tolist() == tok.encode("a12 b") + tok.encode("a1")
