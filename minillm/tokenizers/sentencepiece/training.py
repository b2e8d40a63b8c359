"""Training a SentencePiece tokenizer: unigram, BPE, characters or words, under one roof.

Kudo and Richardson 2018. The result is a `.model` file in memory, and the stages that it describes.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...backends import active_backend
from ..normalizers.charsmap_rules import named_charsmap
from ..stages import Stages
from .learning import RARE, learn_pieces, learn_pieces_fast
from .model_file import (
    BYTE,
    BYTE_PIECES,
    CONTROL,
    MODEL_TYPES,
    UNKNOWN,
    USER_DEFINED,
    ModelFile,
    NormalizerSpec,
    Piece,
    TrainerSpec,
)
from .model_stages import stages_of
from .normalizer import SentencePieceNormalizer
from .training_text import (
    Lines,
    code_points,
    count_words,
    normalized_lines,
    piece_rules,
    required_characters,
    together,
    without_rare,
    words_with_followers,
)

Found = list[tuple[str, float]]  # pieces and their scores


def train_sentencepiece(
    texts: Iterable[str | Path], vocab_size: int, special_tokens: Sequence[str] = (),
    model_type: str = "unigram", normalization: str = "nmt_nfkc", hard_vocab_limit: bool = True,
    max_sentence_length: int = 4192, **options: Any,
) -> Stages:
    """Pieces of the lines of texts; special tokens become control symbols.

    model_type: unigram, bpe, char or word. normalization: a name in ``charsmap_rules.NAMES``.
    Without `hard_vocab_limit` fewer pieces than `vocab_size` are no error. Options are the
    attributes of TrainerSpec and NormalizerSpec, such as ``byte_fallback=True`` or
    ``user_defined_symbols=["<sep>"]``.
    """
    trainer, normalizer = specs(vocab_size, model_type, normalization, options)
    trainer.control_symbols = (*special_tokens, *trainer.control_symbols)
    meta = meta_pieces(trainer)
    rewrite = SentencePieceNormalizer(
        normalizer.charsmap, normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces,
        normalizer.escape_whitespaces, trainer.treat_whitespace_as_suffix,
    )
    symbols = [piece.text for piece in meta.values()]
    lines = normalized_lines(texts, rewrite, symbols, max_sentence_length)
    found = TRAIN[model_type](lines, trainer, len(meta))
    pieces = in_order(found, meta, vocab_size)
    if len(pieces) < vocab_size:
        if hard_vocab_limit and model_type != "char":
            raise ValueError(
                f"vocab_size={vocab_size} is too large for this text; at most {len(pieces)}, or "
                "pass hard_vocab_limit=False"
            )
        trainer.vocab_size = len(pieces)
    return stages_of(ModelFile(pieces, trainer, normalizer))


def specs(
    vocab_size: int, model_type: str, normalization: str, options: dict[str, Any]
) -> tuple[TrainerSpec, NormalizerSpec]:
    """The options sorted into the two records that a `.model` file keeps."""
    kinds = {name: number for number, name in MODEL_TYPES.items()}
    if model_type not in kinds:
        raise ValueError(f"model_type={model_type!r}; use one of {', '.join(kinds)}")
    own = {field.name for field in dataclasses.fields(TrainerSpec)} - {"others"}
    normal = {field.name for field in dataclasses.fields(NormalizerSpec)} - {"others"}
    unknown = sorted(set(options) - own - normal)
    if unknown:
        known = ", ".join(sorted(own | normal))
        raise TypeError(f"{unknown[0]}= is no option of this trainer; these are: {known}")
    for name in ("control_symbols", "user_defined_symbols"):
        options[name] = tuple(options.get(name, ()))
    charsmap = {"name": normalization, "charsmap": named_charsmap(normalization)}
    trainer = TrainerSpec(
        model_type=kinds[model_type], vocab_size=vocab_size,
        **{name: options[name] for name in options if name in own},
    )
    normalizer = {**charsmap, **{name: options[name] for name in options if name in normal}}
    if not 0 < trainer.max_piece_length < 64:
        raise ValueError(f"max_piece_length={trainer.max_piece_length}; expected 1 to 63")
    if not 0 < trainer.character_coverage <= 1:
        raise ValueError(f"character_coverage={trainer.character_coverage}; expected up to 1.0")
    return trainer, NormalizerSpec(**normalizer)


def meta_pieces(spec: TrainerSpec) -> dict[int, Piece]:
    """The pieces that are not learned, by id.

    The unknown piece and the marks of begin, end and padding have the ids they are told (−1: none);
    control symbols, user-defined symbols and bytes follow on the lowest free ones.
    """
    named = {"unk": UNKNOWN, "bos": CONTROL, "eos": CONTROL, "pad": CONTROL}
    pieces: dict[int, Piece] = {}
    ids: dict[str, int] = {}
    for name, kind in named.items():
        id, text = getattr(spec, f"{name}_id"), getattr(spec, f"{name}_piece")
        if id >= spec.vocab_size or id in pieces or (id < 0 and kind == UNKNOWN):
            raise ValueError(f"{name}_id={id} is taken, too large, or negative")
        if id >= 0:
            pieces[id], ids[text] = Piece(text, 0.0, kind), id
    symbols = [(text, CONTROL) for text in spec.control_symbols]
    for text in spec.user_defined_symbols:
        symbols.append((text, USER_DEFINED))
        if MODEL_TYPES[spec.model_type] == "word" and not text.startswith("\u2581"):
            symbols.append(("\u2581" + text, USER_DEFINED))  # as it stands at the start of a word
    symbols += [(text, BYTE) for text in BYTE_PIECES] if spec.byte_fallback else []
    given: set[str] = set()
    free = 0
    for text, kind in symbols:
        if not text or text in given or (text == spec.unk_piece and kind != CONTROL):
            raise ValueError(f"the symbol {text!r} is empty, given twice, or the unknown piece")
        given.add(text)
        if text in ids:
            if pieces[ids[text]].type != UNKNOWN:
                pieces[ids[text]] = Piece(text, 0.0, kind)
            continue
        while free in pieces:
            free += 1
        pieces[free] = Piece(text, 0.0, kind)
    return pieces


def in_order(found: Found, meta: dict[int, Piece], vocab_size: int) -> list[Piece]:
    """All pieces by id: the meta pieces at theirs, the learned ones in between and after."""
    learned = iter(found)
    pieces: list[Piece] = []
    waiting = len(meta)
    while len(pieces) < vocab_size:
        if len(pieces) in meta:
            pieces.append(meta[len(pieces)])
            waiting -= 1
        else:
            piece = next(learned, None)
            if piece is None and waiting:
                raise ValueError(
                    f"only {len(found)} pieces were found: too few for the ids asked for"
                )
            if piece is None:
                break
            pieces.append(Piece(*piece))
    return pieces


def words_and_characters(
    lines: Iterable[Lines], spec: TrainerSpec, meta: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[int, int]]:
    """Words as code points (n,) with offsets and counts, and the characters that must be pieces.

    All other characters have become RARE.
    """
    bpe = MODEL_TYPES[spec.model_type] == "bpe"
    kinds = piece_rules(spec).classes_of(np.arange(0x110000)).astype(np.int16) if bpe else None
    full = ((data, spans[spans[:, 1] > spans[:, 0]]) for data, spans in lines)
    data, offsets, counts = count_words(full, spec, kinds)
    points = code_points(data).copy()
    offsets = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])[offsets]
    weights = np.repeat(counts, np.diff(offsets))
    totals = np.bincount(points, weights, 0x110000).astype(np.int64)
    required = required_characters(totals, spec.character_coverage)
    if bpe:
        check_room(required, spec, meta)
    known = np.zeros(0x110000, bool)
    known[list(required)] = True
    points[~known[points]] = ord(RARE)
    return points, offsets, counts, required


def check_room(required: dict[int, int], spec: TrainerSpec, meta: int) -> None:
    """Raise a ValueError if the vocabulary has no room for the characters."""
    least = len(required) + meta
    if least > spec.vocab_size:
        raise ValueError(
            f"vocab_size={spec.vocab_size} is too small; at least {least} ({len(required)} "
            f"characters and {meta} special pieces)"
        )


def train_bpe(lines: Iterable[Lines], spec: TrainerSpec, meta: int) -> Found:
    """Merged pieces in the order in which they are found, then characters by frequency."""
    points, offsets, counts, required = words_and_characters(lines, spec, meta)
    wanted, valid = spec.vocab_size - meta - len(required), piece_rules(spec)
    if active_backend() == "numba":
        pieces = learn_pieces_fast(points, offsets, counts, wanted, valid)
    else:
        words = ["".join(map(chr, part)) for part in np.split(points, offsets[1:-1])]
        pieces = learn_pieces(words, counts.tolist(), wanted, valid)
    pieces += [chr(point) for point in required]
    return [(piece, float(-k)) for k, piece in enumerate(pieces)]


def train_unigram(lines: Iterable[Lines], spec: TrainerSpec, meta: int) -> Found:
    """Pieces of a unigram model, the most probable first."""
    from ..unigram.training import train_pieces

    data, spans = together(lines)
    totals = np.bincount(code_points(data), minlength=0x110000)
    totals[10] = 0  # between the lines
    required = required_characters(totals, spec.character_coverage)
    check_room(required, spec, meta)
    words = words_with_followers(*without_rare(data, spans, required), spec)
    characters = [chr(point) for point in required]
    found = train_pieces(
        words, spec.vocab_size, characters, "sentencepiece", meta, piece_rules(spec)
    )
    return list(found.items())


def train_characters(lines: Iterable[Lines], spec: TrainerSpec, meta: int) -> Found:
    """The most frequent characters, with their log-probabilities."""
    required = words_and_characters(lines, spec, meta)[3]
    return by_frequency({chr(point): count for point, count in required.items()}, spec, meta)


def train_words(lines: Iterable[Lines], spec: TrainerSpec, meta: int) -> Found:
    """The most frequent words without rare characters; options on white space do not matter."""
    own = TrainerSpec(spec.model_type, spec.vocab_size, spec.character_coverage)
    points, offsets, counts, _ = words_and_characters(lines, own, meta)
    words = ["".join(map(chr, part)) for part in np.split(points, offsets[1:-1].astype(int))]
    table: dict[str, int] = {}
    for word, count in zip(words, counts.tolist()):
        table[word] = table.get(word, 0) + count
    ordered = {word: table[word] for word in sorted(table, key=lambda w: (-table[w], w))}
    return by_frequency(ordered, spec, meta)


def by_frequency(table: dict[str, int], spec: TrainerSpec, meta: int) -> Found:
    """The first entries of the table, with their log-probabilities in float32."""

    def log(count: int) -> np.float32:
        return np.float32(math.log(np.float32(count)))

    kept = [piece for piece in table if RARE not in piece][: max(spec.vocab_size - meta, 0)]
    total = log(sum(table.values()))
    return [(piece, float(log(table[piece]) - total)) for piece in kept]


TRAIN = {"unigram": train_unigram, "bpe": train_bpe, "char": train_characters, "word": train_words}
