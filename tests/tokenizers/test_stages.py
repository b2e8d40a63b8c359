"""Stages in unusual company give what Hugging Face's library gives, or both refuse."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.normalizers.rewriting import Lowercase
from minillm.tokenizers.pre_tokenizers.metaspace import Metaspace

FOLDER = Path(__file__).parents[1] / "golden"
STORED = json.loads((FOLDER / "stages.json").read_text("ascii"))

REFUSED = "stride=|max_length=|cannot leave out|needs a pair|is not in the vocabulary"


def loaded(value, tmp_path):
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(value), "utf-8")
    return Tokenizer.load(path)


def compare(tok, row):
    text, other = row["text"], row["other"]
    if row["whole"] is None:
        with pytest.raises(ValueError, match=REFUSED):
            tok.encode(text, special="allow")
        with pytest.raises(ValueError, match=REFUSED):
            tok.encode_with_offsets(text, special="allow")
    else:
        ids, offsets = row["whole"]
        assert tok.encode(text, special="allow") == ids, text
        found = tok.encode_with_offsets(text, special="allow")
        assert found == (ids, [tuple(span) for span in offsets]), text
        assert tok.decode(ids) == row["decoded"], text
        stream = tok.stream()
        assert "".join(map(stream.push, ids)) + stream.finish() == row["decoded"], text
    if row["pair"] is None:
        with pytest.raises(ValueError, match=REFUSED):
            tok.encode_pair(text, other, special="allow")
    else:
        assert list(tok.encode_pair(text, other, special="allow")) == row["pair"], (text, other)


@pytest.mark.parametrize("entry", STORED, ids=lambda entry: entry["name"])
def test_stored_stages(entry, tmp_path):
    tok = loaded(entry["json"], tmp_path)
    for row in entry["rows"]:
        compare(tok, row)
    tok.save(tmp_path / "ours.json")
    again = Tokenizer.load(tmp_path / "ours.json")
    for row in entry["rows"]:
        compare(again, row)
    for name in ("truncation", "padding"):
        saved = json.loads((tmp_path / "ours.json").read_text("utf-8"))
        assert saved[name] == entry["json"][name]


@pytest.mark.parity
@pytest.mark.parametrize("entry", STORED, ids=lambda entry: entry["name"])
def test_the_library_reads_what_we_write(entry, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    loaded(entry["json"], tmp_path).save(tmp_path / "ours.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "ours.json"))
    for row in entry["rows"]:
        if row["whole"] is not None:
            found = theirs.encode(row["text"])
            assert [found.ids, list(map(list, found.offsets))] == row["whole"], row["text"]
            assert theirs.decode(found.ids, skip_special_tokens=False) == row["decoded"]


@pytest.mark.parametrize("pre_tokenizer", [None, Metaspace(scheme="first"), Metaspace()])
def test_places_need_one_normalization(pre_tokenizer):
    calls = []

    class Counted(Lowercase):
        def __call__(self, text):
            calls.append("called")
            return super().__call__(text)

        def aligned(self, text):
            calls.append("aligned")
            return super().aligned(text)

    tok = Tokenizer.train(["a big cat"], model="byte_bpe", vocab_size=256)
    tok = replace(tok, normalizer=Counted(), pre_tokenizer=pre_tokenizer)
    assert tok.encode_with_offsets("A CAT")[1][-1] == (4, 5)
    assert calls == ["aligned"]
