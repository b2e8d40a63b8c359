"""Numbers of a tokenizer.json: read as the reference library reads them, written so that it can."""

import json
import random

import numpy as np
import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.formats.json_numbers import read_number, write_number
from minillm.tokenizers.unigram.most_probable import Unigram

# (as written, as Hugging Face tokenizers 0.23 holds it)
READ = [
    ("-11.821905921350673", -11.821905921350671), ("-0.1", -0.1), ("-0.0", -0.0), ("1e-7", 1e-07),
    ("-9.876543210987654321012345", -9.876543210987656), ("0.1e-330", 0.0),
    ("12345678901234567890123.5", 1.2345678901234568e22), ("4.9e-324", 5e-324),
]


def unigram_json(numbers):
    rows = ",".join(f'["{chr(0x4E00 + k)}",{number}]' for k, number in enumerate(numbers))
    return ('{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,'
            '"pre_tokenizer":null,"post_processor":null,"decoder":{"type":"Fuse"},"model":{"type":'
            f'"Unigram","unk_id":0,"byte_fallback":false,"vocab":[{rows}]}}}}')


def some_numbers(rng, count):
    digits = ["".join(rng.choices("0123456789", k=rng.randrange(1, 26))) for _ in range(count)]
    return [rng.choice([
        repr(-20 * rng.random()), f"-{rng.randrange(100)}.{some}", f"{1 + int(some)}.{some[::-1]}",
        f"0.{some}e{rng.randrange(-330, 30)}", f"{rng.randrange(10)}.{some}E+{rng.randrange(9)}",
    ]) for some in digits]


@pytest.mark.parametrize(("text", "value"), READ)
def test_stored_readings(text, value):
    assert read_number(text) == value


def test_what_is_written_is_read_back():
    rng = random.Random(1)
    values = [-20 * rng.random() for _ in range(3000)]
    missed = sum(read_number(write_number(value)) != value for value in values)
    assert missed < 15  # with repr: some 400
    for value in (-1.5, 0.0, 1e-300, -1e30, 3.0):
        assert read_number(write_number(value)) == value


def test_scores_of_a_file_and_back(tmp_path):
    """A tie that a correctly rounded score would break."""
    path = tmp_path / "t.json"
    path.write_text(unigram_json(["-30.0", *(text for text, _ in READ[:3])]), "utf-8")
    tok = Tokenizer.load(path)
    assert tok.model.scores.tolist() == [-30.0, *(value for _, value in READ[:3])]
    tok.save(path)
    assert Tokenizer.load(path).model.scores.tolist() == tok.model.scores.tolist()


def test_a_tie_falls_as_in_the_library(tmp_path):
    path = tmp_path / "t.json"
    value = json.loads(unigram_json(["-30.0"]))
    half = READ[0][1] / 2  # exactly: the library's reading of READ[0] is the sum of two of these
    rows = [["<unk>", -30.0], ["a", half], ["b", half], ["ab", 0]]
    value["model"]["vocab"] = rows
    text = json.dumps(value).replace('["ab", 0]', f'["ab", {READ[0][0]}]')
    path.write_text(text.replace(repr(half), write_number(half)), "utf-8")
    assert Tokenizer.load(path).encode("ab") == [3]
    exact = Unigram([b"<unk>", b"a", b"b", b"ab"], np.array([-30.0, half, half, float(READ[0][0])]))
    assert exact.scores[3] != 2 * half  # a reader that rounds once would see no tie


@pytest.mark.parity
def test_live_readings():
    tokenizers = pytest.importorskip("tokenizers")
    numbers = some_numbers(random.Random(2), 5000)
    held = json.loads(tokenizers.Tokenizer.from_str(unigram_json(numbers)).to_str())
    for text, (_, value) in zip(numbers, held["model"]["vocab"], strict=True):
        assert read_number(text) == value, text
