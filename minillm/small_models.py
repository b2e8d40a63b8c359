"""The recipes of two kinds of small models that come along: a translator and gap fillers.

    python -m minillm.small_models                        # trains, measures and writes all three
    python -m minillm.small_models translator             # or: filler_en, filler_zh

The translator is chapter 24's, from English to Chinese; the gap fillers are chapter 25's, for
English and Chinese. Both know the words of their grammars in :mod:`minillm.data.tasks`, no others.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .data import mask_tokens
from .data.tasks import cloze, translation
from .models import BERT, BERTConfig, Seq2Seq, Seq2SeqConfig
from .models.pretrained import FILLERS, TRANSLATOR, target_of
from .tokenizers import Join, Split, Template, Tokenizer, WordVocabulary
from .training import AdamW, Trainer, cores, cosine, linear, save_checkpoint

PAD, START, END = range(3)  # of the translator
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ENGLISH, CHINESE = r"[A-Za-z]+|[^\sA-Za-z]", r"\S+"  # Chinese comes cut into words
IGNORE = -100


def word_tokenizer(sentences: Iterable[Sequence[str]], specials: list[str], pattern: str,
                   post: Any = None) -> Tokenizer:
    """Every word is a token; one that did not occur is an error that names it."""
    words = sorted({word for sentence in sentences for word in sentence})
    return Tokenizer(WordVocabulary([None] * len(specials) + [w.encode() for w in words]), None,
                     Split(pattern), post, Join(),
                     {name: id for id, name in enumerate(specials)})


def translation_batches(pairs: list[Any], source: Tokenizer, target: Tokenizer, size: int = 64,
                        seed: int = 0) -> Iterator[tuple[np.ndarray, ...]]:
    """(source, target, mask, labels) without end; sentences of a batch are about equally long."""
    rng = np.random.default_rng(seed)
    english = [source.encode(" ".join(p.english)) for p in pairs]
    chinese = [target.encode(" ".join(p.chinese)) for p in pairs]
    while True:
        order = sorted(rng.permutation(len(pairs)), key=lambda i: len(english[i]))
        for b in rng.permutation(len(order) // size):
            rows = order[b * size:(b + 1) * size]
            x = padded([english[i] for i in rows], PAD)
            yield (x, padded([[START, *chinese[i]] for i in rows], PAD), x != PAD,
                   padded([[*chinese[i], END] for i in rows], IGNORE))


def padded(rows: list[list[int]], filler: int) -> np.ndarray:
    """Rows of ids, filled up to the length of the longest."""
    found = np.full((len(rows), max(map(len, rows))), filler)
    for row, ids in zip(found, rows, strict=True):
        row[:len(ids)] = ids
    return found


def train_translator(steps: int = 3000, count: int = 30_000, progress: bool = True
                     ) -> tuple[Seq2Seq, Tokenizer, Tokenizer]:
    """A Seq2Seq and the tokenizers of both languages."""
    pairs = list(translation.pairs(count, seed=0))
    source = word_tokenizer([p.english for p in pairs], ["<pad>"], ENGLISH)
    target = word_tokenizer([p.chinese for p in pairs], ["<pad>", "<start>", "<end>"], CHINESE)
    model = Seq2Seq(Seq2SeqConfig(target.vocab_size, context=28, layers=2, heads=4, width=96,
                                  source_vocab=source.vocab_size))
    Trainer(model, AdamW(model, 3e-3, betas=(0.9, 0.98)),
            translation_batches(pairs, source, target), schedule=cosine(3e-3, steps // 10, steps),
            smoothing=0.1, workers=cores(), progress=progress).fit(steps)
    return model, source, target


def translated_exactly(model: Seq2Seq, source: Tokenizer, target: Tokenizer, count: int) -> float:
    """Share of held-out sentences whose translation is the grammar's, word for word."""
    pairs = list(translation.pairs(count, seed=1, held=True))
    found = model.generate([source.encode(" ".join(p.english)) for p in pairs], 27, START, [END])
    return float(np.mean([[target.id_to_token(id) for id in ids] == list(p.chinese)
                          for ids, p in zip(found, pairs, strict=True)]))


def filler_batches(rows: np.ndarray, vocab_size: int, size: int = 32, share: float = 0.25
                   ) -> Iterator[tuple[np.ndarray, ...]]:
    """(ids, mask, labels) without end, with words hidden as BERT hides them."""
    rng = np.random.default_rng(0)
    mask, step = SPECIAL.index("[MASK]"), 0
    while True:
        ids = rows[rng.integers(0, len(rows), size)]
        inputs, labels = mask_tokens(ids, mask, vocab_size, range(4), share, step)
        yield inputs, ids != 0, labels
        step += 1


def train_filler(language: str, steps: int = 5000, count: int = 12_000, progress: bool = True
                 ) -> tuple[BERT, Tokenizer]:
    """A BERT that fills gaps, and its tokenizer."""
    texts = list(cloze.samples(count, seed=1, language=language))
    tok = word_tokenizer([c.words for c in texts], SPECIAL,
                         CHINESE if language == "zh" else ENGLISH, Template.around([2], [3]))
    model = BERT(BERTConfig(tok.vocab_size, context=24, layers=2, heads=4, width=64))
    model.tokens.w.value *= 10
    model.positions.w.value *= 10
    rows = tok.batch(" ".join(c.words) for c in texts).ids
    Trainer(model, AdamW(model, 3e-3, betas=(0.9, 0.99), weight_decay=0.01),
            filler_batches(rows, tok.vocab_size), schedule=linear(3e-3, steps // 20, steps),
            workers=cores(), progress=progress).fit(steps)
    return model, tok


def filled_rightly(model: BERT, tok: Tokenizer, language: str, count: int) -> float:
    """Share of held-out sentences whose hidden word is found."""
    texts = list(cloze.samples(count, seed=2, language=language, held=True))
    rows, _, real = tok.batch(" ".join(c.words) for c in texts)
    at, where = np.array([c.position + 1 for c in texts]), np.arange(len(texts))  # after [CLS]
    answers = rows[where, at].copy()
    rows[where, at] = SPECIAL.index("[MASK]")
    return float((model.forward(rows, real)[where, at].argmax(axis=1) == answers).mean())


def main() -> None:
    """Train those asked for, write them into the package and say how good they are."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["translator", "filler_en", "filler_zh"]
    parser.add_argument("names", nargs="*", choices=[*names, []], default=names)
    for name in parser.parse_args().names:
        if name == "translator":
            translator, source, target = train_translator()
            print(f"{name}: {translated_exactly(translator, source, target, 500):.1%} exact")
            save_checkpoint(TRANSLATOR, translator, dtype=np.float16)
            source.save(TRANSLATOR.with_suffix(".json"))
            target.save(target_of(TRANSLATOR))
        else:
            language = name.removeprefix("filler_")
            model, tok = train_filler(language)
            print(f"{name}: {filled_rightly(model, tok, language, 500):.1%} right")
            save_checkpoint(FILLERS[language], model, dtype=np.float16)
            tok.save(FILLERS[language].with_suffix(".json"))


if __name__ == "__main__":
    main()
