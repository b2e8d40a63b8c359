"""How close texts come to reference texts, and classes to the right ones.

BLEU and chrF give what sacrebleu gives with its default settings, so that they can be compared
with published figures.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .checks import check

ENTITIES = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}  # in this order
SEPARATIONS = [(re.compile(pattern), by) for pattern, by in (
    (r"([\{-\~\[-\` -\&\(-\+\:-\@\/])", r" \1 "),  # marks and symbols of ASCII
    (r"([^0-9])([\.,])", r"\1 \2 "),  # points and commas, but not within numbers
    (r"([\.,])([^0-9])", r" \1 \2"),
    (r"([0-9])(-)", r"\1 \2 "))]
# What sacrebleu takes for Chinese. It means to have the ideographs from U+20000 on too, but writes
# them as two characters each, which gives the ranges from U+2001 and from U+2F81 instead.
CHINESE = re.compile("([\u3400-\u4db5\u4e00-\u9fa5\u9fa6-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a"
                     "\ufa70-\ufad9\u2001-\u2a6d\u2f81-\u2fa1\uff00-\uffef\u2e80-\u2eff"
                     "\u3000-\u303f\u31c0-\u31ef\u2f00-\u2fdf\u2ff0-\u2fff\u3100-\u312f"
                     "\u31a0-\u31bf\ufe10-\ufe1f\ufe30-\ufe4f\u2600-\u26ff\u2700-\u27bf"
                     "\u3200-\u32ff\u3300-\u33ff])")


def words_13a(text: str) -> list[str]:
    """Words and marks of a Western text, as the script mteval-v13a of the WMT cuts them."""
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in ENTITIES.items():
        text = text.replace(entity, character)
    return separated(f" {text} ")


def characters_zh(text: str) -> list[str]:
    """The characters of a Chinese text; what is not Chinese is cut into words and marks."""
    return separated(CHINESE.sub(r" \1 ", text.strip()))


def separated(text: str) -> list[str]:
    for pattern, by in SEPARATIONS:
        text = pattern.sub(by, text)
    return text.split()


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {
    "13a": words_13a, "zh": characters_zh, "char": lambda text: list("".join(text.split()))}


def bleu(texts: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> float:
    """BLEU of a whole set of texts, from 0 to 100: one reference for each.

    The geometric mean of the shares of 1- to 4-grams that are also in the reference, times a
    penalty for being shorter than the references together. An order without a match counts as
    half, a quarter, … of a match. tokenize: "13a" for Western languages, "zh" for Chinese, "char".
    Sources: Papineni et al. (2002), section 2; Post (2018); the smoothing is method 3 of Chen &
    Cherry (2014).
    """
    check("tokenize", tokenize, tokenize in TOKENIZERS, f"one of {', '.join(TOKENIZERS)}")
    pairs = matched(texts, references)
    right, total, ours, theirs = [0] * 4, [0] * 4, 0, 0
    for text, reference in pairs:
        a, b = TOKENIZERS[tokenize](text), TOKENIZERS[tokenize](reference)
        ours, theirs = ours + len(a), theirs + len(b)
        for n in range(4):
            found, wanted = ngrams(a, n + 1), ngrams(b, n + 1)
            right[n] += (found & wanted).total()
            total[n] += found.total()
    if not any(right):
        return 0.0
    logs, missed = 0.0, 1
    for n in range(4):
        if total[n] == 0:
            return 0.0
        missed *= 1 if right[n] else 2
        logs += math.log(right[n] / total[n] if right[n] else 1 / (missed * total[n]))
    short = 1.0 if ours >= theirs else math.exp(1 - theirs / ours)
    return 100 * short * math.exp(logs / 4)


def chrf(texts: Sequence[str], references: Sequence[str], order: int = 6, beta: float = 2) -> float:
    """chrF of a whole set of texts, from 0 to 100: F-measure of character 1- to ``order``-grams.

    White space does not count. Recall weighs ``beta`` times as much as precision.
    Source: Popović (2015), section 2.
    """
    right, ours, theirs = np.zeros(order), np.zeros(order), np.zeros(order)
    for text, reference in matched(texts, references):
        a, b = ("".join(x.split()) for x in (text, reference))
        for n in range(order):
            found, wanted = ngrams(a, n + 1), ngrams(b, n + 1)
            right[n] += (found & wanted).total()
            ours[n] += found.total() if wanted else 0  # a shorter reference says nothing of n
            theirs[n] += wanted.total()
    counted = (ours > 0) & (theirs > 0)
    if not counted.any():
        return 0.0
    precision = (right[counted] / ours[counted]).mean()
    recall = (right[counted] / theirs[counted]).mean()
    if precision + recall == 0:
        return 0.0
    return float(100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall))


def ngrams(symbols: Sequence[Any], n: int) -> Counter:
    """How often each run of n symbols occurs."""
    return Counter(tuple(symbols[i:i + n]) for i in range(len(symbols) - n + 1))


def matched(texts: Sequence[str], references: Sequence[str]) -> list[tuple[str, str]]:
    """Texts and references side by side; raises an error unless there is one for each."""
    for name, value in (("texts", texts), ("references", references)):
        if isinstance(value, str) or not all(isinstance(text, str) for text in value):
            raise TypeError(f"{name}={value!r:.60}: expected a list of texts")
    if len(texts) != len(references) or not texts:
        raise ValueError(f"texts has {len(texts)} texts and references {len(references)}; expected "
                         "one reference for each text, and at least one")
    return list(zip(texts, references, strict=True))


def accuracy(found, right) -> float:
    """Share of classes that are the right ones."""
    found, right = classes(found, right)
    return float((found == right).mean())


def f1(found, right) -> dict[Any, float]:
    """2 · hits / (found + right) for each class that occurs: between precision and recall.

    A class that was found, but is never right, or the other way round, has 0. Source: van
    Rijsbergen (1979), chapter 7.
    """
    found, right = classes(found, right)
    scores = {}
    for kind in np.unique(np.concatenate([found, right])).tolist():
        hits = ((found == kind) & (right == kind)).sum()
        scores[kind] = float(2 * hits / ((found == kind).sum() + (right == kind).sum()))
    return scores


def classes(found, right) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of one length, or an error that says what is wrong."""
    found, right = np.asarray(found), np.asarray(right)
    if found.shape != right.shape or found.ndim != 1 or not found.size:
        raise ValueError(f"found has shape {found.shape} and right {right.shape}; expected one "
                         "class for each example in both, and at least one")
    return found, right
