"""The commands about models: ``train``, ``generate``, ``evaluate``."""

from __future__ import annotations

import math
from typing import Any

import click

from .corpora import chosen_texts, text_options
from .runs import Run, open_model
from .terminal import given, watched

SIZES = ("vocab_size", "layers", "heads", "width", "context", "windows", "batch_size",
         "accumulate", "lr", "warmup", "weight_decay", "validation", "seed")
SOURCES = ("files", "stories", "story_count", "python_docs", "max_bytes", "per", "tokenizer")
STOPPED = 130  # what shells report for a program ended by Ctrl-C


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@text_options
@click.option("--steps", default=1000, show_default=True, type=click.IntRange(1),
              help="Steps of the optimizer, those before a --resume included.")
@click.option("--resume", is_flag=True, help="Go on with the run from its last checkpoint.")
@click.option("--tokenizer", type=click.Path(), help="Use this tokenizer; else one is trained.")
@click.option("--vocab-size", default=2048, show_default=True, type=click.IntRange(1),
              help="Vocabulary of the tokenizer that is trained (byte-level BPE: over 256).")
@click.option("--layers", default=4, show_default=True, type=click.IntRange(1))
@click.option("--heads", default=4, show_default=True, type=click.IntRange(1))
@click.option("--width", default=128, show_default=True, type=click.IntRange(1),
              help="Numbers per token inside the model; a multiple of --heads.")
@click.option("--context", default=128, show_default=True, type=click.IntRange(1),
              help="How many tokens the model sees.")
@click.option("--windows", type=click.Choice(["stream", "packed", "documents"]), default=None,
              help="How documents become rows. Default: documents for stories, else stream.")
@click.option("--batch-size", default=8, show_default=True, type=click.IntRange(1))
@click.option("--accumulate", default=1, show_default=True, type=click.IntRange(1),
              help="Batches per step.")
@click.option("--lr", default=1e-3, show_default=True, type=click.FloatRange(0, min_open=True),
              help="Highest learning rate.")
@click.option("--warmup", default=50, show_default=True, type=click.IntRange(0),
              help="Steps until the highest rate; it then falls along a cosine to a tenth.")
@click.option("--weight-decay", default=0.1, show_default=True, type=click.FloatRange(0))
@click.option("--validation", default=0.05, show_default=True,
              type=click.FloatRange(0, 1, max_open=True), help="Share of the text to hold back.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--evaluate-every", default=250, show_default=True, type=click.IntRange(1))
@click.option("--checkpoint-every", default=250, show_default=True, type=click.IntRange(1))
@click.option("--print-every", default=50, show_default=True, type=click.IntRange(1))
def train(run: str, steps: int, resume: bool, evaluate_every: int, checkpoint_every: int,
          print_every: int, **options: Any) -> None:
    """Train a model from nothing in the folder RUN.

    \b
    Examples:
      minillm train runs/mine novel.txt
      minillm train runs/big texts/ --layers 6 --width 256 --context 256 --steps 5000
      minillm train runs/mine --resume --steps 2000
      minillm train runs/stories --stories zh --context 192 --batch-size 4

    RUN then holds tokenizer.json, tokens.bin (the text as ids), settings.json, log.csv (a row per
    step) and checkpoint.npz. Ctrl-C finishes the step, gives up a validation, saves a checkpoint
    and ends with exit code 130. --resume goes on from there with exactly the steps that would have
    followed; another --steps than before changes how fast the learning rate falls.
    """
    place = Run(run)
    if resume:
        typed = [name for name in (*SIZES, *SOURCES) if given(name)]
        if typed:
            raise click.UsageError(f"--resume takes text and sizes from {run}; leave out "
                                   + ", ".join("--" + name.replace("_", "-") for name in typed))
        settings = place.settings()
        steps = steps if given("steps") else settings["steps"]
    else:
        place.check_free()
        settings = {name: options[name] for name in SIZES}
        settings["windows"] = settings["windows"] or (
            "documents" if options["stories"] else "stream")
        settings["steps"] = steps
        place.check_sizes(settings)
        texts = chosen_texts(**{name: options[name] for name in SOURCES[:-1]})
        place.prepare(texts, options["tokenizer"], settings, watched())
    trainer = place.trainer({**settings, "steps": steps}, evaluate_every, checkpoint_every,
                            print_every, watched())
    if resume:
        trainer.resume(place.checkpoint)
        click.echo(f"going on after step {trainer.step}")
        if trainer.step >= steps:
            raise ValueError(f"the run has done {trainer.step} steps already; ask for more with "
                             "--steps")
    click.echo(f"{trainer.model.weights.size:,} weights; checkpoint: {place.checkpoint}")
    if not trainer.fit_until_stopped(steps):
        click.echo(f"stopped after step {trainer.step}, saved; go on with: "
                   f"minillm train {run} --resume --steps {steps}", err=True)
        click.get_current_context().exit(STOPPED)


@click.command()
@click.argument("model")
@click.option("--prompt", default="", help="The beginning to continue.")
@click.option("--tokens", default=200, show_default=True, type=click.IntRange(0),
              help="Write at most so many.")
@click.option("--temperature", default=0.8, show_default=True, type=click.FloatRange(0),
              help="0: always the likeliest token; 1: as the model has learned; more: wilder.")
@click.option("--top-k", type=click.IntRange(1), help="Choose among the k likeliest only.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True),
              help="Choose among the fewest tokens that together reach this probability.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--count", default=1, show_default=True, type=click.IntRange(1),
              help="How many texts, with the seeds that follow.")
@click.option("--tokenizer", type=click.Path(), help="Default: the one in the run.")
def generate(model: str, prompt: str, tokens: int, temperature: float, top_k: int | None,
             top_p: float | None, seed: int, count: int, tokenizer: str | None) -> None:
    """Let MODEL write: a run, a checkpoint, or the word storyteller.

    \b
    Examples:
      minillm generate storyteller
      minillm generate storyteller --prompt "One sunny day, Jack" --count 3
      minillm generate runs/mine --prompt "It was" --temperature 0.7 --top-p 0.95

    A text ends with the model's end-of-text token or after --tokens tokens.
    """
    from ..generation import stream

    gpt, tok = open_model(model, tokenizer)
    end = tok.token_to_id("<|endoftext|>")
    ids = ([] if end is None else [end]) + tok.encode(prompt)
    if not ids:
        raise ValueError("this tokenizer has no end-of-text token to begin with; give a --prompt")
    for i in range(count):
        shown = tok.stream()
        click.echo(prompt, nl=False)
        for id in stream(gpt, ids, tokens, temperature, top_k, top_p, seed + i,
                         () if end is None else (end,)):
            click.echo(shown.push(id), nl=False)
        click.echo(shown.finish())


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
    from ..training import evaluate

    end = tokenizer.token_to_id("<|endoftext|>")
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
