"""SentencePiece: golden values of the library, and kernels against definitions."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.formats.sentencepiece_file import model_bytes, parse_model
from minillm.tokenizers.normalizers.charsmap import Charsmap
from minillm.tokenizers.normalizers.charsmap_build import build_charsmap
from minillm.tokenizers.normalizers.charsmap_rules import NAMES, named_charsmap, rules_of
from minillm.tokenizers.sentencepiece.merging import SentencePieceBPE
from minillm.tokenizers.sentencepiece.model_file import (
    BYTE_PIECES,
    ModelFile,
    NormalizerSpec,
    Piece,
    TrainerSpec,
)
from minillm.tokenizers.sentencepiece.model_stages import SentencePieceDecoder, stages_of
from minillm.tokenizers.sentencepiece.normalizer import SentencePieceNormalizer
from minillm.tokenizers.text.segments import joined_texts
from minillm.tokenizers.text.utf8 import decode_per_byte

from ..texts import text as nasty

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "sentencepiece.json").read_text("ascii")
)
RENAMED = {"normalization_rule_name": "normalization"}
marks = st.sampled_from([
    "▁", " ", "  ", "e\u0301", "ﬁ", "Ａ", "ｶﾞ", "か\u3099", "<s>", "<sep>", "the",
])
texts = st.lists(nasty | marks, max_size=5).map("".join)


def options_of(golden):
    return {RENAMED.get(name, name): value for name, value in golden["options"].items()}


def tokenizer_of(pieces, **spec):
    trainer, normalizer = TrainerSpec(), NormalizerSpec()
    for name, value in spec.items():
        setattr(trainer if hasattr(trainer, name) else normalizer, name, value)
    stages = stages_of(ModelFile([Piece(*piece) for piece in pieces], trainer, normalizer))
    return Tokenizer.of(stages)


@cache
def rules(name):
    return {old.encode(): new.encode() for old, new in rules_of(name).items()}


@pytest.mark.parametrize("name", NAMES[:-1])
def test_rules_are_those_of_the_library(name):
    found = sorted(rules(name).items())
    digest = hashlib.sha256(b"".join(old + b"\0" + new + b"\0" for old, new in found))
    assert len(found) == GOLDEN["tables"][name]["rules"]
    assert digest.hexdigest() == GOLDEN["tables"][name]["sha256"]


@pytest.mark.parametrize("kind", ["numpy", "numba"])
@pytest.mark.parametrize("name", NAMES[:-1])
def test_normalized_texts(name, kind):
    characters = {c.encode() for sample in GOLDEN["samples"] for c in sample}
    some = {old: new for old, new in rules(name).items() if old.decode()[0].encode() in characters}
    normalizer = SentencePieceNormalizer(build_charsmap(some))
    with backend(kind):
        found = [normalizer(sample) for sample in GOLDEN["samples"]]
    assert found == GOLDEN["tables"][name]["texts"]


def test_the_shipped_table_is_what_the_rules_give():
    assert build_charsmap(rules("nmt_nfkc")) == named_charsmap("nmt_nfkc")
    assert dict(Charsmap(named_charsmap("nmt_nfkc")).rules()) == rules("nmt_nfkc")


@pytest.mark.parametrize("kind", ["numpy", "numba"])
@pytest.mark.parametrize("name", [n for n in GOLDEN["trainings"] if not n.startswith("unigram")])
def test_training_gives_the_pieces_of_the_library(name, kind):
    golden = GOLDEN["trainings"][name]
    with backend(kind):
        tok = Tokenizer.train(GOLDEN["corpus"], "sentencepiece", **options_of(golden))
    assert [list(piece) for piece in tok.model.file.pieces] == golden["pieces"]


@pytest.mark.parametrize("kind", ["numpy", "numba"])
@pytest.mark.parametrize("name", [n for n in GOLDEN["trainings"] if n.startswith("unigram")])
def test_unigram_training(name, kind):
    golden = GOLDEN["trainings"][name]
    with backend(kind):
        tok = Tokenizer.train(GOLDEN["corpus"], "sentencepiece", **options_of(golden))
    expected = {text: score for text, score, _ in golden["pieces"]}
    found = {piece.text: piece.score for piece in tok.model.file.pieces}
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("kind", ["numpy", "numba"])
@pytest.mark.parametrize("name", GOLDEN["trainings"])
def test_ids_and_texts(name, kind):
    golden = GOLDEN["trainings"][name]
    options = {RENAMED.get(key, key): value for key, value in golden["options"].items()}
    normalization = options.pop("normalization", "nmt_nfkc")
    kinds = {"unigram": 1, "bpe": 2, "word": 3, "char": 4}
    options["model_type"] = kinds[options["model_type"]]
    tok = tokenizer_of(golden["pieces"], charsmap=named_charsmap(normalization), **options)
    with backend(kind):
        rows = [tok.encode(sample, special="text") for sample in GOLDEN["samples"]]
        together = tok.encode_batch(GOLDEN["samples"], special="text")[0].tolist()
    assert rows == golden["ids"]
    assert together == [id for row in rows for id in row]
    assert [tok.decode(row) for row in rows] == golden["texts"]
    stream = tok.stream()
    for row, expected in zip(rows, golden["texts"]):
        stream = tok.stream()
        assert "".join(map(stream.push, row)) + stream.finish() == expected


def test_vectors_of_the_unigram_model():
    vector = GOLDEN["vector"]
    tok = tokenizer_of(vector["pieces"])
    for text, ids, decoded in zip(vector["texts"], vector["ids"], vector["decoded"]):
        assert tok.encode(text, special="text") == ids
        assert tok.decode(ids) == decoded
    with pytest.raises(ValueError, match="<s>"):
        tok.encode("<s>")
    assert tok.encode("<s>a", special="allow") == [1, 3, 4]


def test_the_worked_example_of_pairs_that_occur_no_more():
    pieces = [piece.text for piece in parse_model(base64.b64decode(GOLDEN["small"])).pieces]
    expected = "<unk> <s> </s> aa ab ▁aa ▁ab cd ▁cd ▁aaa ▁aaaa ▁a ▁c aaa aaaa a ▁ b c d"
    assert " ".join(pieces) == expected
    tok = Tokenizer.train(
        ["ab ab", "cd", "aaa aaaa"], "sentencepiece", 20, model_type="bpe",
        normalization="identity",
    )
    assert [piece.text for piece in tok.model.file.pieces] == pieces
    with pytest.raises(ValueError, match="at most 20"):
        Tokenizer.train(["ab ab", "cd", "aaa aaaa"], "sentencepiece", 21, model_type="bpe")


configurations = st.builds(
    SentencePieceNormalizer,
    charsmap=st.sampled_from([
        b"", named_charsmap("nmt_nfkc"),
        build_charsmap({b"a": b" ", b"ab": b"", b"b ": b"  x ", b"\xe4": b"!", b"x": b"y z"}),
    ]),
    add_dummy_prefix=st.booleans(), remove_extra_whitespaces=st.booleans(),
    escape_whitespaces=st.booleans(), treat_whitespace_as_suffix=st.booleans(),
    user_defined=st.sampled_from([(), ("<sep>", "the", " a", "▁▁", "  ")]),
)


@settings(max_examples=150, deadline=None)
@given(configurations, st.lists(texts, max_size=4))
def test_normalizing_kernel_equals_the_definition(normalizer, parts):
    pytest.importorskip("numba")
    data = [part.encode() for part in parts]
    edges = np.cumsum([0, *map(len, data)])
    array = np.frombuffer(b"".join(data), np.uint8)
    new, spans = normalizer.many(array, np.stack([edges[:-1], edges[1:]], 1))
    found = [new[i:j].tobytes() for i, j in spans.tolist()]
    assert found == [b"".join(part.new for part in normalizer.parts(part)) for part in data]


@pytest.mark.parametrize("before", [0, 1, 29, 30, 31, 32, 33, 70])
def test_a_run_of_visible_ascii_ends_before_a_character_that_a_rule_joins_to_it(before):
    charsmap = build_charsmap({"e\u0301".encode(): "é".encode()})
    normalizer = SentencePieceNormalizer(charsmap)
    texts = ["x" * before + end + "y" * 40 for end in ("e\u0301", "e e\u0301", "~\x7f!", "e")]
    texts += [text[: before + 1] for text in texts]  # cut off before what the rule needs
    data, segments = normalizer.many(*joined_texts(texts))
    with backend("numpy"):
        wanted = [normalizer(text) for text in texts]
    assert [data[i:j].tobytes().decode() for i, j in segments] == wanted


@settings(max_examples=100)
@given(configurations, texts)
def test_alignment_points_into_the_text(normalizer, text):
    new, sources = normalizer.aligned(text)
    assert new == normalizer(text)
    assert len(sources) == len(new)
    assert (np.diff(sources[:, 0]) >= 0).all()
    assert (sources[:, 0] <= sources[:, 1]).all()
    assert sources.max(initial=0) <= len(text)


def test_offsets():
    tok = tokenizer_of(GOLDEN["trainings"]["bpe"]["pieces"], model_type=2,
                       charsmap=named_charsmap("nmt_nfkc"))
    ids, offsets = tok.encode_with_offsets("  the  ｔｈｅ rat")
    assert tok.tokens("  the  ｔｈｅ rat") == ["▁the", "▁the", "▁rat"]
    assert offsets == [(2, 5), (5, 10), (10, 14)]
    assert len(ids) == 3


BYTES = [(name, 0.0, 6) for name in BYTE_PIECES]
words = st.text("ab▁é中", min_size=1, max_size=5)
vocabularies = st.lists(
    st.tuples(words, st.integers(-4, 0).map(float), st.sampled_from([1, 1, 1, 4, 5])),
    min_size=1, max_size=12, unique_by=lambda piece: piece[0],
)


@settings(max_examples=200, deadline=None)
@given(vocabularies, st.booleans(), st.sampled_from(["bpe", "char", "word"]),
       st.lists(st.text("aab▁▁é中x", max_size=12), max_size=4))
def test_bpe_kernel_equals_the_definition(pieces, fallback, kind, lines):
    pytest.importorskip("numba")
    pieces = [("<unk>", 0.0, 2), *(BYTES if fallback else []), *pieces]
    model = SentencePieceBPE(
        [text.encode() for text, _, _ in pieces], [score for _, score, _ in pieces],
        [kind for _, _, kind in pieces], 0, fallback, kind,
    )
    data = [line.encode() for line in [*lines, "ab▁" * 60, "x" * 300]]
    edges = np.cumsum([0, *map(len, data)])
    array, spans = np.frombuffer(b"".join(data), np.uint8), np.stack([edges[:-1], edges[1:]], 1)
    found = model.encode(array, spans)
    with backend("numpy"):
        expected = model.encode(array, spans)
    assert found[0].tolist() == expected[0].tolist()
    assert found[1].tolist() == expected[1].tolist()


def test_decoding_bytes_one_replacement_each():
    assert decode_per_byte(b"\xe4\xb8a\xe4\xb8\xad\xff") == "\ufffd\ufffda中\ufffd"
    decoder = SentencePieceDecoder(byte_pieces=True)
    pieces = [b"<0xE4>", b"<0xB8>", b"a", b"<0xE4>", b"<0xB8>", b"<0xAD>", b"<0xFF>"]
    assert decoder(pieces).decode() == "\ufffd\ufffda中\ufffd"


def test_leading_spaces_of_decoded_text():
    pieces = ["▁".encode(), "▁a".encode(), "▁b".encode()]
    for leading, expected in (("keep", "  a b"), ("one", " a b"), ("each", "a b")):
        assert SentencePieceDecoder(leading=leading)(pieces).decode() == expected


def test_special_tokens_become_control_symbols(tmp_path):
    tok = Tokenizer.train(
        ["the cat sat", "the mat"], "sentencepiece", 30, ["<|end|>", "<s>"], model_type="bpe",
        pad_id=3, user_defined_symbols=["cat"], hard_vocab_limit=False,
    )
    assert tok.special_tokens == {"<unk>": 0, "<s>": 1, "</s>": 2, "<pad>": 3, "<|end|>": 4}
    ids = tok.encode("the cat<|end|>", special="allow")
    assert ids[-1] == 4
    assert 5 in ids  # cat
    assert tok.decode(ids) == "the cat"
    tok.save(tmp_path / "t.model")
    again = Tokenizer.load(tmp_path / "t.model")
    assert again.special_tokens == tok.special_tokens
    assert again.encode("the mat", special="text") == tok.encode("the mat", special="text")


def test_wrong_options_are_named():
    for options, message in (
        ({"model_type": "bpee"}, "model_type='bpee'"), ({"normalization": "nfc"}, "'nfc'"),
        ({"user_defined_symbols": ["a", "a"]}, "twice"), ({"unk_id": -1}, "unk_id=-1"),
        ({"bos_id": 0}, "bos_id=0"), ({"max_piece_length": 99}, "max_piece_length=99"),
        ({"character_coverage": 0.0}, "character_coverage=0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            Tokenizer.train(["a b"], "sentencepiece", 20, **{"model_type": "bpe", **options})
    with pytest.raises(TypeError, match="byte_fallbak"):
        Tokenizer.train(["a b"], "sentencepiece", 20, byte_fallbak=True)
    with pytest.raises(ValueError, match="at least 6"):
        Tokenizer.train(["ab"], "sentencepiece", 5, model_type="bpe")
    with pytest.warns(UserWarning, match="1 lines of more than 4192 bytes"):
        Tokenizer.train(["ab", "a" * 5000], "sentencepiece", 6, model_type="bpe")


def test_the_file_of_the_library_is_written_back_as_it_is():
    data = base64.b64decode(GOLDEN["small"])
    file = parse_model(data)
    assert parse_model(model_bytes(file)) == file


def test_a_text_of_nothing_but_long_lines_is_refused():
    with pytest.raises(ValueError, match=r"all 2 have more than 50 bytes; cut them, or raise max"):
        Tokenizer.train(["so long a line " * 9] * 2, "sentencepiece", 40, max_sentence_length=50)
