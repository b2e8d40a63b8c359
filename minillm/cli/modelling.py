"""The command ``evaluate``."""

from __future__ import annotations

import math
from typing import Any

import click

from .corpora import chosen_texts, text_options
from .runs import open_model
from .terminal import watched


@click.command()
@click.argument("model")
@text_options
@click.option("--tokenizer", type=click.Path(), help="Default: the one in the run.")
@click.option("--batch-size", default=8, show_default=True, type=click.IntRange(1))
def evaluate(model: str, tokenizer: str | None, batch_size: int, **source: Any) -> None:
    """Measure how well MODEL predicts text that it has not been trained on.

    \b
    Examples:
      minillm evaluate runs/mine other.txt
      minillm evaluate storyteller --stories en --story-count 500

    The loss is in nats per token; perplexity is its exponential; bits per byte is the measure by
    which models with different tokenizers compare. Stories have a known entropy, which no model
    can go below; the last line compares with it.
    """
    gpt, tok = open_model(model, tokenizer)
    texts = list(chosen_texts(**source, story_seed=2))  # training's stories have seed 1
    for line in measure(gpt, tok, texts, source["stories"], batch_size, watched()):
        click.echo(line)


def measure(model: Any, tokenizer: Any, texts: list[str], language: str | None, batch_size: int,
            progress: bool) -> list[str]:
    """Loss, perplexity, accuracy and bits per byte of ``texts``; for stories also the floor.

    Every token is scored but, where no end token announces it, the very first; bytes are those of
    the tokens that are scored.
    """
    import numpy as np
    from tqdm import tqdm

    from ..data import DataLoader, TokenDataset, stories
    from ..generation.prompting import end_of
    from ..training import evaluate

    name = end_of(tokenizer)
    end = None if name is None else tokenizer.token_to_id(name)
    ids, offsets = tokenizer.encode_batch(texts)
    size = sum(len(text.encode()) for text in texts)
    whole = end is not None and max(np.diff(offsets)) < model.config.context
    if end is not None:
        ids = np.insert(ids, offsets[1:], end)
        if not whole:
            ids = np.insert(ids, 0, end)  # which announces the first document, as the others
    else:
        size -= bytes_of_first(tokenizer, texts)  # nothing stands before it to predict it from
    data = TokenDataset.from_ids(ids, tokenizer.vocab_size, end)
    targets = len(data) if whole else max(len(data) - 1, 1)
    context = min(model.config.context, targets)
    batches = DataLoader(data, batch_size, context, windows="documents" if whole else "stream",
                         shuffle=False, drop_last=False)
    found = evaluate(model, tqdm(batches, "evaluate", unit=" batches", disable=not progress))
    lines = [f"tokens         {found.labels:,} ({size / found.labels:.2f} bytes each)",
             f"loss           {found.loss:.4f} nats per token",
             f"perplexity     {found.perplexity:.2f}",
             f"accuracy       {found.accuracy:.4f}",
             f"bits per byte  {found.bits_per_byte(size / found.labels):.4f}"]
    if language and whole:
        floor = -sum(stories.log_probability(text, language, "small") for text in texts)
        if math.isfinite(floor):
            floor /= found.labels
            lines.append(f"floor          {floor:.4f} nats per token; the loss is "
                         f"{found.loss / floor:.3f} times that")
    return lines


def bytes_of_first(tokenizer: Any, texts: list[str]) -> int:
    """How many bytes of the texts the first token stands for."""
    for text in texts:
        _, spans = tokenizer.encode_with_offsets(text)
        if spans:
            return len(text[: spans[0][1]].encode())
    return 0
