"""Whole pipelines out of tokenizer.json give what Hugging Face's library gives, and go back."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from minillm.tokenizers import Tokenizer

FOLDER = Path(__file__).parents[1] / "golden"
STORED = json.loads((FOLDER / "pipelines.json").read_text("ascii"))


def compare(entry, tmp_path):
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(entry["json"]), "utf-8")
    tok = Tokenizer.load(path)
    for text, ids, offsets, pair, types, decoded in entry["rows"]:
        assert tok.encode(text, special="allow") == ids, text
        bare, spans = replace(tok, post_processor=None), list(map(tuple, offsets))
        assert bare.encode_with_offsets(text, special="allow")[1] == spans, text
        around = [(0, 0)] * (tok.post_processor is not None)  # [CLS] and [SEP]
        whole = tok.encode_with_offsets(text, special="allow")
        assert whole == (ids, [*around, *spans, *around]), text
        assert tok.encode_pair(text, "the cat", special="allow") == (pair, types), text
        assert tok.decode(ids) == decoded, text
        stream = tok.stream()
        assert "".join(map(stream.push, ids)) + stream.finish() == decoded, text
    return tok


@pytest.mark.parametrize("entry", STORED, ids=lambda entry: "-".join(entry["stages"]))
def test_stored_pipelines(entry, tmp_path):
    tok = compare(entry, tmp_path)
    tok.save(tmp_path / "ours.json")
    again = Tokenizer.load(tmp_path / "ours.json")
    texts = [row[0] for row in entry["rows"]]
    ids, ends = tok.encode_batch(texts, special="allow")
    assert [a.tolist() for a in again.encode_batch(texts, special="allow")] == [
        ids.tolist(), ends.tolist()
    ]
    assert [row[1] for row in entry["rows"]] == [
        ids[i:j].tolist() for i, j in pairwise(ends)
    ]


@pytest.mark.parity
@pytest.mark.parametrize("seed", range(1, 4))
def test_live_pipelines(seed, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    from ..golden.make_pipelines import entries

    for entry in entries(seed, 40, 2):
        tok = compare(entry, tmp_path)
        tok.save(tmp_path / "ours.json")
        theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "ours.json"))
        for text, ids, *_ in entry["rows"]:
            assert theirs.encode(text).ids == ids, text
