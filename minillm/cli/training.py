"""The command ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .config_file import read_config
from .corpora import chosen_texts, text_options
from .curve import draw
from .runs import Run, open_model
from .stopping import epoch_line
from .terminal import given, watched

SIZES = ("vocab_size", "layers", "heads", "width", "context", "windows", "batch_size",
         "accumulate", "lr", "warmup", "weight_decay", "validation", "seed")
MODEL_SIZES = ("vocab_size", "layers", "heads", "width", "context")
SOURCES = ("files", "stories", "story_count", "python_docs", "collection", "max_bytes", "per",
           "encoding")
STOPPED = 130  # what shells report for a program ended by Ctrl-C


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@text_options
@click.option("--config", type=click.Path(), is_eager=True, expose_value=False,
              callback=read_config, help="A .toml or .json file with any of these options; what is "
                                         "typed goes before it.")
@click.option("--steps", default=1000, show_default=True, type=click.IntRange(1),
              help="Steps of the optimizer, those before a --resume included.")
@click.option("--epochs", type=click.IntRange(1),
              help="Times through all data, instead of --steps.")
@click.option("--resume", is_flag=True, help="Go on with the run from its last checkpoint.")
@click.option("--from-pretrained", type=click.Path(),
              help="Begin with the weights, the sizes and the tokenizer of this run or checkpoint.")
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
@click.option("--clip", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True),
              help="Greatest length of the gradient.")
@click.option("--validation", default=0.05, show_default=True,
              type=click.FloatRange(0, 1, max_open=True), help="Share of the text to hold back.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--evaluate-every", default=250, show_default=True, type=click.IntRange(1))
@click.option("--checkpoint-every", default=250, show_default=True, type=click.IntRange(1))
@click.option("--print-every", default=50, show_default=True, type=click.IntRange(1))
def train(run: str, steps: int, epochs: int | None, resume: bool, from_pretrained: str | None,
          tokenizer: str | None, clip: float, evaluate_every: int, checkpoint_every: int,
          print_every: int, **options: Any) -> None:
    """Train a model in the folder RUN: on the texts named here, or on what preprocess made there.

    \b
    Examples:
      minillm train runs/mine novel.txt
      minillm train runs/novels --epochs 20                 after minillm preprocess runs/novels
      minillm train runs/big texts/ --config big.toml --layers 6
      minillm train runs/mine --resume --steps 2000
      minillm train runs/fine letters/ --from-pretrained runs/mine --lr 3e-4
      minillm train runs/stories --stories zh --context 192 --batch-size 4

    RUN then holds the tokenizer, tokens.bin (the text as ids), settings.json, log.csv (a row per
    step), loss.png (the curve, drawn anew while it runs), checkpoint.npz, and one epoch-N.npz for
    each time through all data. Ctrl-C finishes the step, gives up a validation, saves a checkpoint
    and ends with exit code 130. --resume goes on from there with exactly the steps that would have
    followed; another --steps than before changes how fast the learning rate falls.
    """
    place = Run(run)
    if given("steps") and given("epochs"):
        raise click.UsageError("give --steps or --epochs, not both")
    if not resume:
        place.check_free()
        place.folder.mkdir(parents=True, exist_ok=True)
    elif not place.folder.is_dir():
        raise FileNotFoundError(f"{place.folder} holds no run to resume")
    with place.alone():
        start = None
        if resume:
            typed = [name for name in (*SIZES, *SOURCES, "tokenizer", "from_pretrained")
                     if given(name)]
            if typed:
                raise click.UsageError(f"--resume takes text and sizes from {run}; leave out "
                                       + ", ".join(map(flag, typed)))
            settings = place.settings()
            steps = steps if given("steps") else settings["steps"]
        else:
            settings, start = begin(place, options, steps, tokenizer, from_pretrained)
        loader, validation = place.loaders(settings)
        if epochs is not None:
            steps = max(epochs * len(loader) // settings["accumulate"], 1)
        settings = {**settings, "steps": steps}
        if not resume:
            place.begin(settings)
        trainer = place.trainer(settings, start, loader, validation, after=reporter(place),
                                clip=clip, evaluate_every=evaluate_every, print_every=print_every,
                                checkpoint_every=checkpoint_every, progress=watched())
        if resume:
            trainer.resume(place.checkpoint)
            click.echo(f"going on after step {trainer.step}")
            if trainer.step >= steps:
                raise ValueError(f"the run has done {trainer.step} steps already; ask for more "
                                 "with --steps")
        click.echo(f"{trainer.model.weights.size:,} weights; checkpoint: {place.checkpoint}")
        ended = trainer.fit_until_stopped(steps)
        if not draw(place.log, place.curve):
            click.echo("no loss.png: that takes pip install minillm[show]", err=True)
    if not ended:
        click.echo(f"stopped after step {trainer.step}, saved; go on with: "
                   f"minillm train {run} --resume --steps {steps}", err=True)
        click.get_current_context().exit(STOPPED)


def begin(place: Run, options: dict[str, Any], steps: int, tokenizer: str | None,
          pretrained: str | None) -> tuple[dict[str, Any], Any]:
    """The settings of a new run, whose tokens are then in its folder, and a model to begin with."""
    settings = {name: options[name] for name in SIZES} | {"steps": steps}
    settings["windows"] = settings["windows"] or ("documents" if options["stories"] else "stream")
    source = {name: options[name] for name in SOURCES}
    start = None
    if pretrained is not None:
        clash = [name for name in (*MODEL_SIZES, "tokenizer") if given(name)]
        if clash:
            raise click.UsageError("--from-pretrained decides on " + ", ".join(map(flag, clash)))
        start, tokenizer = pretrained_model(pretrained)
        settings |= {name: getattr(start.config, name) for name in MODEL_SIZES}
    chosen = [name for name in SOURCES if given(name)]
    if not chosen and place.prepared_file.exists():
        use_prepared(place, settings, start, tokenizer)
    else:
        place.prepared_file.unlink(missing_ok=True)
        place.check_sizes(settings)
        place.prepare(chosen_texts(**source), tokenizer, settings, watched())
    place.check_sizes(settings)
    return settings, start


def pretrained_model(place: str) -> tuple[Any, str]:
    """The model of a run or a checkpoint, and where its tokenizer stands."""
    model, _ = open_model(place, None)
    path = Path(place)
    return model, str(Run(str(path if path.is_dir() else path.parent)).tokenizer_file)


def use_prepared(place: Run, settings: dict[str, Any], start: Any, tokenizer: str | None) -> None:
    """Complete the settings by those of preprocess, whose tokens and windows are used."""
    prepared = place.prepared()
    typed = [name for name in ("vocab_size", "context", "windows", "tokenizer") if given(name)]
    if typed:
        raise click.UsageError(f"{place.folder} was made by preprocess, which decides on "
                               + ", ".join(map(flag, typed)))
    mine = place.tokenizer_file.read_bytes()
    if start is not None:
        if Path(str(tokenizer)).read_bytes() != mine:
            raise ValueError(f"{place.folder} has another tokenizer than the pretrained model; "
                             f"preprocess with --tokenizer {tokenizer}")
        if start.config.context < prepared["window"]:
            raise ValueError(f"the pretrained model sees {start.config.context} tokens, fewer than "
                             f"the windows of {prepared['window']}; preprocess with --window "
                             f"{start.config.context}")
    settings |= {"vocab_size": place.tokenizer().vocab_size, "windows": "sliding",
                 "stride": prepared["stride"], "shortest": prepared["shortest"]}
    if start is None:
        settings["context"] = prepared["window"]


def reporter(place: Run) -> Any:
    """What happens after a step: means and a checkpoint at the end of an epoch, and the curve."""
    from tqdm import tqdm

    def after(trainer: Any, row: dict[str, Any], epoch: int | None) -> None:
        if epoch is not None:
            steps = len(trainer.loader) / trainer.accumulate
            tqdm.write(epoch_line(place.log, epoch, steps))
            trainer.save(place.folder / f"epoch-{epoch}.npz")
        if epoch is not None or row["valid_loss"] is not None:
            draw(place.log, place.curve)

    return after


def flag(name: str) -> str:
    """How an option is typed."""
    return "--" + name.replace("_", "-")
