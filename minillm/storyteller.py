"""The storytellers' recipe: a small GPT trained from nothing on stories of known entropy.

    python -m minillm.storyteller            # trains, measures and writes both, English and Chinese
    python -m minillm.storyteller zh         # only the Chinese one
    python -m minillm.storyteller --measure  # only measures the stored ones

Stories and weights at the start come from fixed seeds, so every run on one machine gives the same
model. Another processor adds floating-point numbers in another order, and gives one as good.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .data import IGNORE_INDEX, DataLoader, TokenDataset, stories
from .generation import generate
from .models import GPT, GPTConfig
from .models.pretrained import STORYTELLER, STORYTELLERS, storyteller
from .token_names import END
from .tokenizers import Tokenizer
from .training import AdamW, Trainer, cores, cosine, evaluate, save_checkpoint

SIZE = "small"  # which of the stored grammars
CONTEXT, LAYERS, HEADS, WIDTH, HIDDEN = 176, 2, 8, 192, 384
VOCABULARY = {"en": 4096, "zh": 2048}  # at most
BATCH, PEAK, WARMUP = 4, 8e-4, 100
STEPS = {"en": 20_000, "zh": 16_000}
TRAIN_SEED, VALIDATION_SEED = 1, 2
SPREAD = 0.06  # of the first weights: 0.83 / √WIDTH; GPT-2's 0.02 suits widths of a thousand
EVERY = 20  # steps that one number of the stored loss curve stands for


@dataclass(frozen=True)
class Measured:
    """How good a storyteller is.

    loss, floor: nats per token on ``stories`` new stories, of the model and of the grammar that
    made them; accuracy in [0, 1]; parsed: share of ``samples`` sampled stories that are stories.
    """

    loss: float
    floor: float
    accuracy: float
    stories: int
    parsed: float
    samples: int

    @property
    def ratio(self) -> float:
        """Loss over floor: 1 is the best that any model can reach."""
        return self.loss / self.floor


def train_tokenizer(texts: list[str], language: str = "en") -> Tokenizer:
    """Byte-level BPE. English stops by itself when every word of the grammar is one token; in
    Chinese, where no space ends a word, more merges would join names with what follows them."""
    return Tokenizer.train(texts, "byte_bpe", VOCABULARY[language], special_tokens=[END])


def dataset(texts: list[str], tokenizer: Tokenizer) -> TokenDataset:
    """The stories' tokens in memory, each story followed by the end token."""
    end = tokenizer.special_tokens[END]
    ids, offsets = tokenizer.encode_batch(texts)
    return TokenDataset.from_ids(np.insert(ids, offsets[1:], end), tokenizer.vocab_size, end)


class Shortened:
    """The batches of a DataLoader, without the columns in which no row has a label."""

    def __init__(self, loader: DataLoader) -> None:
        self.loader, self.state, self.resume = loader, loader.state, loader.resume

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for ids, targets in self.loader:
            length = int((targets != IGNORE_INDEX).sum(axis=1).max())
            yield ids[:, :length], targets[:, :length]


def alike(texts: list[str], tokenizer: Tokenizer, batch: int, pool: int = 64) -> list[str]:
    """The texts in another order: those of a batch are about equally long, so little is padded.

    Each ``pool`` of texts is sorted by length and cut into batches, whose order is then random.
    """
    rng = np.random.default_rng(0)
    lengths = np.diff(tokenizer.encode_batch(texts)[1])
    order: list[int] = []
    for start in range(0, len(texts), pool):
        ranked = start + np.argsort(lengths[start : start + pool], kind="stable")
        batches = [ranked[i : i + batch] for i in range(0, len(ranked), batch)]
        order += [int(i) for k in rng.permutation(len(batches)) for i in batches[k]]
    return [texts[i] for i in order]


def beginning(vocab_size: int, seed: int = 0) -> GPT:
    """A new model with weights that suit its small width, and sinusoids as positions.

    Both only shorten the way: attention finds names said earlier after a few hundred steps. The
    sinusoids are those of Vaswani et al. (2017), section 3.5; training changes them.
    """
    model = GPT(GPTConfig(vocab_size, CONTEXT, LAYERS, HEADS, WIDTH, HIDDEN), seed)
    model.weights[: model.decayed] *= SPREAD / 0.02
    angles = np.arange(CONTEXT)[:, None] / 10_000 ** (np.arange(0, WIDTH, 2) / WIDTH)
    model.positions.w.value[:, 0::2] = SPREAD * np.sin(angles)
    model.positions.w.value[:, 1::2] = SPREAD * np.cos(angles)
    return model


