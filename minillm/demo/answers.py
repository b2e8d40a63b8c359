"""What the page computes: everything that reads a visitor's text, and nothing of the page itself.

Models are shared by all visitors. Nothing here changes one: generation takes a replica for itself,
and so does whoever looks inside.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..generation import distribution, stream
from ..generation.prompting import beginning, end_of, forbidden, pieces
from ..generation.scorers import forgotten
from ..token_names import SEP

LONGEST = 2000  # characters of a text
MOST = 400  # tokens to write
SHOWN = 12  # tokens of the bar chart


def cleaned(text: str) -> str:
    """A visitor's text without control characters; a ValueError if it is too long."""
    if len(text) > LONGEST:
        raise ValueError(f"the text has {len(text):,} characters; at most {LONGEST:,} are read")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C")


class Settings(NamedTuple):
    """Where the sliders stand. Of top_k, 0 is no limit."""

    length: int = 120
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def chosen(self) -> tuple[float, int | None, float | None]:
        """(temperature, top_k, top_p) as the functions of generation take them."""
        return self.temperature, self.top_k or None, self.top_p


class Written(NamedTuple):
    """A text so far, how many tokens it has, and the seconds that they took."""

    text: str
    tokens: int
    seconds: float


class Writer:
    """A GPT and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tok = model, tokenizer
        self.banned = forbidden(tokenizer, ())
        self.sep = tokenizer.token_to_id(SEP)
        self.titled = self.sep is not None
        end = end_of(tokenizer)
        self.stop = () if end is None else (tokenizer.token_to_id(end),)

    def begin(self, title: str, prompt: str) -> list[int]:
        """The ids of the prompt, and of a title if the model knows titles."""
        title = cleaned(title).strip()
        ids, _ = beginning(self.tok, title if title and self.titled else None, cleaned(prompt))
        most = self.model.config.context // 2
        if self.kept(ids) > most:
            raise ValueError(f"the title has {self.kept(ids)} tokens; at most {most} fit this "
                             "model beside a text")
        return ids

    def kept(self, ids: list[int]) -> int:
        """How many tokens at the beginning stay in sight: those of a title, to its <sep>."""
        return ids.index(self.sep) + 1 if self.sep in ids else 0

    def seen(self, ids: list[int]) -> list[int]:
        """What the model sees of them when it chooses the next token."""
        keep = self.kept(ids)
        return ids[:keep] + ids[keep + forgotten(len(ids), self.model.config.context, keep):]

    def write(self, ids: list[int], settings: Settings) -> Iterator[Written]:
        """The text as it grows."""
        length = min(settings.length, MOST)
        started, text = time.perf_counter(), ""
        tokens = stream(self.model, ids, length, *settings.chosen(), settings.seed,
                        self.stop, forbidden=self.banned, keep=self.kept(ids))
        for count, part in pieces(self.tok, tokens):
            text += part
            yield Written(text, count, time.perf_counter() - started)

    def next_token(self, ids: list[int], settings: Settings) -> list[tuple[bytes, float, float]]:
        """(token, probability, probability with the sliders' settings) of the likeliest tokens."""
        logits = self.scores(ids)
        plain, chosen = distribution(logits), distribution(logits, *settings.chosen())
        best = np.argsort(-plain, kind="stable")[:SHOWN]
        return [(self.spelled([int(id)])[0], float(plain[id]), float(chosen[id])) for id in best]

    def scores(self, ids: list[int]) -> np.ndarray:
        """Of the next token, (V,); what may not be written has none."""
        logits = self.model.replica().forward(np.array([self.seen(ids)]))[0, -1].astype(float)
        logits[self.banned] = -np.inf
        return logits

    def attention(self, ids: list[int], layer: int, head: int) -> np.ndarray:
        """How much each token looks at the others, (T, T), in one head of a block."""
        model = self.model.replica()
        model.forward(np.array([self.seen(ids)]))
        return np.array(model.blocks[layer].attention.weights()[0, head])

    def spelled(self, ids: list[int]) -> list[bytes]:
        """The bytes of each token; a special one by its name."""
        names = {id: name for name, id in self.tok.special_tokens.items()}
        return [names[id].encode() if id in names else self.tok.decode_bytes([id]) for id in ids]


def known_words(tok: Any, text: str) -> str:
    """The words of a text, with small letters where only those are known.

    Raises ValueError for a word that the tokenizer, whose tokens are words, does not have.
    """
    words = []
    for start, end in tok.pre_tokenizer.cut(text):
        word = text[start:end]
        if tok.token_to_id(word) is None and tok.token_to_id(word.lower()) is not None:
            word = word.lower()
        if tok.token_to_id(word) is None or word in tok.special_tokens:
            raise ValueError(f"{word[:40]!r} is not among the {tok.vocab_size} words that this "
                             "small model knows")
        words.append(word)
    return " ".join(words)


class Translator:
    """A Seq2Seq and the tokenizers of source and target, whose tokens are words."""

    def __init__(self, model: Any, source: Any, target: Any) -> None:
        self.model, self.source, self.target = model, source, target
        self.start, self.end = map(target.token_to_id, ("<start>", "<end>"))

    def translate(self, text: str, beams: int) -> tuple[list[str], list[str], np.ndarray]:
        """(source words, target words, weights (T, S) of the last cross-attention).

        Row t belongs to target word t, and at the end to the token that ends the sentence.
        """
        ids = self.source.encode(known_words(self.source, cleaned(text)))
        if not ids:
            raise ValueError("there is no word to translate")
        if len(ids) > self.model.config.context:
            raise ValueError(f"the sentence has {len(ids)} words; this model reads at most "
                             f"{self.model.config.context}")
        model = self.model.replica()
        found = model.generate(ids, model.config.context - 1, self.start, [self.end], beams, 0.6)
        model.forward([ids], [[self.start, *found]])
        weights = model.decoder[-1].cross.weights()[0].mean(axis=0)
        words = [self.source.id_to_token(id) for id in ids]
        return words, [self.target.id_to_token(id) for id in found], np.array(weights)


class GapFiller:
    """A BERT whose tokenizer has words as tokens."""

    GAP = "[MASK]"

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tok = model, tokenizer

    def fill(self, text: str) -> list[tuple[str, float]]:
        """The likeliest words for the gap, written ___, with their probabilities."""
        text = cleaned(text)
        before, gap, after = text.partition("___")
        if not gap or "___" in after:
            raise ValueError("mark one gap with three underscores: ___")
        mask = self.tok.token_to_id(self.GAP)
        before, after = (known_words(self.tok, part) for part in (before, after))
        ids = [*self.tok.encode(before)[:-1], mask, *self.tok.encode(after)[1:]]
        if len(ids) > self.model.config.context:
            raise ValueError(f"the sentence has {len(ids)} tokens; this model reads at most "
                             f"{self.model.config.context}")
        logits = self.model.replica().forward(np.array([ids]))[0, ids.index(mask)].astype(float)
        logits[list(self.tok.special_tokens.values())] = -np.inf
        p = distribution(logits)
        return [(self.tok.id_to_token(int(id)), float(p[id])) for id in np.argsort(-p)[:SHOWN]]
