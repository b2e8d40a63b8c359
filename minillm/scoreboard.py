"""Tokenizers side by side on one text: the scoreboard of the chapter *shootout*.

Each kind is trained on one part of the texts and measured on the other. Bytes per token say how
short texts become; what they are worth to a model only a model can say, in bits per byte of text,
which ``bits_per_byte`` measures with a small one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from .tokenizers.tokenizer import Tokenizer

UNKNOWN = "<|unk|>"
KINDS: dict[str, dict[str, Any]] = {  # name -> how ``Tokenizer.train`` makes it
    "characters": dict(model="char", unk_token=UNKNOWN),
    "words": dict(model="word", unk_token=UNKNOWN),
    "BPE": dict(model="bpe", unk_token=UNKNOWN),
    "byte-level BPE, GPT-2": dict(model="byte_bpe", pattern="gpt2"),
    "byte-level BPE, GPT-4": dict(model="byte_bpe", pattern="cl100k"),
    "WordPiece": dict(model="wordpiece", unk_token=UNKNOWN),
    "unigram": dict(model="unigram", unk_token=UNKNOWN),
    "SentencePiece unigram": dict(model="sentencepiece", hard_vocab_limit=False),
    "SentencePiece BPE": dict(model="sentencepiece", model_type="bpe", byte_fallback=True),
    "SentencePiece lossless": dict(
        model="sentencepiece", normalization="identity", byte_fallback=True,
        add_dummy_prefix=False, remove_extra_whitespaces=False, hard_vocab_limit=False,
    ),
    "BytePiece": dict(model="bytepiece"),
}


@dataclass(frozen=True)
class Score:
    """What was measured of one tokenizer.

    entries: size of the vocabulary. tokens, bytes_per_token: of the unseen texts. unknown: share of
    tokens that are unknown. exact: share of texts that decode to what they were. train_seconds;
    megabytes_per_second: of encoding text for the first time.
    """

    name: str
    entries: int
    tokens: int
    bytes_per_token: float
    unknown: float
    exact: float
    train_seconds: float
    megabytes_per_second: float


def unknown_ids(tok: Tokenizer) -> set[int]:
    """The ids that stand for unknown text."""
    found = {id for token, id in tok.special_tokens.items() if token in (UNKNOWN, "<unk>")}
    unk_id = getattr(tok.model, "unk_id", None)
    return found if unk_id is None else found | {int(unk_id)}


def measure(
    name: str, train: Sequence[str], test: Sequence[str], vocab_size: int,
    options: dict[str, Any] | None = None,
) -> tuple[Score, Tokenizer]:
    """Train one kind on `train` and measure it on `test`."""
    start = perf_counter()
    tok = Tokenizer.train(train, vocab_size=vocab_size, **(options or KINDS[name]))
    trained = perf_counter() - start
    tok.encode("a", special="text")  # builds the tables of the kernels
    begun = perf_counter()
    ids, ends = tok.encode_batch(test, special="text")
    encoded = perf_counter() - begun
    size = sum(len(text.encode("utf-8", "replace")) for text in test)
    pairs = zip(test, ends[:-1].tolist(), ends[1:].tolist())
    exact = [tok.decode(ids[i:j]) == text for text, i, j in pairs]
    unknown = np.isin(ids, sorted(unknown_ids(tok))).mean() if len(ids) else 0.0
    score = Score(
        name, tok.vocab_size, len(ids), size / max(1, len(ids)), float(unknown),
        float(np.mean(exact)), trained, size / 1e6 / max(encoded, 1e-9),
    )
    return score, tok


def check_texts(train: Sequence[str], test: Sequence[str]) -> None:
    for name, texts in (("train", train), ("test", test)):
        if not any(text.strip() for text in texts):
            raise ValueError(
                f"{name} has {len(texts)} texts and no text in them; give more text, or --per line"
            )


def compare(
    train: Sequence[str], test: Sequence[str], vocab_size: int, names: Sequence[str] | None = None
) -> list[tuple[Score, Tokenizer]]:
    """Every kind in `names` (all of them if None), each trained and measured on the same texts.

    The fastest way to compile the kernels is to use them, so each kind is run once on a few texts
    before the clock starts.
    """
    check_texts(train, test)
    names = list(KINDS) if names is None else list(names)
    for name in names:
        if name not in KINDS:
            raise ValueError(f"names holds {name!r}; use some of {', '.join(KINDS)}")
    for name in names:
        tiny = dict(KINDS[name])  # with which a kind can be trained on next to nothing
        if tiny["model"] == "sentencepiece":
            tiny["hard_vocab_limit"] = False
        measure(name, ["one two three two one two"] * 3, ["two one"], 300, tiny)
    return [measure(name, train, test, vocab_size) for name in names]


def bits_per_byte(
    tok: Tokenizer, train: Sequence[str], test: Sequence[str], steps: int = 300,
    width: int = 96, layers: int = 2, context: int = 64, batch_size: int = 16, seed: int = 0,
) -> float:
    """Bits that a small GPT, trained on the tokens of `train`, needs for each byte of `test`.

    The number counts bytes of text, not tokens, so it compares tokenizers. It is fair between
    lossless ones only: a tokenizer that forgets part of the text makes the rest easier to predict.
    """
    from .data import DataLoader, TokenDataset
    from .models import GPT, GPTConfig
    from .training import AdamW, Trainer, cores, cosine, evaluate

    sets = []
    for texts in (train, test):
        ids, _ = tok.encode_batch(texts, special="text")
        sets.append(TokenDataset.from_ids(ids, tok.vocab_size))
    model = GPT(GPTConfig(tok.vocab_size, context, layers, 4, width, 4 * width), seed)
    optimizer = AdamW(model, lr=3e-3, weight_decay=0.1)
    loader = DataLoader(sets[0], batch_size, context, seed=seed)
    trainer = Trainer(
        model, optimizer, loader, workers=min(cores(), batch_size), progress=False,
        schedule=cosine(3e-3, min(20, steps // 10), steps),
    )
    trainer.fit(steps)
    found = evaluate(model, DataLoader(sets[1], batch_size, context, shuffle=False,
                                       drop_last=False))
    size = sum(len(text.encode("utf-8", "replace")) for text in test)
    return found.loss * len(sets[1]) / math.log(2) / size
