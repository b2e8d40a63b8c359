"""Which shapes the twins take: a loop over memory reads past the end of an array that is too short.

NumPy's definitions raise an error for shapes that do not fit; the kernels trust what is checked
here. Shapes are written in letters, one size each throughout a call; ``...`` stands for the same
leading axes in all arguments of a call, ``2F`` for twice F.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

SAME = {"dy": "...", "x": "...", "y": "...", "out": "..."}
NORM = {"dy": "... C", "x": "... C", "out": "... C", "w": "C", "b": "C", "dw": "C", "db": "C",
        "stats": "... 2", "r": "... 1"}
LSTM = {"c_before": "B H", "c": "B H", "h": "B H", "dh": "B H", "dc": "B H", "dc_before": "B H"}
SHAPES: dict[str, dict[str, str]] = {
    **dict.fromkeys(("softmax", "log_softmax", "softmax_backward", "log_softmax_backward", "gelu",
                     "gelu_backward", "gelu_exact", "gelu_exact_backward", "silu", "silu_backward",
                     "dropout"), SAME),
    **dict.fromkeys(("layer_norm", "layer_norm_backward", "rms_norm", "rms_norm_backward"), NORM),
    "cross_entropy_rows": {"logits": "N V", "labels": "N", "dlogits": "N V"},
    "add_bias": {"y": "... C", "b": "C"},
    "sum_rows": {"dy": "... C", "db": "C"},
    "embedding_backward": {"dy": "... C", "ids": "...", "dw": "V C"},
    "attention": {"q": "B H T D", "k": "B K S D", "v": "B K S E", "out": "B H T E"},
    "attention_backward": {"dy": "B H T E", "q": "B H T D", "k": "B K S D", "v": "B K S E",
                           "y": "B H T E",
                           "out": "B H T D, B K S D, B K S E"},
    "attention_decode": {"q": "B H D", "keys": "B K S D", "values": "B K S E", "start": "B",
                         "out": "B H E"},
    "few_rows": {"x": "M C", "w": "C F", "out": "M F"},
    "adamw": dict.fromkeys(("w", "grad", "m", "v"), "N"),
    "lstm_step": {"a": "B 4H", **LSTM},
    "lstm_step_backward": {"gates": "B 4H", **LSTM},
    "choose": {"p": "N E"},
    "combine": {"rows": "M C", "place": "N K", "weights": "N K", "out": "N C"},
    "combine_backward": {"dy": "N C", "rows": "M C", "place": "N K", "weights": "N K",
                         "out": "M C"},
    "gated": {"x": "... 2F", "out": "... F"},
    "gated_backward": {"dy": "... F", "x": "... 2F", "out": "... 2F"},
}
FREE = ("sum_of_squares", "skip_gram", "bag_of_neighbours")  # any shape, or checked by themselves


def check_shapes(op: str, arguments: dict[str, Any]) -> None:
    """Raise a ValueError that names the argument unless the shapes fit together."""
    sizes: dict[str, Any] = {}
    for name, letters in SHAPES.get(op, {}).items():
        value = arguments.get(name)
        several = value if isinstance(value, tuple) else (value,)
        for array, expected in zip(several, letters.split(", "), strict=False):
            if isinstance(array, np.ndarray) and not fits(array.shape, expected, sizes):
                known = {letter: size for letter, size in sizes.items()
                         if letter in expected and size is not None}
                raise ValueError(f"{op}: {name} has shape {array.shape}; expected ({expected}) "
                                 f"with {known}, as the other arguments have")


def fits(shape: tuple[int, ...], expected: str, sizes: dict[str, Any]) -> bool:
    """Whether a shape is as expected where ``sizes`` are known; new ones are added to them."""
    parts = expected.split()
    rest = shape
    if parts[0] == "...":
        parts = parts[1:]
        if len(shape) < len(parts):
            return False
        lead, rest = shape[:len(shape) - len(parts)], shape[len(shape) - len(parts):]
        if sizes.setdefault("...", lead) != lead:
            return False
    if len(rest) != len(parts):
        return False
    for size, part in zip(rest, parts, strict=True):
        times, letter = re.fullmatch(r"(\d*)([A-Z]?)", part).groups()  # type: ignore[union-attr]
        if not letter:
            if size != int(times):
                return False
        elif size % int(times or 1) or sizes.setdefault(letter, size // int(times or 1)) \
                != size // int(times or 1):
            return False
    return True
