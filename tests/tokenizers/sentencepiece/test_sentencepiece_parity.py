"""Against the sentencepiece library, live: normalizing, encoding, decoding, training, files."""

import io
import random

import numpy as np
import pytest

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.formats.sentencepiece_file import model_bytes, parse_model
from minillm.tokenizers.sentencepiece.model_file import ModelFile, Piece
from minillm.tokenizers.sentencepiece.model_stages import stages_of
from minillm.tokenizers.sentencepiece.training import train_sentencepiece

from ..texts import PIECES
from .test_sentencepiece import GOLDEN

pytestmark = pytest.mark.parity
RENAMED = {
    "normalization_rule_name": "normalization", "max_sentencepiece_length": "max_piece_length",
}
OPTIONS = [
    {}, {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
    {"byte_fallback": True}, {"split_by_whitespace": False},
    {"treat_whitespace_as_suffix": True, "normalization_rule_name": "nfkc_cf"},
    {"allow_whitespace_only_pieces": True, "remove_extra_whitespaces": False},
    {"split_digits": True}, {"split_by_number": False}, {"split_by_unicode_script": False},
    {"max_sentencepiece_length": 4}, {"character_coverage": 0.98},
    {"user_defined_symbols": ["<sep>", "the", "▁a", "</s>", "  "], "control_symbols": ["<c>", "e"]},
    {"unk_id": 3, "bos_id": 0, "eos_id": -1, "pad_id": 1, "add_dummy_prefix": False},
]
ODD = [
    "<sep>", "the", "▁", "▁on", "<c>", "<s>", "<unk>", "<0x41>", "か\u3099", "A\u030a", "ﾊﾟ", "㍿",
    "\ufdfa", "…", "①", "ＡＢＣ", "～", "\t", "\x1f",
]


def library():
    return pytest.importorskip("sentencepiece")


def trained(lines, **options):
    result = io.BytesIO()
    library().SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=result, minloglevel=2, **options
    )
    return result.getvalue()


def random_text(rng):
    parts = []
    for _ in range(rng.randrange(1, 12)):
        kind = rng.randrange(4)
        if kind == 0:
            parts.append(rng.choice(PIECES))
        elif kind == 1:
            parts.append(rng.choice(" ".join(GOLDEN["corpus"]).split(" ")) + rng.choice(" \n-"))
        elif kind == 2:
            parts.append(rng.choice(ODD))
        else:
            point = rng.randrange(rng.choice([0x3000, 0x110000]))
            parts.append(chr(point) if not 0xD800 <= point < 0xE000 else "")
    return "".join(parts)


