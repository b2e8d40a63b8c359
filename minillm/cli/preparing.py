"""The command ``preprocess``: from texts to a vocabulary and to windows of tokens."""

from __future__ import annotations

import json
from typing import Any

import click

from ..token_names import EOD, PAD, SEP
from .corpora import chosen_documents, text_options
from .runs import Run, load_tokenizer, wrapped
from .terminal import watched
from .titles import Titled
from .tokenizing import MODELS

SPECIALS = (EOD, SEP, PAD)


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@text_options
@click.option("--model", type=click.Choice(MODELS), default="sentencepiece", show_default=True,
              help="Kind of tokenizer.")
@click.option("--vocab-size", default=4000, show_default=True, type=click.IntRange(1),
              help="Most entries; fewer where the text does not give so many.")
@click.option("--tokenizer", type=click.Path(), help="Use this tokenizer; else one is trained.")
@click.option("--segment", is_flag=True,
              help="Cut Chinese into words first: no token reaches across two of them.")
@click.option("--titles/--no-titles", default=True, show_default=True,
              help="Put a file's title and <sep> before its text. The title is a short first line "
                   "with an empty line below it, or else the file's name.")
@click.option("--window", default=128, show_default=True, type=click.IntRange(2),
              help="Tokens that the model sees at once.")
@click.option("--stride", type=click.IntRange(1), help="From window to window. [default: --window]")
@click.option("--shortest", type=click.IntRange(1),
              help="Leave a document's last window out if it has fewer tokens, unless it is its "
                   "only one. [default: a quarter of --window]")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0),
              help="Of the order of the documents; the last ones are held back in training.")
def preprocess(run: str, model: str, vocab_size: int, tokenizer: str | None, segment: bool,
               titles: bool, window: int, stride: int | None, shortest: int | None, seed: int,
               **source: Any) -> None:
    """Make a vocabulary and windows of tokens of your texts, in the folder RUN.

    \b
    Examples:
      minillm preprocess runs/novels novels/
      minillm preprocess runs/zh --collection zh --segment --window 256 --stride 128
      minillm preprocess runs/old novels/ --encoding gb18030 --per line

    A document is its title, <sep>, its text and <eod>. It is cut into windows of --window tokens,
    a new one every --stride; no window reaches into the next document. RUN then holds the
    tokenizer, tokens.bin (which training maps from the disk), prepared.json and preprocess.log (a
    line per document). Then: minillm train RUN
    """
    place = Run(run)
    place.check_free()
    settings = {"window": window, "stride": stride or window,
                "shortest": max(window // 4, 1) if shortest is None else shortest,
                "segment": segment, "seed": seed}
    for name in ("stride", "shortest"):
        if settings[name] > window:
            raise ValueError(f"--{name} {settings[name]} is more than --window {window}")
    documents, titled = chosen_documents(titles, **source)
    place.folder.mkdir(parents=True, exist_ok=True)
    with place.alone():
        summary = prepare(place, documents, titled, tokenizer, model, vocab_size, settings)
    for line in summary:
        click.echo(line)


def prepare(place: Run, documents: list[str], titled: bool, tokenizer: str | None, model: str,
            vocab_size: int, settings: dict[str, Any]) -> list[str]:
    """Write everything into the run's folder; returns the lines of the summary."""
    import random

    from ..data import DataLoader, TokenDataset
    from ..files import written_atomically
    from ..generation.prompting import END_TOKENS, end_of

    random.Random(settings["seed"]).shuffle(documents)
    plain = load_tokenizer(tokenizer) if tokenizer else \
        learned(documents, model, vocab_size, settings["segment"])
    tok, end = wrapped(plain, settings["segment"]), end_of(plain)
    if end is None or (titled and plain.token_to_id(SEP) is None):
        raise ValueError(f"the tokenizer needs the special tokens {' or '.join(END_TOKENS)}"
                         + (f" and {SEP} (or give --no-titles)" if titled else ""))
    place.save_tokenizer(plain)
    data = TokenDataset.build(place.tokens, documents, Titled(tok) if titled else tok, end,
                              progress=watched())
    windows = DataLoader(data, 1, settings["window"], settings["stride"], windows="sliding",
                         shortest=settings["shortest"], drop_last=False)
    settings = {**settings, "titled": titled}
    counts = count(documents, data, windows, tok)
    with written_atomically(place.prepared_file) as file:
        file.write((json.dumps({**settings, "counts": counts}, indent=1) + "\n").encode())
    with written_atomically(place.folder / "preprocess.log") as file:
        file.write("".join(line + "\n" for line in per_document(documents, data)).encode())
    return summarized(counts, settings)


def learned(documents: list[str], model: str, vocab_size: int, segment: bool) -> Any:
    """A tokenizer trained on the documents, line by line."""
    from tqdm import tqdm

    from .. import chinese
    from ..tokenizers import Tokenizer

    lines = (line for text in tqdm(documents, "read", unit=" documents", disable=not watched())
             for part in text.split(SEP, 1) for line in part.splitlines(keepends=True))
    if segment:
        lines = (chinese.to_cpm(line, chinese.cut) for line in lines)
    limit = {"hard_vocab_limit": False} if model == "sentencepiece" else {}  # small texts: fewer
    return Tokenizer.train(list(lines), model=model, special_tokens=SPECIALS,
                           vocab_size=vocab_size, **limit)


def count(documents: list[str], data: Any, windows: Any, tok: Any) -> dict[str, Any]:
    """What the summary says, as numbers."""
    unknown = tok.token_to_id("<unk>")
    lengths = windows.lengths
    texts = [text.replace(SEP, "", 1) for text in documents]  # which nobody wrote
    return {"documents": len(documents), "characters": sum(map(len, texts)),
            "bytes": sum(len(text.encode()) for text in texts), "tokens": len(data),
            "unknown": 0 if unknown is None else int((data.ids == unknown).sum()),
            "entries": tok.vocab_size, "windows": len(lengths),
            "short": int((lengths < windows.context).sum()), "dropped": windows.dropped}


def summarized(counts: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """The table at the end."""
    c = counts
    rows = [("documents", f"{c['documents']:,}"), ("characters", f"{c['characters']:,}"),
            ("vocabulary", f"{c['entries']:,} entries"),
            ("tokens", f"{c['tokens']:,}, {c['bytes'] / c['tokens']:.2f} bytes each, "
                       f"{c['unknown'] / c['tokens']:.2%} of them unknown"),
            ("windows", f"{c['windows']:,} of {settings['window']} tokens, every "
                        f"{settings['stride']}; {c['short']:,} of them shorter, padded"),
            ("dropped", f"{c['dropped']:,} tokens, of last windows with fewer than "
                        f"{settings['shortest']}")]
    return [f"{name:<12}{value}" for name, value in rows]


def per_document(documents: list[str], data: Any) -> list[str]:
    """A line for each: its number of characters and of tokens, and how it begins."""
    bounds = data.document_bounds
    return [f"{len(text):>9,} characters {bounds[i + 1] - bounds[i]:>9,} tokens  "
            f"{text[:40]!r}" for i, text in enumerate(documents)]
