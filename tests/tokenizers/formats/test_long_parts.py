"""The parts of a tokenizer.json that kernels read, beside the same file read the plain way."""

import json
import random

import numpy as np
import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.formats import tokenizer_json_reading
from minillm.tokenizers.formats.long_parts import read_by_parts
from minillm.tokenizers.formats.tokenizer_json_reading import stages_of
from minillm.tokenizers.formats.untrusted import BrokenFileError
from minillm.tokenizers.text.byte_alphabet import bytes_to_characters

from .test_fuzz_files import TEXTS, mutated

pytest.importorskip("numba")
VOCABULARY = '{"a": 0, "b" : 1, "ab": 2 , "é": 3, "\\"\\u00e9\\n": 4, "\\u20ac\\u00E9": 5}'
FILE = '{"model": {"type": "BPE", "vocab": %s, "merges": %s}, "decoder": %s}'


@pytest.fixture
def write(tmp_path):
    """A function that writes a file: vocabulary, merges and the object of the decoder."""
    def write(vocabulary=VOCABULARY, merges='["a b"]', rest="null", whole=FILE):
        path = tmp_path / "tokenizer.json"
        text = whole % (vocabulary, merges, rest)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return write


def outcome(path):
    """What the model of the file holds, or the error."""
    try:
        tok = Tokenizer.load(path)
    except BrokenFileError as error:
        return str(error)
    merges = getattr(tok.model, "merges", np.zeros(0)).tolist()
    return type(tok.model), tok.model.vocabulary, merges, tok.unk_id, tok.special_tokens


def plain(path, monkeypatch):
    """The same, read the plain way."""
    with monkeypatch.context() as patch:
        patch.setattr(tokenizer_json_reading, "read_by_parts", lambda path: None)
        return outcome(path)