def train(steps: int = STEPS["en"], batch: int = BATCH, peak: float = PEAK, progress: bool = True,
          print_every: int = 0, language: str = "en") -> tuple[GPT, Tokenizer, Trainer]:
    """A storyteller from nothing, with the tokenizer it needs. No story is seen twice."""
    texts = list(stories.corpus(steps * batch, TRAIN_SEED, language, SIZE))
    tokenizer = train_tokenizer(texts[:4000], language)
    model = beginning(tokenizer.vocab_size)
    data = dataset(alike(texts, tokenizer, batch), tokenizer)
    loader = DataLoader(data, batch, CONTEXT, windows="documents", shuffle=False)
    optimizer = AdamW(model, peak, betas=(0.9, 0.99), weight_decay=0.01)
    schedule = cosine(peak, min(WARMUP, steps // 10), steps)
    trainer = Trainer(model, optimizer, Shortened(loader), workers=min(cores(), batch),
                      schedule=schedule, progress=progress, print_every=print_every)
    trainer.fit(steps)
    return model, tokenizer, trainer


def curve(trainer: Trainer) -> list[float]:
    """The training loss, each number the mean over ``EVERY`` steps."""
    losses = np.array([row["loss"] for row in trainer.history])
    whole = losses[: len(losses) // EVERY * EVERY].reshape(-1, EVERY)
    return [round(float(loss), 4) for loss in whole.mean(axis=1)]


def measure(model: GPT, tokenizer: Tokenizer, count: int = 1000, samples: int = 500,
            language: str = "en") -> Measured:
    """Loss against the floor on new stories, and how many sampled stories parse whole.

    The floor is the mean of -log P of these very stories under the grammar, so both numbers are
    of the same texts and chance in choosing them matters little.
    """
    texts = list(stories.corpus(count, VALIDATION_SEED, language, SIZE))
    data = dataset(texts, tokenizer)
    found = evaluate(model, DataLoader(data, 16, model.config.context, windows="documents",
                                       shuffle=False, drop_last=False))
    grammar = stories.grammar(language, SIZE)
    floor = -sum(grammar.log_probability(text) for text in texts) / len(data)
    parsed = sum(grammar.parse(text).ok for text in told(model, tokenizer, samples))
    return Measured(found.loss, floor, found.accuracy, count, parsed / samples, samples)


def told(model: GPT, tokenizer: Tokenizer, count: int, temperature: float = 1.0,
         seed: int = 0, top_p: float | None = None) -> list[str]:
    """``count`` sampled stories. Each begins after the end token, as in training."""
    end = tokenizer.special_tokens[END]
    room = model.config.context - 1
    texts: list[str] = []
    while len(texts) < count:
        prompts = [[end]] * min(50, count - len(texts))
        rows = generate(model, prompts, room, temperature, top_p=top_p, seed=seed + len(texts),
                        stop=[end])
        texts += [tokenizer.decode(row[1:]) for row in rows]
    return texts


def main() -> None:
    """Train, measure, write."""
    options = argparse.ArgumentParser(prog="python -m minillm.storyteller",
                                      description=(__doc__ or "").split("\n")[0])
    options.add_argument("languages", nargs="*", default=list(STORYTELLERS),
                         help="en, zh; default: both")
    options.add_argument("--measure", action="store_true", help="only measure the stored ones")
    options.add_argument("--steps", type=int, help=f"default: {STEPS}")
    options.add_argument("--folder", type=Path, default=STORYTELLER.parent,
                         help="where to write")
    chosen = options.parse_args()
    for language in chosen.languages:
        if language not in STORYTELLERS:
            options.error(f"{language!r} is no language of the stories; use en or zh")
    for language in chosen.languages:
        if chosen.measure:
            model, tokenizer = storyteller(language)
        else:
            model, tokenizer = make(language, chosen.steps or STEPS[language], chosen.folder)
        print(f"{language}: {describe(measure(model, tokenizer, language=language))}")


def make(language: str, steps: int, folder: Path) -> tuple[GPT, Tokenizer]:
    """Train one storyteller and write its weights and its tokenizer."""
    started = time.perf_counter()
    model, tokenizer, trainer = train(steps, print_every=100, language=language)
    minutes = (time.perf_counter() - started) / 60
    file = folder / STORYTELLERS[language].name
    tokenizer.save(file.with_suffix(".json"))
    save_checkpoint(file, model, dtype=np.float16,
                    state={"steps": trainer.step, "tokens": trainer.tokens, "every": EVERY,
                           "losses": curve(trainer)})
    print(f"{language}: trained in {minutes:.1f} minutes, {trainer.tokens:,} tokens, "
          f"{model.weights.size:,} weights")
    return model, tokenizer


def describe(result: Measured) -> str:
    """The measurement as text."""
    return (f"loss {result.loss:.4f} nats per token on {result.stories} new stories, "
            f"{result.ratio:.3f} of the grammar's {result.floor:.4f}\n"
            f"accuracy {result.accuracy:.3f}\n"
            f"{100 * result.parsed:.1f} % of {result.samples} sampled stories parse whole")


if __name__ == "__main__":
    main()
