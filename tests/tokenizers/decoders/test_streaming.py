"""Decoding id by id gives what decoding at once gives, in time that grows with the text alone."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.decoders.joining import Join, JoinMarked, JoinWordPieces, JoinWords
from minillm.tokenizers.decoders.rewriting import (
    CTC,
    ByteTokens,
    DecodeInTurn,
    FromByteAlphabet,
    JoinSpaced,
    ReplaceIn,
    StripFrom,
)
from minillm.tokenizers.decoders.streaming import KeepValid, StreamDecoder, WaitForAll
from minillm.tokenizers.normalizers.rewriting import Replace
from minillm.tokenizers.sentencepiece.model_stages import SentencePieceDecoder

LLAMA = DecodeInTurn((ReplaceIn(Replace("▁", " ")), ByteTokens(), Join(), StripFrom(" ", 1, 0)))
TEXT_DECODERS = [
    JoinSpaced(), ByteTokens(), LLAMA, CTC("<pad>", "|"), CTC("a", "b", False), JoinMarked(),
    JoinMarked(scheme="never"), JoinWords(), JoinWordPieces(), JoinWordPieces("##", False),
    FromByteAlphabet(), StripFrom("a", 1, 2),
    DecodeInTurn((FromByteAlphabet(), StripFrom("a", 2, 0), StripFrom("b", 1, 1))),
    DecodeInTurn((JoinMarked(), StripFrom(" ", 1, 1))),
    DecodeInTurn((JoinWordPieces(), CTC(), Join(), StripFrom("中", 1, 2))),
    DecodeInTurn((DecodeInTurn((ByteTokens(), Join())), ReplaceIn(Replace("a+", "-")))),
    DecodeInTurn((Join(), JoinMarked())), DecodeInTurn(()),
    *[SentencePieceDecoder(frozenset([b"<s>"]), b"<unk>", b" ? ", leading, True)
      for leading in ("each", "one", "keep")],
    lambda tokens: b"-".join(reversed(tokens)),
]
BYTE_DECODERS = [Join(), KeepValid(), JoinWords("b")]
PIECES = ["a", "b", " ", "▁", "▁a", "▁▁", "##b", "##", "</w>", "a</w>", "</w>b", "<pad>", "|", ".",
          "n't", " n't", "'s", "<s>", "<unk>", "中", "é", "Ġ", "Ġa", "Ã", "©", "ä", "¸", "\ufffd",
          *["<0x41>", "<0xE4>", "<0xB8>", "<0xAD>", "<0xF0>", "<0x9F>", "<0xFF>", "<0xC3>"]]


def streamed(decoder, tokens):
    stream = StreamDecoder(tokens.__getitem__, decoder)
    return "".join(map(stream.push, range(len(tokens)))) + stream.finish()


def name(decoder):
    """What a test is called: the same in every process."""
    return getattr(decoder, "__name__", repr(decoder))


@pytest.mark.parametrize("decoder", TEXT_DECODERS, ids=name)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_stream_of_text_equals_decoding(decoder, pieces):
    tokens = [piece.encode() for piece in pieces]
    assert streamed(decoder, tokens) == decoder(tokens).decode("utf-8", "replace")


@pytest.mark.parametrize("decoder", BYTE_DECODERS, ids=name)
@given(tokens=st.lists(st.binary(max_size=3) | st.sampled_from(["é".encode(), b"\xe4", b"\xb8"])))
def test_stream_of_bytes_equals_decoding(decoder, tokens):
    assert streamed(decoder, tokens) == decoder(tokens).decode("utf-8", "replace")


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from(TEXT_DECODERS),
       st.sampled_from([copy.copy, copy.deepcopy]))
def test_a_copied_stream_goes_its_own_way(pieces, decoder, copied):
    tokens = [piece.encode() for piece in pieces]
    half = len(tokens) // 2
    stream = StreamDecoder(tokens.__getitem__, decoder)
    before = "".join(map(stream.push, range(half)))
    other = copied(stream)
    for _ in range(3):
        stream.push(half - 1) if half else stream.finish()
    after = "".join(map(other.push, range(half, len(tokens)))) + other.finish()
    assert before + after == decoder(tokens).decode("utf-8", "replace")


def byte_fallback_json():
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)} | {"a": 256, "<unk>": 257}
    return {
        "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": True, "vocab": vocabulary,
                  "merges": []},
    }


def test_bytes_that_are_spoiled_later(tmp_path):
    """41 alone is A, but one invalid byte in its run makes every byte of it U+FFFD."""
    (tmp_path / "t.json").write_text(json.dumps(byte_fallback_json()))
    tok = Tokenizer.load(tmp_path / "t.json")
    stream = tok.stream()
    pieces = [stream.push(id) for id in (0x41, 0xE4, 256)]
    assert pieces == ["", "", "\ufffd\ufffda"]
    assert "".join(pieces) + stream.finish() == tok.decode([0x41, 0xE4, 256])




def decides_early(decoder):
    return hasattr(decoder, "push") and not any(
        isinstance(step, WaitForAll) for step in getattr(decoder, "chain", [])
    )


@pytest.mark.parametrize("decoder", [d for d in TEXT_DECODERS if decides_early(d)], ids=name)
def test_work_of_a_push_does_not_grow(decoder):
    """What a stream keeps, and so what a push looks at, is bounded."""
    stream = StreamDecoder([b"ab", b"\xe4\xb8\xad"].__getitem__, decoder)
    for k in range(500):
        stream.push(k % 2)
    kept = repr(stream._state)
    for k in range(500):
        stream.push(k % 2)
    assert len(repr(stream._state)) <= len(kept) + 8


def test_text_appears_at_once_where_it_is_decided():
    tokens = ["▁one", "▁two", ",", "<0xE4>", "<0xB8>", "<0xAD>", "▁three"]
    stream = StreamDecoder([token.encode() for token in tokens].__getitem__, LLAMA)
    assert [stream.push(k) for k in range(7)] == ["one", " two", ",", "", "", "", "中 three"]
