"""Which strings may be pieces: the rules of SentencePiece's trainer on scripts, digits and ▁."""

from functools import cache
from pathlib import Path

import numpy as np

from ..unigram.seed_pieces import ALONE, ANY, FORBIDDEN, INHERITED, SPACE, Validity
from .model_file import TrainerSpec

RARE_POINT, SPACE_POINT = 0x2585, 0x2581


@cache
def script_numbers() -> np.ndarray:
    """(0x110000,) int16: a number from 1 on for the script of each code point, or INHERITED.

    Hiragana, Katakana and the long vowel mark ー count as Han, for Japanese mixes them in words.
    """
    text = Path(__file__).with_name("sentencepiece_scripts.txt").read_text(encoding="ascii")
    runs = [line.split() for line in text.splitlines() if not line.startswith("#")]
    starts = np.array([int(start, 16) for start, _ in runs] + [0x110000])
    names = ["Han" if name in ("Hiragana", "Katakana") else name for _, name in runs]
    number = {name: k for k, name in enumerate(dict.fromkeys(names), 1)} | {"Inherited": INHERITED}
    table = np.repeat(np.array([number[name] for name in names], np.int16), np.diff(starts))
    table[0x30FC] = number["Han"]
    table.flags.writeable = False
    return table


def piece_rules(spec: TrainerSpec) -> Validity:
    """What the options of the trainer allow."""

    def classes(points: np.ndarray) -> np.ndarray:
        kinds = script_numbers()[points].astype(np.int64)
        if not spec.split_by_unicode_script:
            kinds[:] = ANY
        digits = (points >= 0x30) & (points <= 0x39) | (points >= 0xFF10) & (points <= 0xFF19)
        if spec.split_digits or not spec.split_by_number:
            kinds[digits] = ALONE if spec.split_digits else ANY
        kinds[points == SPACE_POINT] = SPACE
        kinds[np.isin(points, [0, 0x1F, 0x20, RARE_POINT])] = FORBIDDEN
        return kinds

    suffix = spec.treat_whitespace_as_suffix
    if spec.split_by_whitespace:
        place = "last" if suffix else "first"
    else:
        place = "not_first" if suffix else "not_last"
    return Validity(classes, place, spec.allow_whitespace_only_pieces, spec.max_piece_length)
