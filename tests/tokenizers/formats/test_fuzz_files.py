"""Ten thousand broken files of every format: each gives a tokenizer or one clear error."""

import contextlib
import json
import random
import tracemalloc

import pytest

from minillm.tokenizers import Template, Tokenizer
from minillm.tokenizers.formats.untrusted import BrokenFileError
from minillm.tokenizers.text.segments import UnknownTextError

FILES = 10_000
TEXTS = ["The cat sat on the mat, the cat ran. 小猫坐在垫子上。", "low lower 12345 don't", "\n"]
ODD = [
    b"", b"\0", b"\xff" * 4, b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"NaN", b"1e999", b"-1",
    b"99999999999", b"null", b"[]", b"{}", b'"', b"[" * 50, b"true", b"\xed\xa0\x80", b"\\ud800",
    b"Sequence", b"Unigram", b"WordPiece", b"BPE", b"ByteLevel", b"16777215", b'"a": 1, "a": 1',
]


def write_tiktoken(tok, path):
    import base64

    lines = [b"%s %d\n" % (base64.b64encode(t), id) for id, t in enumerate(tok.model.vocabulary)]
    path.write_bytes(b"".join(lines))


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """A small whole file of every format."""
    folder = tmp_path_factory.mktemp("files")

    def trained(model, size, **options):
        return Tokenizer.train(TEXTS, model, size, **options)

    byte_level = trained("byte_bpe", 280, special_tokens=["<|end|>"])
    byte_level.post_processor = Template.around([0])
    byte_level.save(folder / "byte_bpe.json")
    trained("bpe", 60).save(folder / "bpe.json")
    trained("wordpiece", 80).save(folder / "wordpiece.json")
    trained("unigram", 70).save(folder / "unigram.json")
    trained("word", None).save(folder / "word.json")
    trained("bytepiece", 270).save(folder / "pieces.bytepiece")
    for kind in ("unigram", "bpe"):
        trained("sentencepiece", 60, model_type=kind, hard_vocab_limit=False,
                normalization="identity").save(folder / f"{kind}.model")
    write_tiktoken(trained("byte_bpe", 280), folder / "ranks.tiktoken")
    (folder / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\nthe\ncat\n##s\n", "utf-8")
    return sorted(folder.iterdir())


NAMES = ["bpe.json", "bpe.model", "byte_bpe.json", "pieces.bytepiece", "ranks.tiktoken",
         "unigram.json", "unigram.model", "vocab.txt", "word.json", "wordpiece.json"]


def load(path):
    """(tokenizer, None), or (None, message) for a broken file; anything else goes through."""
    try:
        return Tokenizer.load(path), None
    except BrokenFileError as error:
        return None, str(error)


def mutated(data, rng):
    """The bytes with one to three wounds."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        wound = rng.randrange(6)
        if wound == 0:
            data = data[:at]
        elif wound == 1:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif wound == 2:
            data = data[:at] + rng.choice(ODD) + data[at + rng.randrange(8) :]
        elif wound == 3:
            data = data[:at] + data[at + rng.randrange(1, 30) :]
        elif wound == 4:
            end = at + rng.randrange(1, 60)
            data = data[:end] + data[at:end] + data[end:]
        elif at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_broken_files(name, valid, tmp_path):
    path = next(path for path in valid if path.name == name)
    whole = path.read_bytes()
    Tokenizer.load(path)
    rng = random.Random(name)
    target = tmp_path / name
    opened = 0
    for _ in range(FILES):
        target.write_bytes(mutated(whole, rng))
        tok, error = load(target)
        if tok is None:
            assert str(target) in error
            continue
        opened += 1
        assert tok.vocab_size < 1 << 20
        if opened % 25 == 0:  # what opens must also work, or say what it does not know
            with contextlib.suppress(UnknownTextError):
                tok.decode(tok.encode(TEXTS[0], special="text"))
    assert opened < FILES


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_what_the_file_warrants(name, valid, tmp_path):
    path = next(path for path in valid if path.name == name)
    whole, rng = path.read_bytes(), random.Random(f"memory {name}")
    target = tmp_path / name
    Tokenizer.load(path)
    tracemalloc.start()
    for _ in range(60):
        target.write_bytes(mutated(whole, rng))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        load(target)
        peak = tracemalloc.get_traced_memory()[1] - before
        assert peak < 8_000_000 + 200 * len(whole), json.dumps(peak)
    tracemalloc.stop()
