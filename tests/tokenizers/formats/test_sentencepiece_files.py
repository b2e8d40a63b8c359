"""`.model` files: hostile ones give one clear error, and never take memory they do not warrant."""

import base64
import json
import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.formats import protobuf_wire as wire
from minillm.tokenizers.formats.sentencepiece_file import model_bytes, parse_model, read_model_file
from minillm.tokenizers.formats.untrusted import BrokenFileError
from minillm.tokenizers.normalizers.charsmap import Charsmap
from minillm.tokenizers.normalizers.charsmap_build import build_charsmap
from minillm.tokenizers.sentencepiece.model_file import (
    ModelFile,
    NormalizerSpec,
    Piece,
    TrainerSpec,
)

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "sentencepiece.json").read_text("ascii")
)
SMALL = base64.b64decode(GOLDEN["small"])
UNK = Piece("<unk>", 0.0, 2)
MAP = build_charsmap({b"a": b"b", "é".encode(): b"e", b"cc": b"", b"x": "中".encode()})


def piece(*fields):
    return wire.field(1, b"".join(wire.field(*field) for field in fields))


@pytest.mark.parametrize(("data", "message"), [
    (b"", "0 pieces are the unknown piece"),
    (SMALL[:100], "byte 95: field 1 needs 9 bytes, but 3"),
    (SMALL[:1], "byte 1: the file ends inside a number"),
    (b"\x0a" + b"\xff" * 12, "more than 10 bytes"),
    (b"\x0a\xff\xff\xff\xff\x0fabc", "byte 0: field 1 needs 4294967295 bytes, but 3 are left"),
    (b"\x08\x01", "byte 0: field 1 is a varint; expected a length and bytes"),
    (b"\x0b", "byte 0: field 1 of kind 3"),
    (piece((1, "a"), (2, 1)), "field 2 is a varint; expected 4 bytes"),
    (piece((1, "a"), (2, float("nan"))), "field 2 is nan"),
    (piece((1, "a"), (2, float("inf"))), "field 2 is inf"),
    (piece((1, b"\xff")), "field 1 is not valid UTF-8"),
    (piece((1, "a"), (3, 9)), "a piece of type 9"),
    (piece((2, 1.0)), "piece 0 is '', empty"),
    (piece((1, "<unk>"), (3, 2)) + piece((1, "a")) * 2, "piece 2 is 'a', as is piece 1"),
    (model_bytes(ModelFile([UNK, Piece("<0x00>", 0.0, 6)])), "byte_fallback is off"),
    (model_bytes(ModelFile([UNK], TrainerSpec(byte_fallback=True))), "needs 256"),
    (model_bytes(ModelFile([UNK], TrainerSpec(model_type=7))), "model_type is 7"),
    (model_bytes(ModelFile([UNK], normalizer=NormalizerSpec(charsmap=b"\x04"))), "the charsmap"),
    (model_bytes(ModelFile([UNK], normalizer=NormalizerSpec(charsmap=MAP[:-1]))), "does not end"),
])
def test_each_fault_is_named(data, message, tmp_path):
    path = tmp_path / "broken.model"
    path.write_bytes(data)
    with pytest.raises(BrokenFileError, match=message) as error:
        read_model_file(path)
    assert "broken.model: byte" in str(error.value)


def test_promised_gigabytes_take_no_memory():
    tracemalloc.start()
    for size in (1 << 31, 1 << 40, (1 << 63) - 1):
        with pytest.raises(BrokenFileError):
            parse_model(b"\x0a" + wire.varint(size) + b"abc")
        huge = struct.pack("<I", 0xFFFFFFFC) + b"abcd"
        with pytest.raises(BrokenFileError):
            parse_model(model_bytes(ModelFile([UNK], normalizer=NormalizerSpec(charsmap=huge))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def mutations(data, rng, rounds):
    for _ in range(rounds):
        broken = bytearray(data)
        for _ in range(rng.randrange(1, 5)):
            place = rng.randrange(len(broken))
            kind = rng.randrange(4)
            if kind == 0:
                broken[place] = rng.randrange(256)
            elif kind == 1:
                del broken[place : place + rng.randrange(1, 9)]
            elif kind == 2:
                broken[place:place] = rng.randbytes(rng.randrange(1, 6))
            else:
                broken[place] ^= 1 << rng.randrange(8)
        yield bytes(broken[: rng.randrange(len(broken) + 1)] if rng.random() < 0.2 else broken)


def test_mutated_files_give_one_error_or_a_tokenizer():
    from minillm.tokenizers.sentencepiece.model_stages import stages_of

    rng = random.Random(0)
    file = parse_model(SMALL)
    file.normalizer.charsmap = MAP
    opened = 0
    for data in mutations(model_bytes(file), rng, 3000):
        try:
            parsed = parse_model(data)
        except BrokenFileError:
            continue
        opened += 1
        if opened % 20 == 0:
            tok = Tokenizer.of(stages_of(parsed))
            tok.decode(tok.encode("aab x cc é 中", special="text"))
            assert parse_model(model_bytes(parsed)) == parsed
    assert opened > 100


def test_mutated_charsmaps_never_lead_astray():
    rng = random.Random(1)
    for data in mutations(MAP, rng, 3000):
        try:
            table = Charsmap(data)
        except ValueError:
            continue
        for old, new in table.rules():
            new.decode()
            assert table.longest(old)[0] == len(old)
            if len(old) > 8:
                break


def test_charsmap_of_random_rules():
    rng = random.Random(2)
    for _ in range(30):
        rules = {
            bytes(rng.choices(b"ab\xe4\xb8\xad\x01\xff", k=rng.randrange(1, 5))):
            "".join(rng.choices("xyé中 ", k=rng.randrange(3))).encode()
            for _ in range(rng.randrange(1, 60))
        }
        table = Charsmap(build_charsmap(rules))
        assert dict(table.rules()) == rules
        for _ in range(40):
            text = bytes(rng.choices(b"ab\xe4\xb8\xad\x01\xff", k=6))
            best = max((old for old in rules if text.startswith(old)), key=len, default=b"")
            assert table.longest(text) == (len(best), rules.get(best, b""))


def test_unknown_fields_survive():
    extra = wire.field(200, b"self") + wire.field(77, 5)
    trainer = wire.field(2, wire.field(3, 2) + wire.field(50, 1) + wire.field(36, "abc"))
    file = parse_model(SMALL + extra + trainer)
    written = model_bytes(file)
    assert written.endswith(extra)
    assert file.trainer.others == wire.field(50, 1) + wire.field(36, "abc")
    assert parse_model(written) == file


def test_a_model_file_is_known_by_its_content(tmp_path):
    tok = Tokenizer.train(["ab ab", "cd"], "sentencepiece", 14, model_type="bpe")
    tok.save(tmp_path / "any.model")
    assert Tokenizer.load(tmp_path / "any.model").encode("ab cd") == tok.encode("ab cd")
    (tmp_path / "text.model").write_text('{"a": 1}')
    with pytest.raises(BrokenFileError):
        Tokenizer.load(tmp_path / "text.model")
