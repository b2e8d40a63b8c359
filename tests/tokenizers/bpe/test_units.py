"""Byte-level BPE in units: pieces are cut where no entry reaches across, and nothing changes."""

import random
from itertools import pairwise

import numpy as np
import pytest

from minillm import backend
from minillm.tokenizers import ByteBPE, Split, Tokenizer
from minillm.tokenizers.bpe.units import characters, joints_of
from minillm.tokenizers.text.segments import Pieces

from ..texts import random_texts

LETTERS = "中文字典小猫é，。a 1"


def random_model(seed, merges=300):
    """Merges of bytes that stand side by side in a text, so that many hold parts of characters."""
    rng = random.Random(seed)
    tokens, learned = [bytes([byte]) for byte in range(256)], []
    text = list("".join(rng.choices(LETTERS, k=4000)).encode())
    while len(learned) < merges:
        k = rng.randrange(len(text) - 1)
        left, right = text[k : k + 2]
        joined = tokens[left] + tokens[right]
        if joined in tokens or len(joined) > 12:
            continue
        tokens.append(joined)
        learned.append((left, right, len(tokens) - 1))
        text = [*text[:k], len(tokens) - 1, *text[k + 2 :]]
    return ByteBPE(tokens, np.array(learned, np.int32))


def texts(count=200):
    rng = random.Random(5)
    made = ["".join(rng.choices(LETTERS + "犬狗", k=rng.choice([2, 7, 40, 400])))
            for _ in range(count)]
    return [*made, *random_texts(200), "", "中", "中" * 300, "犬" * 300 + "a"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pattern", [None, r"\s+|\S+", "gpt2"])
def test_kernel_and_definition(seed, pattern):
    stage = None if pattern is None else Split(pattern)
    tok = Tokenizer(random_model(seed), pre_tokenizer=stage)
    ids, offsets = tok.encode_batch(texts())
    with backend("numpy"):
        expected = [tok.encode(text) for text in texts()]
    assert [ids[i:j].tolist() for i, j in pairwise(offsets)] == expected


def test_few_places_are_joints():
    """中文 is an entry, and one that ends in the first byte of 字: only there nothing is cut."""
    tokens = [bytes([byte]) for byte in range(256)]
    joints = joints_of([*tokens, "中文".encode(), "文".encode() + "字".encode()[:1], b"ab"])
    assert joints.parts.sum() == 1
    assert (joints.pairs > 0).sum() == 2
    model = ByteBPE([*tokens, "中".encode()[:2], "中".encode(), "文".encode()[:2], "文".encode(),
                     "中文".encode()], np.array([
                         (0xE4, 0xB8, 256), (256, 0xAD, 257), (0xE6, 0x96, 258), (258, 0x87, 259),
                         (257, 259, 260)], np.int32))
    data = np.frombuffer("中文中中文".encode(), np.uint8)
    assert model(Pieces(data, np.array([[0, len(data)]])))[0].tolist() == [260, 257, 260]


def test_characters_with_parts_at_the_ends():
    token = "文字".encode()[1:5]
    assert characters(token) == ["文".encode()[1:], "字".encode()[:2]]
    assert characters("a中".encode()) == [b"a", "中".encode()]


def test_an_entry_as_a_piece_and_as_a_part_of_one():
    """No merge makes the entry 中文: a piece that is it gets its id, a part of one does not."""
    tokens = [bytes([byte]) for byte in range(256)]
    model = ByteBPE([*tokens, "中文".encode()], np.empty((0, 3), np.int32), whole_pieces=True)
    tok = Tokenizer(model, pre_tokenizer=Split(r"\s|\S+"))
    for text in ("中文", "中文字", "字中文", "中文 中文字 中文", "字中文 中文"):
        with backend("numpy"):
            expected = tok.encode(text)
        assert tok.encode(text) == expected
        assert expected.count(256) == text.split().count("中文")