@pytest.mark.parametrize(
    ("model", "size"), [("byte_bpe", 280), ("bpe", 60), ("wordpiece", 80), ("word", None)]
)
def test_files_of_ours_are_read_by_parts(model, size, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    Tokenizer.train(TEXTS, model, size, special_tokens=["<|end|>"]).save(path)
    value = read_by_parts(path)
    assert value is not None
    assert stages_of(path, value).model.vocabulary == outcome(path)[1]
    assert outcome(path) == plain(path, monkeypatch)


@pytest.mark.parametrize("merges", ['["a b"]', '[ "a b" , "a b" ]', '[["a", "b"]]',
                                    '[["a","b"],"a b"]', '[ [ "a" , "b" ] , "\\u0061 b"]'])
def test_spellings_of_the_same(merges, write, monkeypatch):
    path = write(merges=merges)
    value = read_by_parts(path)
    assert value is not None
    assert value["model"]["vocab"].as_utf8() == [
        b"a", b"b", b"ab", "é".encode(), '"é\n'.encode(), "€é".encode()]
    assert value["model"]["merges"].tolist() == [[0, 1, 2]] * merges.count("b")  # one in each
    assert outcome(path) == plain(path, monkeypatch)


ODD_VOCABULARIES = [
    "{}", '{"a": 0, "b": 1, "ab": 2, "a": 3}', '{"a": 0, "b": 1, "ab": 2, "\\u0061": 3}',
    '{"a": 0, "b": 1, "ab": 1}', '{"a": 0, "b": 1, "ab": -1}', '{"a": 0, "b": 1, "ab": 2.0}',
    '{"a": 0, "b": 1, "ab": 02}', '{"a": 0, "b": 1, "ab": 99999999}', '{"a": 0, "b": 1, "ab": 2,}',
    '{"a": 0, "b": 1, "ab": 2 3}', '{"a": 0, "b": 1, "ab": }', '{"a": 0, "b": 1, "ab": true}',
    '{"a": 0, "b": 1, "ab": 99999999999999999999}', '{"a": 0, "b": 1 "ab": 2}',
    '{"a": 0, "b": 1, "ab": 2, "\\ud800": 3}', '{"a": 0, "b": 1, "ab": 2, "\\ud83d\\ude00": 3}',
    '{"a": 0, "b": 1, "ab": 2, "\\x": 3}', '{"a": 0, "b": 1, "ab": 2, "\\u12g4": 3}',
    '{"a": 0, "b": 1, "ab": 2, "\\u12:4": 3}', '{"a": 0, "b": 1, "ab": 2, "\n": 3}',
    '{"a": 0, "b": 1, "ab": 2, "": 3}', '{"a": 5, "b": 3, "ab": 900}', '{"a": 1e0, "b": 1}',
    '{"a": 0, "b": 1, "ab": 2, "\\"vocab\\": {": 3}', '{"a": 0, "b": 1, "ab": 2, "vocab": 3}',
    '{"a": 0, "b": 1, "ab": 4294967298}',
    '{"a": 0, "b": 1, "ab": 2, "\\"merges\\": [": 3, "merges": 4}', "[]", "null", '{"a": 0',
]


@pytest.mark.parametrize("vocabulary", ODD_VOCABULARIES)
def test_an_odd_vocabulary(vocabulary, write, monkeypatch):
    path = write(vocabulary)
    assert outcome(path) == plain(path, monkeypatch)


@pytest.mark.parametrize("merges", [
    "[]", "[null]", '["a"]', '["a  b"]', '[" ab"]', '["ab "]', '[["a", ""]]', '[["a", "b", "c"]]',
    '["b a"]', '["a b",]', '["a b" "a b"]', '["a b", ["a"]]', '["a b"', '[["a", "b"]', '["a\nb"]',
    '["a b", "\\ud800 b"]', "{}", "null", '["a b", 1]',
])
def test_odd_merges(merges, write, monkeypatch):
    path = write(merges=merges)
    assert outcome(path) == plain(path, monkeypatch)


@pytest.mark.parametrize("whole", [
    '{"model": {"merges": %.0s%s, "vocab": {"a": 0, "b": 1, "ab": 2}}, "decoder": %s}',
    '{"x": {"vocab": %s}, "merges": %s, "model": {"vocab": {"a": 0}, "merges": []}, "y": %s}',
    '{"x": {"vocab": %s}, "model": {"merges": %s, "vocab": {"a": 0}}, "decoder": %s}',
    '{"model": {"vocab": %s, "m\\u0065rges": []}, "merges": %s, "decoder": %s}',
    '{"model": {"type": "Unigram", "vocab": %s, "merges": %s}, "decoder": %s}',
    '{"model": {"type": "WordLevel", "vocab": %s, "merges": %s}, "decoder": %s}',
    '{"model": {"type": "WordPiece", "vocab": %s, "x": %s}, "decoder": %s}',
    '{"model": {"vocab": %s, "merges": %s, "merges": ["a b"]}, "decoder": %s}',
    '{"model": {"vocab": %s, "merges": %s, "continuing_subword_prefix": "b"}, "decoder": %s}',
    '{"model": {"vocab": %s, "merges": %s, "unk_token": "\\ud800"}, "decoder": %s}',
    '{"model": {"vocab": %s, "merges": %s}, "decoder": %s, "added_tokens": [{"content": "c", '
    '"id": 1}]}',
    '{"model": {"vocab": %s, "merges": %s}, "decoder": %s, "added_tokens": [{"content": "a", '
    '"id": 1}]}',
    '{"model": {"vocab": %s, "merges": %s}, "decoder": %s, "added_tokens": [{"content": "é", '
    '"id": 3}]}',
    '{"\\"vocab": {"a": 0}, "model": {"vocab": %s, "merges": %s}, "decoder": %s}',
    '{"x": "\\"vocab": {}, "model": {"vocab": %s, "merges": %s}, "decoder": %s}',
    '{"x": "a"vocab": {}, "model": {"vocab": %s, "merges": %s}, "decoder": %s}',
    '\ufeff{"model": {"vocab": %s, "merges": %s}, "decoder": %s}',
    '{"model": {"vocab": %s, "merges": %s}, "decoder": %s} x',
    '[{"model": {"vocab": %s, "merges": %s}, "decoder": %s}]',
    '{"model": [{"vocab": %s, "merges": %s}], "decoder": %s}',
    '{"model": {"vocab": %s, "merges": %s}, "decoder": ' + "[" * 9999 + "%s}",
])
def test_an_odd_file(whole, write, monkeypatch):
    path = write(whole=whole)
    assert outcome(path) == plain(path, monkeypatch)


def test_two_spaces_in_a_merge(write, monkeypatch):
    path = write('{"a": 0, " b": 1, "a b": 2}', '["a  b"]')
    assert "expected two tokens" in outcome(path)
    assert outcome(path) == plain(path, monkeypatch)


@pytest.mark.parametrize("merges", [b'"","a b"]', b'"a ","a b"]', b'["a",""]]', b'"a'])
def test_the_kernel_gives_up(merges):
    """Before there are more merges than it was promised room for: none is shorter than "a b"."""
    from minillm.tokenizers.formats.json_kernel import read_merges

    names, edges = np.zeros(20, np.uint8), np.zeros((4, 3), np.int64)
    assert read_merges(np.frombuffer(merges, np.uint8), 0, names, edges) == (0, -1)


ADDED = '"added_tokens": [{"content": "%s", "id": %d}], %s'


def test_special_tokens_in_the_vocabulary(write):
    """They are no tokens of the model if nothing is merged to them."""
    vocabulary = '{"a": 0, "b": 1, "yy": 2, "ab": 3, "zz": 4}'
    assert outcome(write(vocabulary, rest='null, ' + ADDED % ("yy", 2, '"x": 0')))[1] == [
        b"a", b"b", None, b"ab", b"zz"]
    assert outcome(write(vocabulary, rest='null, ' + ADDED % ("zz", 4, '"x": 0')))[1] == [
        b"a", b"b", b"yy", b"ab"]
    error = outcome(write(vocabulary, rest='null, ' + ADDED % ("zz", 3, '"x": 0')))
    assert "'zz' has two ids, 3 and 4" in error
    error = outcome(write(vocabulary, rest='null, ' + ADDED % ("c", 3, '"x": 0')))
    assert "id 3 belongs to two tokens" in error


def test_half_a_character_is_no_token(write):
    vocabulary = '{"a": 0, "b": 1, "ab": 2, "?": 3, "\ufffd": 4}'
    whole = '{"model": {"vocab": %s, "merges": %s, "unk_token": "%s"}}'
    assert outcome(write(vocabulary, rest="\\ud800", whole=whole))[3] is None
    assert outcome(write(vocabulary, rest="?", whole=whole))[3] == 3


@pytest.mark.parametrize("name", [b"\xc3", b"\xc3\": 3, \"\xa9", b"\xed\xa0\x80", b"\xff"])
def test_a_vocabulary_that_is_not_utf8(name, write, monkeypatch):
    vocabulary = b'{"a": 0, "b": 1, "ab": 2, "' + name + b'": 7}'
    path = write(vocabulary, b'["a b"]', b"null", FILE.encode())
    assert outcome(path) == plain(path, monkeypatch)
    assert "not valid UTF-8" in outcome(path)


def test_two_spellings_of_the_same_bytes(write):
    """中 is not in the byte alphabet and stands for its UTF-8, which can be spelled in it too."""
    names = [*map(chr, range(33, 127)), "!!", bytes_to_characters("中".encode())]
    vocabulary = {name: id for id, name in enumerate(names)}
    whole = ('{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"vocab": %s, "merges": %s}, '
             '"decoder": %s}')
    rest = '["! !"]', '{"type": "ByteLevel"}', whole
    assert outcome(write(json.dumps(vocabulary), *rest))[1][-1] == "中".encode()
    vocabulary |= {"文": len(vocabulary)}
    assert outcome(write(json.dumps(vocabulary), *rest))[1][-1] == "文".encode()
    vocabulary |= {"中": len(vocabulary)}
    error = outcome(write(json.dumps(vocabulary), *rest))
    assert "two tokens of the vocabulary stand for the same bytes" in error


@pytest.mark.parametrize("model", ["byte_bpe", "bpe", "wordpiece"])
def test_broken_files_are_broken_either_way(model, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    Tokenizer.train(TEXTS, model, 290, special_tokens=["<|end|>"]).save(path)
    whole, rng, quick = path.read_bytes(), random.Random(model), 0
    start = whole.index(b'"vocab"')
    for _ in range(300):
        path.write_bytes(whole[:start] + mutated(whole[start:], rng))
        quick += read_by_parts(path) is not None
        assert outcome(path) == plain(path, monkeypatch)
    assert quick