@pytest.mark.parametrize("kind", ["bpe", "char", "word"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ",".join(options) or "plain")
def test_training(kind, options):
    rng = random.Random(str(options) + kind)
    lines = GOLDEN["corpus"] + [random_text(rng).replace("\n", " ") for _ in range(60)]
    lines = [line for line in lines if line.strip("\r\n ") and "\0" not in line]
    size = {"bpe": 700, "char": 90, "word": 60}[kind] + 256 * options.get("byte_fallback", False)
    options = {**options, "hard_vocab_limit": False}
    theirs = parse_model(trained(lines, model_type=kind, vocab_size=size, **options))
    renamed = {RENAMED.get(name, name): value for name, value in options.items()}
    ours = train_sentencepiece(lines, size, model_type=kind, **renamed).model.file
    assert ours.pieces == theirs.pieces
    assert ours.normalizer.add_dummy_prefix == theirs.normalizer.add_dummy_prefix
    assert ours.trainer.bos_id == theirs.trainer.bos_id


UNIGRAM = [
    *OPTIONS, {"treat_whitespace_as_suffix": True, "split_by_whitespace": False},
    {"treat_whitespace_as_suffix": True, "allow_whitespace_only_pieces": True,
     "remove_extra_whitespaces": False},
    {"split_by_whitespace": False, "split_by_unicode_script": False, "add_dummy_prefix": False},
    {"max_sentencepiece_length": 30, "split_by_whitespace": False},
]


def few_lines(rng):
    """Little text with many repetitions, and lines of which nothing is left."""
    words = [*"abéè▁", "", "the", "cat", "sat", "小猫", "老鼠", "12", "345", "a1", "<sep>"]
    letters = rng.choice(["ab ", "ab12 ", "小猫 a", "かナ猫 ", "aé\u0301b ", "éè中ab  "])
    lines = [" ".join(rng.choices(words, k=rng.randint(1, 8))) for _ in range(rng.randint(2, 12))]
    lines += ["".join(rng.choices(letters, k=rng.randint(1, 14))) for _ in range(rng.randint(1, 9))]
    for line in rng.choices(lines, k=rng.randint(0, 3)):  # so that long pieces are repeated
        lines += [line + "a", line + "b"]
    lines += rng.choices(["  ", "a", "\t", "b\r\r"], k=rng.randint(0, 3))
    return rng.sample(lines, len(lines))


@pytest.mark.parametrize("name", ["numba", "numpy"])
@pytest.mark.parametrize("options", UNIGRAM, ids=lambda options: ",".join(options) or "plain")
def test_training_of_unigram_models(options, name):
    """There are few pieces, so that a rule that is not the library's shows at once."""
    rng = random.Random(str(options))
    renamed = {RENAMED.get(key, key): value for key, value in options.items()}
    for _ in range(25 if name == "numba" else 6):
        lines = few_lines(rng)
        size = len(set("".join(lines))) + rng.choice([15, 25, 45])
        size += 256 * options.get("byte_fallback", False)
        theirs = parse_model(trained(
            lines, model_type="unigram", vocab_size=size, hard_vocab_limit=False, num_threads=1,
            **options,
        )).pieces
        with backend(name):
            found = train_sentencepiece(lines, size, hard_vocab_limit=False, **renamed)
        same_but_for_ties(found.model.file.pieces, theirs, lines)


def same_but_for_ties(ours, theirs, lines):
    """Where pieces differ, their scores are the same but for rounding: a tie for the last place."""
    found, wanted = ({p.text: p.score for p in pieces} for pieces in (ours, theirs))
    assert len(found) == len(wanted), lines
    tied = [(wanted | found)[piece] for piece in wanted.keys() ^ found.keys()]
    assert not tied or max(tied) - min(tied) < 1e-3, lines
    shared = wanted.keys() & found.keys()
    assert max(abs(wanted[piece] - found[piece]) for piece in shared) < 1e-3, lines


@pytest.mark.parametrize("options", [
    {}, {"treat_whitespace_as_suffix": True},
    {"split_by_whitespace": False, "split_by_unicode_script": False}, {"add_dummy_prefix": False},
], ids=lambda options: ",".join(options) or "plain")
def test_unigram_models_of_real_text(options, shared_data):
    english = (shared_data / "tinyshakespeare.txt").read_text("utf-8").split("\n")
    chinese = (shared_data / "tang_poems.txt").read_text("utf-8").split("\n")
    texts = [english[k : k + 120] for k in range(0, 36_000, 900)]
    texts += [chinese[:3000], [*english[:2000], *chinese[:500]]]
    for lines in texts:
        size = len(set("".join(lines))) + max(60, len(lines) // 4)
        theirs = trained(lines, model_type="unigram", vocab_size=size, num_threads=1, **options)
        ours = train_sentencepiece(lines, size, **options).model.file.pieces
        same_but_for_ties(ours, parse_model(theirs).pieces, lines[:3])


def compare(data, seed, rounds=150):
    """Encode and decode random text with a model of theirs, and one written by us."""
    rng = random.Random(seed)
    file = parse_model(data)
    theirs = library().SentencePieceProcessor(model_proto=data)
    again = library().SentencePieceProcessor(model_proto=model_bytes(file))
    tok = Tokenizer.of(stages_of(file))
    texts = [random_text(rng) for _ in range(rounds)]
    expected = [theirs.encode(text) for text in texts]
    assert [tok.encode(text, special="text") for text in texts] == expected
    together = tok.encode_batch(texts, special="text")[0].tolist()
    assert together == [id for row in expected for id in row]
    assert again.encode(texts) == expected
    with backend("numpy"):
        assert [tok.normalizer(text) for text in texts] == [theirs.normalize(t) for t in texts]
        for text, ids in zip(texts[:50], expected):
            assert tok.encode(text, special="text") == ids
    for ids in [*expected, *([rng.randrange(len(file.pieces)) for _ in range(6)] for _ in texts)]:
        assert tok.decode(ids) == theirs.decode(ids)


@pytest.mark.parametrize("kind", ["bpe", "unigram", "char", "word"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ",".join(options) or "plain")
def test_encoding_and_decoding(kind, options):
    size = 150 + 256 * options.get("byte_fallback", False)
    compare(
        trained(GOLDEN["corpus"], model_type=kind, vocab_size=size, hard_vocab_limit=False,
                **options),
        str(options) + kind,
    )


@pytest.mark.parametrize("kind", [1, 2])
def test_vocabularies_nobody_trained(kind):
    """Equal scores, pieces that are not to be used, parts that are no pieces."""
    rng = random.Random(kind)
    for _ in range(25):
        names = {"".join(rng.choices("▁abthe小猫", k=rng.randrange(1, 5))) for _ in range(25)}
        types = [1, 1, 1, 1, 4, 5] if kind == 1 else [1, 1, 1, 4]
        pieces = [Piece("<unk>", 0.0, 2)]
        pieces += [
            Piece(name, float(-rng.randrange(4)), rng.choice(types)) for name in sorted(names)
        ]
        file = ModelFile(pieces)
        file.trainer.model_type = kind
        compare(model_bytes(file), rng.random(), 60)


def test_offsets():
    data = trained(GOLDEN["corpus"], model_type="bpe", vocab_size=200)
    theirs = library().SentencePieceProcessor(model_proto=data)
    tok = Tokenizer.of(stages_of(parse_model(data)))
    rng = random.Random(3)
    for _ in range(200):
        text = random_text(rng)
        if not text:
            continue
        normal, sources = tok.normalizer.aligned(text)
        edges = np.append(sources[:, 0], sources[-1, 0] if len(sources) else 0)
        place = 0
        found = theirs.encode(text, return_type="offset_mapping")
        for piece, (begin, end) in zip(found["pieces"], found["offsets"]):
            start, place = place, place + len(piece)
            assert begin == edges[start]
            assert end == edges[place] or place == len(normal)


def test_files_of_ours_open(tmp_path):
    for kind in ("bpe", "unigram", "char", "word"):
        tok = Tokenizer.train(
            GOLDEN["corpus"], "sentencepiece", 90, ["<|end|>"], model_type=kind,
            hard_vocab_limit=False, user_defined_symbols=["<sep>"],
        )
        tok.save(tmp_path / "ours.model")
        theirs = library().SentencePieceProcessor(model_file=str(tmp_path / "ours.model"))
        for text in GOLDEN["samples"]:
            assert theirs.encode(text) == tok.encode(text, special="text")
            assert theirs.decode(theirs.encode(text)) == tok.decode(tok.encode(text, "text"))
