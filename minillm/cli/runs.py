"""A run: the folder in which a model is trained, and everything that is in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..token_names import END

try:
    import fcntl
except ImportError:  # Windows, where two processes in one folder are not noticed
    fcntl = None  # type: ignore[assignment]


class Run:
    """The files of one training run."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.checkpoint = self.folder / "checkpoint.npz"
        self.settings_file = self.folder / "settings.json"
        self.prepared_file = self.folder / "prepared.json"
        self.tokens = self.folder / "tokens.bin"
        self.log, self.curve = self.folder / "log.csv", self.folder / "loss.png"

    @property
    def tokenizer_file(self) -> Path:
        """A tokenizer.json, or a .model where the tokenizer has a format of its own."""
        own = self.folder / "tokenizer.model"
        return own if own.exists() else self.folder / "tokenizer.json"

    def save_tokenizer(self, tok: Any) -> None:
        """Write it under the name that says what it is."""
        for name in ("tokenizer.json", "tokenizer.model"):
            (self.folder / name).unlink(missing_ok=True)
        file = self.folder / "tokenizer.json"
        tok.save(file)
        if not file.read_bytes()[:64].lstrip().startswith(b"{"):
            file.rename(self.folder / "tokenizer.model")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Refuse to work in this folder while another process does."""
        handle = os.open(self.folder, os.O_RDONLY) if fcntl else -1
        try:
            if fcntl:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise ValueError(f"another process is at work in {self.folder}; wait until it "
                                     "has ended, or take another folder") from None
            yield
        finally:
            if handle >= 0:
                os.close(handle)

    def check_free(self) -> None:
        """Refuse to write over a model that somebody has trained."""
        if self.checkpoint.exists():
            raise ValueError(f"{self.folder} holds a trained model; go on with --resume, or take "
                             "another folder")

    def check_sizes(self, settings: dict[str, Any]) -> None:
        """Refuse sizes that do not go together, before the text is read."""
        config(settings, settings["vocab_size"])

    def prepared(self) -> dict[str, Any]:
        """What preprocess has made here: the settings of its windows."""
        return read_settings(self.prepared_file, ("window", "stride", "shortest", "segment"))

    def prepare(self, texts: Iterator[str], tokenizer: str | None, settings: dict[str, Any],
                progress: bool) -> None:
        """Train or copy the tokenizer, and store the text as token ids."""
        import random

        from ..data import TokenDataset
        from ..generation.prompting import end_of
        from ..tokenizers import Tokenizer

        documents = list(texts)
        random.Random(settings["seed"]).shuffle(documents)  # the last ones are held back
        if tokenizer is None:
            tok = Tokenizer.train(documents, model="byte_bpe", special_tokens=[END],
                                  vocab_size=settings["vocab_size"])
        else:
            tok = load_tokenizer(tokenizer)
        settings["vocab_size"] = tok.vocab_size
        end = end_of(tok)
        if end is None and settings["windows"] != "stream":
            raise ValueError(f"windows={settings['windows']} need a tokenizer with the special "
                             f"token {END}")
        self.save_tokenizer(tok)
        TokenDataset.build(self.tokens, documents, tok, end, progress=progress)

    def begin(self, settings: dict[str, Any]) -> None:
        """Write down with what the run begins."""
        from ..files import written_atomically

        self.log.unlink(missing_ok=True)
        with written_atomically(self.settings_file) as file:
            file.write((json.dumps(settings, indent=1) + "\n").encode())

    def settings(self) -> dict[str, Any]:
        """The settings with which the run began."""
        if not self.settings_file.exists() or not self.checkpoint.exists():
            raise FileNotFoundError(f"{self.folder} holds no run to resume (settings.json and "
                                    "checkpoint.npz)")
        found = read_settings(self.settings_file, (
            "vocab_size", "batch_size", "accumulate", "lr", "warmup", "weight_decay", "validation",
            "seed", "windows", "steps"))
        try:
            config(found, found["vocab_size"])
        except (ValueError, KeyError, TypeError) as problem:
            raise ValueError(f"{self.settings_file} is damaged: {problem}") from problem
        return found

    def tokenizer(self) -> Any:
        """The tokenizer of this run, for plain text."""
        segment = self.prepared_file.exists() and self.prepared()["segment"]
        return wrapped(load_tokenizer(self.tokenizer_file), segment)

    def parts(self, settings: dict[str, Any]) -> tuple[Any, Any]:
        """Training and validation tokens; cut between documents where there are several."""
        from ..data import TokenDataset

        data = TokenDataset.open(self.tokens)
        share = settings["validation"]
        if not share:
            return data, None
        try:
            return data.split(share)
        except ValueError:  # one document, or none in the smaller part
            cut = round(len(data) * (1 - share))
            return (TokenDataset(data.ids[:cut], data.vocab_size, data.end_token),
                    TokenDataset(data.ids[cut:], data.vocab_size, data.end_token))

    def loaders(self, settings: dict[str, Any]) -> tuple[Any, Any]:
        """The loader of training, and a function that makes that of the part held back, or None."""
        from ..data import DataLoader

        train, held = self.parts(settings)
        context, batch = settings["context"], settings["batch_size"]
        rows = {"windows": settings["windows"]}
        if rows["windows"] == "sliding":
            rows |= {"stride": settings["stride"], "shortest": settings["shortest"]}
        try:
            loader = DataLoader(train, batch, context, seed=settings["seed"], **rows)
        except ValueError as problem:
            raise ValueError(f"the text has {len(train):,} tokens to train on, too few for "
                             f"--batch-size {batch} and --context {context}; make them smaller, "
                             "or give more text") from problem
        if held is None:
            return loader, None

        def validation() -> Any:
            return DataLoader(held, batch, context, shuffle=False, drop_last=False, **rows)

        try:
            validation()
        except ValueError as problem:
            raise ValueError(f"the part held back has {len(held):,} tokens, fewer than a "
                             "window; use a smaller --context, more text, a greater "
                             "--validation, or 0 for none") from problem
        return loader, validation

    def trainer(self, settings: dict[str, Any], start: Any, loader: Any, validation: Any,
                **options: Any) -> Any:
        """A trainer with what ``loaders`` gives. start: a model to begin with, or None."""
        from ..models import GPT
        from ..training import AdamW, cores, cosine
        from .stopping import interruptible

        steps = settings["steps"]
        model = GPT(config(settings, settings["vocab_size"]), seed=settings["seed"])
        if start is not None:
            model.weights[:] = start.weights
        optimizer = AdamW(model, settings["lr"], weight_decay=settings["weight_decay"])
        warmup = settings["warmup"] if settings["warmup"] < steps else steps // 10
        schedule = cosine(settings["lr"], min(warmup, steps - 1), steps, settings["lr"] / 10)
        return interruptible()(
            model, optimizer, loader, schedule=schedule, accumulate=settings["accumulate"],
            workers=min(cores(), settings["batch_size"]), validation=validation,
            checkpoint=self.checkpoint, log=self.log, accuracy=True, **options)


def config(settings: dict[str, Any], vocab_size: int) -> Any:
    """The sizes of the model."""
    from ..models import GPTConfig

    return GPTConfig(vocab_size, settings["context"], settings["layers"], settings["heads"],
                     settings["width"])


def open_model(place: str, tokenizer: str | None) -> tuple[Any, Any]:
    """(model, tokenizer) of a run, of a checkpoint file, or of the storyteller."""
    if place == "storyteller" and not os.path.exists(place):
        from ..models import storyteller

        return storyteller()
    from ..training import load_model

    path = Path(place)
    run = Run(str(path if path.is_dir() else path.parent))
    model = load_model(run.checkpoint if path.is_dir() else path)
    tok = load_tokenizer(tokenizer) if tokenizer else run.tokenizer()
    if tok.vocab_size != model.config.vocab_size:
        raise ValueError(f"the model knows {model.config.vocab_size} tokens, the tokenizer "
                         f"{tok.vocab_size}; give the one it was trained with (--tokenizer)")
    return model, tok


def wrapped(tok: Any, segment: bool) -> Any:
    """The tokenizer for plain text, which cuts Chinese into words first where it learned so."""
    from .. import chinese

    return chinese.with_cpm(tok, chinese.cut) if segment else tok


def load_tokenizer(path: str | Path) -> Any:
    """The tokenizer in a file that must exist."""
    from ..tokenizers import Tokenizer

    if not Path(path).exists():
        raise FileNotFoundError(f"there is no tokenizer {path}")
    return Tokenizer.load(path)


def read_settings(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """A JSON file of settings, which must have these."""
    try:
        found = json.loads(path.read_text("utf-8"))
        for name in names:
            found[name]
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError) as problem:
        raise ValueError(f"{path} is damaged: {problem}") from problem
    return found
