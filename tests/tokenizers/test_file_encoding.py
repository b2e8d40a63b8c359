"""Files are encoded in blocks, and the ids are those of the whole text."""

import random

import numpy as np
import pytest
from hypothesis import given, settings

from minillm.data import stories
from minillm.tokenizers import PATTERNS, Tokenizer, split
from minillm.tokenizers.file_encoding import last_safe_place, text_blocks

from .texts import text

STORIES = list(stories.corpus(40)) + list(stories.corpus(40, language="zh"))


@pytest.mark.parametrize("rule", PATTERNS)
@settings(max_examples=200)
@given(before=text, after=text)
def test_no_piece_crosses_a_safe_place(rule, before, after):
    for between in ("cat", "小猫"):
        for space in (" ", "\n"):
            whole = before + between + space + after
            at = len(before) + len(between)
            assert split(whole, rule) == split(whole[:at], rule) + split(whole[at:], rule)


@pytest.mark.parametrize("rule", PATTERNS)
def test_ids_of_the_whole_text(rule, tmp_path, monkeypatch):
    rng = random.Random(1)
    source = "\n".join(story + " " * rng.randrange(4) + "it's 12345\r\n" for story in STORIES)
    path = tmp_path / "text.txt"
    path.write_bytes(source.encode())
    tok = Tokenizer.train([source], "byte_bpe", 600, ["<|end|>"], pattern=rule)
    monkeypatch.setattr("minillm.tokenizers.file_encoding.BLOCK", 1000)
    assert len(list(text_blocks(path, 1000))) > 20
    found = tok.encode_file(path, tmp_path / "ids.bin")
    assert np.array_equal(found.ids, tok.encode_array(source))


def test_special_tokens_and_lines(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("one two<|end|>\nthree  four\n", "utf-8")
    tok = Tokenizer.train(["one two three four\n"], "byte_bpe", 300, ["<|end|>"])
    with pytest.raises(ValueError, match="special token"):
        tok.encode_file(path, tmp_path / "ids.bin")
    assert not (tmp_path / "ids.bin").exists()
    found = tok.encode_file(path, tmp_path / "ids.bin", special="allow")
    assert found.ids.tolist() == tok.encode(path.read_text("utf-8"), special="allow")
    pieces = Tokenizer.train(["one two three four"], "wordpiece", 60, ["[UNK]"])
    found = pieces.encode_file(path, tmp_path / "ids.bin")
    expected = [id for line in path.read_text().splitlines(True) for id in pieces.encode(line)]
    assert found.ids.tolist() == expected


def test_broken_text(tmp_path):
    path = tmp_path / "text.txt"
    tok = Tokenizer.train(["one two"], "byte_bpe", 256)
    for data, place in ((b"one \xff two", 4), (b"one \xe4\xb8", 6)):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=f"byte {place} is not valid UTF-8"):
            tok.encode_file(path, tmp_path / "ids.bin")
    path.write_bytes(b"")
    assert len(tok.encode_file(path, tmp_path / "ids.bin")) == 0


def test_memory_does_not_grow_with_the_file(tmp_path):
    import tracemalloc

    tok = Tokenizer.train(STORIES, "byte_bpe", 600)
    peaks = []
    for copies in (60, 600):
        path = tmp_path / f"{copies}.txt"
        path.write_text("\n".join(STORIES * copies), "utf-8")
        tok.encode_file(path, tmp_path / "ids.bin")
        tracemalloc.start()
        tok.encode_file(path, tmp_path / "ids.bin")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_place_is_found_far_from_the_end():
    assert last_safe_place("a b" + "。" * 10_000) == 1
    assert last_safe_place("。" * 10) == 0
