"""Files: what is saved is loaded again; broken files give one clear error."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.tokenizers import Template, Tokenizer
from minillm.tokenizers.normalizers.rewriting import InTurn, Lowercase
from minillm.tokenizers.normalizers.unicode_forms import UnicodeForm

TEXTS = ["The cat sat, don't you see? 12345\n\n  x = 3", "小猫坐在垫子上。 naïve 👍🏽"]
MODELS = {
    "char": {}, "word": {}, "bpe": {"vocab_size": 90}, "byte_bpe": {"vocab_size": 300},
}


@pytest.mark.parametrize("model", MODELS)
def test_save_and_load(model, tmp_path):
    tok = Tokenizer.train(TEXTS, model, special_tokens=["<|end|>"], **MODELS[model])
    tok.save(tmp_path / "tok.json")
    again = Tokenizer.load(tmp_path / "tok.json")
    assert again.pre_tokenizer == tok.pre_tokenizer
    assert again.decoder == tok.decoder
    for source in TEXTS:
        assert again.encode(source) == tok.encode(source)
        assert again.decode(tok.encode(source)) == tok.decode(tok.encode(source))
        assert again.encode_with_offsets(source) == tok.encode_with_offsets(source)
    assert again.special_tokens == tok.special_tokens
    assert [path.name for path in tmp_path.iterdir()] == ["tok.json"]


@pytest.mark.parametrize("pattern", ["cl100k", "cl100k_original", "o200k", r"\w+|\W"])
def test_patterns_survive(pattern, tmp_path):
    tok = Tokenizer.train(TEXTS, "byte_bpe", 300, pattern=pattern)
    tok.save(tmp_path / "tok.json")
    again = Tokenizer.load(tmp_path / "tok.json")
    assert again.pre_tokenizer.rule == tok.pre_tokenizer.rule
    assert again.encode(TEXTS[0] + "\n  ") == tok.encode(TEXTS[0] + "\n  ")


def test_other_stages_survive(tmp_path):
    tok = Tokenizer.train(TEXTS, "byte_bpe", 300, ["<s>", "</s>"])
    tok.post_processor = Template.around((0,), (1,))
    tok.normalizer = InTurn((UnicodeForm("NFC"), Lowercase()))
    tok.save(tmp_path / "tok.json")
    again = Tokenizer.load(tmp_path / "tok.json")
    ids = again.encode("CAFE\u0301 X")
    assert ids == tok.encode("CAFE\u0301 X") == [0, *ids[1:-1], 1]
    assert again.decode(ids) == "<s>café x</s>"
    _, offsets = again.encode_with_offsets("CAFE\u0301 X")
    assert offsets[0] == offsets[-1] == (0, 0)  # of the template
    assert offsets[-2][1] == 7
    assert (3, 4) in offsets
    assert again.encode_batch(["a", ""])[1].tolist() == [0, 3, 5]


def write_tiktoken(tok, path):
    with open(path, "wb") as file:
        for id, token in enumerate(tok.model.vocabulary):
            file.write(base64.b64encode(token) + b" %d\n" % id)


def test_tiktoken_file(tmp_path):
    tok = Tokenizer.train(TEXTS, "byte_bpe", 300, pattern="o200k")
    write_tiktoken(tok, tmp_path / "a.tiktoken")
    again = Tokenizer.load(
        tmp_path / "a.tiktoken", pattern="o200k", special_tokens={"<|end|>": 300}
    )
    for source in TEXTS:
        assert again.encode(source) == tok.encode(source)
    assert again.encode("a<|end|>", special="allow")[-1] == 300
    assert again.vocab_size == 301


def test_whole_pieces_come_before_merges(tmp_path):
    """Vocabulary {a, b, c, bc, abc, ab}: merging gives ab c, tiktoken looks for abc first."""
    names = [bytes([b]) for b in range(256)] + [b"bc", b"abc", b"ab"]
    (tmp_path / "a.tiktoken").write_bytes(
        b"".join(base64.b64encode(name) + b" %d\n" % k for k, name in enumerate(names))
    )
    tok = Tokenizer.load(tmp_path / "a.tiktoken")
    assert tok.tokens("abc") == ["abc"]
    assert tok.tokens("abcabc") == ["abc", "abc"]
    vocab = {"a": 0, "b": 1, "c": 2, "bc": 3, "abc": 4, "ab": 5}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\nb c\n")
    tok = Tokenizer.load(tmp_path / "vocab.json", merges=tmp_path / "merges.txt")
    assert tok.tokens("abc") == ["ab", "c"]
    assert tok.tokens("abcabc") == ["ab", "c", "ab", "c"]


def test_gpt2_files(shared_data):
    tok = Tokenizer.load(shared_data / "gpt2/encoder.json", merges=shared_data / "gpt2/vocab.bpe")
    assert tok.vocab_size == 50257
    assert tok.special_tokens == {"<|endoftext|>": 50256}
    for source, ids in (
        ("Hello world", [15496, 995]),
        ("I'll  don't\n\n x", [40, 1183, 220, 836, 470, 628, 2124]),
        ("héllo 中", [71, 2634, 18798, 220, 40792]),
        (" \t\n  a", [220, 197, 198, 220, 257]),
    ):
        assert tok.encode(source) == ids
    for name in ("tinyshakespeare.txt", "tang_poems.txt"):
        source = (shared_data / name).read_text("utf-8")[:300_000]
        assert tok.decode(tok.encode_array(source)) == source


def good_json() -> dict:
    return {
        "version": "1.0",
        "added_tokens": [{"id": 3, "content": "<s>"}],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A"}}],
        },
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]},
    }


def test_small_file_loads(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(good_json()))
    assert Tokenizer.load(tmp_path / "t.json").encode("abba") == [3, 2, 1, 0]


JUNK = st.sampled_from(
    [None, 7, -1, 1.5, "x", "", [], {}, True, [[]], [["a"]], ["a b c"], {"type": "Nope"}, [3],
     {"a": "b"}, {"a": -5}, {"a": 10**12}, {"a": 0, "b": 0}, [["b", "a"]], [["", "a"]], "ab",
     {"type": "Split"}, {"type": "Sequence"}, {"a": 1e3}, {"a": True}, [None], "\ud800"]
)


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children if isinstance(value, dict | list) else ():
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))
        else:
            yield (*path, key)


@given(st.sampled_from([p for p in places(good_json()) if p]), JUNK)
def test_altered_json_loads_or_raises_value_error(tmp_path_factory, path, junk):
    value = place = good_json()
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = junk
    file = tmp_path_factory.mktemp("altered") / "t.json"
    file.write_text(json.dumps(value))
    try:
        tok = Tokenizer.load(file)
    except ValueError as error:
        assert str(file) in str(error)  # noqa: PT017 (not raising is fine as well)
    else:
        tok.decode(tok.encode("b", special="text"))


def test_truncated_files(tmp_path):
    tok = Tokenizer.train(TEXTS, "byte_bpe", 270)
    tok.save(tmp_path / "t.json")
    whole = (tmp_path / "t.json").read_bytes()
    for cut in range(0, len(whole) - 2, len(whole) // 23):
        (tmp_path / "t.json").write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"t\.json: line \d+, column"):
            Tokenizer.load(tmp_path / "t.json")
    write_tiktoken(tok, tmp_path / "t.tiktoken")
    lines = (tmp_path / "t.tiktoken").read_bytes()
    for broken, message in (
        (lines[:300], "cut off|expected base64|share a rank"), (lines + b"!!! 5\n", "line 271 is"),
        (lines + b"YQ== 999\n", "was there before"), (lines + b"YWFhYQ==\n", "line 271"),
        (lines + b"enp6 4\n", "share a rank"), (b"\xff", "not valid UTF-8"), (b"", "cut off"),
        (lines + b"enp6 -4\n", "rank -4"),
    ):
        (tmp_path / "t.tiktoken").write_bytes(broken)
        with pytest.raises(ValueError, match=message) as caught:
            Tokenizer.load(tmp_path / "t.tiktoken")
        assert "t.tiktoken" in str(caught.value)


def test_broken_vocab_and_merges(tmp_path):
    vocab, merges = tmp_path / "vocab.json", tmp_path / "merges.txt"
    for names, lines, message in (
        ({"a": 0, "b": 1}, "a b\n", "needs 'ab'"),
        ({"a": 0, "b": 1, "ab": 2}, "a b c\n", "expected two tokens"),
        ({"a": 0, "b": 0}, "", "share the id 0"),
        ({"abc": 0}, "", "no token is a single byte"),
        ([1], "", "expected a JSON object"),
        ({"a": "x"}, "", "id of 'a'"),
    ):
        vocab.write_text(json.dumps(names))
        merges.write_text(lines)
        with pytest.raises(ValueError, match=message):
            Tokenizer.load(vocab, merges=merges)
    vocab.write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"nested too deeply|not valid JSON"):
        Tokenizer.load(vocab, merges=merges)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    tok = Tokenizer.train(TEXTS, "char")
    tok.save(tmp_path / "t.json")
    before = (tmp_path / "t.json").read_bytes()
    tok.normalizer = str.upper
    with pytest.raises(ValueError, match="cannot be written"):
        tok.save(tmp_path / "t.json")
    assert (tmp_path / "t.json").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
