"""BPE of characters by its kernel: the same ids as the definition, whatever the vocabulary."""

import random
from itertools import pairwise

import numpy as np
import pytest

from minillm import backend
from minillm.tokenizers import CharacterBPE, Tokenizer
from minillm.tokenizers.normalizers.rewriting import InTurn, Prepend, Replace

from ..texts import random_texts

LETTERS = "ab▁ 中é\n"


def random_model(seed, byte_fallback, fuse_unk=True, missing=()):
    """Merges of what merges have made, over a few characters; the others are unknown."""
    rng = random.Random(seed)
    tokens = [b"<unk>", *(letter.encode() for letter in LETTERS)]
    tokens += [b"<0x%02X>" % byte for byte in range(256) if byte not in missing]
    tokens = tokens if byte_fallback else tokens[: len(LETTERS) + 1]
    parts, merges = list(range(1, len(LETTERS) + 1)), []
    for _ in range(60):
        left, right = rng.choice(parts), rng.choice(parts)
        joined = tokens[left] + tokens[right]
        if len(joined) < 14 and joined not in tokens:
            tokens.append(joined)
            parts.append(len(tokens) - 1)
            merges.append((left, right, len(tokens) - 1))
    rng.shuffle(merges)  # also where a merge comes before those that make its parts
    return CharacterBPE(tokens, np.array(merges, np.int32), unk_id=0, suffix="",
                        byte_fallback=byte_fallback, fuse_unk=fuse_unk)


def texts():
    rng = random.Random(1)
    made = ["".join(rng.choices(LETTERS + "xß", k=rng.choice([3, 9, 80, 300])))
            for _ in range(150)]
    return [*made, *random_texts(100), "", "a", "x", "xx" * 40, "a" * 500]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("byte_fallback", "fuse_unk", "missing"), [
    (True, True, ()), (True, False, ()), (False, True, ()), (True, True, (9, 10, 0xFF)),
])
def test_kernel_and_definition(seed, byte_fallback, fuse_unk, missing):
    tok = Tokenizer(random_model(seed, byte_fallback, fuse_unk, missing))
    fast = not byte_fallback or 9 not in missing
    assert (tok.model.pieces is not None) == fast  # a tab would need the byte that is missing
    ids, offsets = tok.encode_batch(texts())
    with backend("numpy"):
        expected = [tok.encode_with_offsets(text) for text in texts()]
    assert [ids[i:j].tolist() for i, j in pairwise(offsets)] == [row for row, _ in expected]
    assert [tok.encode_with_offsets(text) for text in texts()] == expected


def test_one_byte_may_be_missing_if_no_unknown_character_needs_it():
    """Line feeds are an entry here, so that nobody asks for the byte 0x0A."""
    tok = Tokenizer(random_model(0, True, missing=(10, 0xC0)))
    assert tok.model.pieces is not None
    assert tok.decode(tok.encode("a\nx\n")).startswith("a")


@pytest.mark.parametrize("options", [
    {"prefix": "##"}, {"suffix": "</w>"}, {"dropout": 0.5}, {"whole_words": True},
    {"fuse_unk": False}, {"unk_id": None},
])
def test_where_the_kernel_steps_aside(options):
    model = random_model(0, False)
    fields = {"unk_id": 0, "suffix": "", "fuse_unk": True} | options
    assert CharacterBPE(model.vocabulary, model.merges, **fields).pieces is None


def test_the_pipeline_of_llama_2():
    """Prepend, Replace and a model without a pre-tokenizer, with special tokens between."""
    normalizer = InTurn((Prepend("▁"), Replace(" ", "▁")))
    tok = Tokenizer(random_model(0, True), normalizer, special_tokens={"<s>": 900})
    for text in ("a b", "<s>a b<s>", "b<s> a", "<s><s>"):
        with backend("numpy"):
            expected = tok.encode(text, special="allow")
        ids, offsets = tok.encode_batch(["x", text], special="allow")
        assert ids[offsets[1] :].tolist() == expected


def encoded(model, texts):
    """The ids of each text, as the kernel gives them where there is one, and as defined."""
    tok = Tokenizer(model)
    ids, offsets = tok.encode_batch(texts)
    with backend("numpy"):
        expected = [tok.encode(text) for text in texts]
    return [ids[i:j].tolist() for i, j in pairwise(offsets)], expected


def test_an_unknown_token_that_text_may_hold():
    """A ? of the text is itself; only unknown characters beside one another become one."""
    tokens = [b"?", b"a", b"??", b"<unk>"]
    merges = np.array([[0, 0, 2]], np.int32)
    for unk_id, rows, expected in ((0, merges[:0], [0, 0, 1, 0]), (2, merges, [2, 1, 2]),
                                   (3, merges, [2, 1, 3])):
        model = CharacterBPE(tokens, rows, unk_id=unk_id, suffix="", fuse_unk=True)
        ids, defined = encoded(model, ["??axx"])
        assert ids == defined == [expected]
        assert (model.pieces is not None) == (unk_id == 3)


def test_merges_that_make_another_text_than_their_parts():
    tokens = [b"<unk>", b"a", b"b", b"c", b"ab"]
    model = CharacterBPE(tokens, np.array([[1, 2, 3], [3, 3, 4]], np.int32), unk_id=0, suffix="",
                         fuse_unk=True)
    ids, expected = encoded(model, ["abab", "ab", "c", "cc", "abcab"])
    assert ids == expected


@pytest.mark.parametrize("seed", range(30))
def test_every_cut_of_a_token_may_be_a_merge(seed):
    """The kernel leaves out those that never happen."""
    rng = random.Random(seed)
    names = ["<unk>", *"ab▁"]
    for _ in range(rng.randrange(1, 40)):
        name = rng.choice(names[1:]) + rng.choice(names[1:])
        names += [name] * (name not in names)
    ids = {name: k for k, name in enumerate(names)}
    rows = [(ids[name[:k]], ids[name[k:]], id) for name, id in ids.items() if id > 3
            for k in range(1, len(name)) if name[:k] in ids and name[k:] in ids]
    rng.shuffle(rows)
    model = CharacterBPE([name.encode() for name in names], np.array(rows, np.int32).reshape(-1, 3),
                         unk_id=0, suffix="", fuse_unk=True)
    found, expected = encoded(
        model, ["".join(rng.choices("ab▁x", [9, 9, 9, 1], k=rng.choice([2, 8, 60, 400])))
                for _ in range(20)] + names[1:])
    assert found == expected
    assert len(model.pieces.pairs.rows) <= len(names)


def test_text_that_looks_like_a_byte_has_its_places():
    """``<0x3C>`` may be the byte 3C, an unknown <, or these six characters, which have an entry."""
    letters = "<0x3C>"
    tokens = [b"<0x%02X>" % byte for byte in range(256)]
    tokens += [letter.encode() for letter in letters]
    merges, made = [], tokens.index(b"<", 256)
    for letter in letters[1:]:
        tokens.append(tokens[made] + letter.encode())
        whole = tokens.index(tokens[-1])  # of the last one, that is the entry of the byte
        merges.append((made, tokens.index(letter.encode(), 256), whole))
        made = whole
    tok = Tokenizer(CharacterBPE(tokens[:-1], np.array(merges), suffix="", byte_fallback=True))
    text = "é<0x3C><0xé"
    found = tok.encode_with_offsets(text)
    with backend("numpy"):
        assert tok.encode_with_offsets(text) == found
    assert (1, 7) in found[1]
