"""A run: the folder in which a model is trained, and everything that is in it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

END = "<|endoftext|>"


class Run:
    """The files of one training run."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.checkpoint = self.folder / "checkpoint.npz"
        self.tokenizer_file = self.folder / "tokenizer.json"
        self.tokens = self.folder / "tokens.bin"

    def check_free(self) -> None:
        """Refuse to write over a model that somebody has trained."""
        if self.checkpoint.exists():
            raise ValueError(f"{self.folder} holds a trained model; go on with --resume, or take "
                             "another folder")

    def check_sizes(self, settings: dict[str, Any]) -> None:
        """Refuse sizes that do not go together, before the text is read."""
        config(settings, settings["vocab_size"])
        if settings["warmup"] >= settings["steps"]:
            settings["warmup"] = settings["steps"] // 10

    def prepare(self, texts: Iterator[str], tokenizer: str | None, settings: dict[str, Any],
                progress: bool) -> None:
        """Train or copy the tokenizer, and store the text as token ids."""
        import random

        from ..data import TokenDataset
        from ..files import written_atomically
        from ..tokenizers import Tokenizer

        documents = list(texts)
        random.Random(settings["seed"]).shuffle(documents)  # the last ones are held back
        self.folder.mkdir(parents=True, exist_ok=True)
        if tokenizer is None:
            tok = Tokenizer.train(documents, model="byte_bpe", special_tokens=[END],
                                  vocab_size=settings["vocab_size"])
        else:
            tok = load_tokenizer(Path(tokenizer))
        settings["vocab_size"] = tok.vocab_size
        end = END if tok.token_to_id(END) is not None else None
        if end is None and settings["windows"] != "stream":
            raise ValueError(f"windows={settings['windows']} need a tokenizer with the special "
                             f"token {END}")
        tok.save(self.tokenizer_file)
        TokenDataset.build(self.tokens, documents, tok, end, progress=progress)
        (self.folder / "log.csv").unlink(missing_ok=True)
        with written_atomically(self.folder / "settings.json") as file:
            file.write((json.dumps(settings, indent=1) + "\n").encode())

    def settings(self) -> dict[str, Any]:
        """The settings with which the run began."""
        path = self.folder / "settings.json"
        if not path.exists() or not self.checkpoint.exists():
            raise FileNotFoundError(f"{self.folder} holds no run to resume (settings.json and "
                                    "checkpoint.npz)")
        try:
            found = json.loads(path.read_text("utf-8"))
            config(found, found["vocab_size"])
            for name in ("batch_size", "accumulate", "lr", "warmup", "weight_decay", "validation",
                         "seed", "windows", "steps"):
                found[name]
        except (ValueError, KeyError, TypeError) as problem:
            raise ValueError(f"{path} is damaged: {problem}") from problem
        return found

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

    def trainer(self, settings: dict[str, Any], evaluate_every: int, checkpoint_every: int,
                print_every: int, progress: bool) -> Any:
        """A trainer over the run's tokens."""
        from ..data import DataLoader
        from ..models import GPT
        from ..training import AdamW, cores, cosine

        train, held = self.parts(settings)
        context, batch, windows = (settings[k] for k in ("context", "batch_size", "windows"))
        try:
            loader = DataLoader(train, batch, context, windows=windows, seed=settings["seed"])
        except ValueError as problem:
            raise ValueError(f"the text has {len(train):,} tokens to train on, too few for "
                             f"--batch-size {batch} and --context {context}; make them smaller, "
                             "or give more text") from problem

        def validation() -> Any:
            return DataLoader(held, batch, context, windows=windows, shuffle=False,
                              drop_last=False)

        if held is not None:
            try:
                validation()
            except ValueError as problem:
                raise ValueError(f"the part held back has {len(held):,} tokens, fewer than a "
                                 "window; use a smaller --context, more text, a greater "
                                 "--validation, or 0 for none") from problem
        model = GPT(config(settings, settings["vocab_size"]), seed=settings["seed"])
        optimizer = AdamW(model, settings["lr"], weight_decay=settings["weight_decay"])
        schedule = cosine(settings["lr"], min(settings["warmup"], settings["steps"] - 1),
                          settings["steps"], settings["lr"] / 10)
        return interruptible()(
            model, optimizer, loader, schedule=schedule, accumulate=settings["accumulate"],
            workers=min(cores(), batch), evaluate_every=evaluate_every,
            validation=validation if held is not None else None,
            checkpoint=self.checkpoint, checkpoint_every=checkpoint_every,
            log=self.folder / "log.csv", print_every=print_every, progress=progress)


def interruptible() -> Any:
    """The class of trainers that Ctrl-C stops between two steps, or in a validation."""
    from ..training import Trainer

    class Stopped(Exception):
        """Raised when a signal has come, after a whole step."""

    class Interruptible(Trainer):
        asked_to_stop = False

        def __init__(self, *arguments: Any, validation: Any, **options: Any) -> None:
            def until_stopped() -> Iterator[Any]:
                for batch in validation():
                    if self.asked_to_stop:  # the step before it is whole, and its row is logged
                        raise Stopped
                    yield batch

            super().__init__(*arguments, validation=validation and until_stopped, **options)

        def train_step(self) -> dict[str, Any]:
            row = super().train_step()
            if self.asked_to_stop:
                raise Stopped
            return row

        def fit_until_stopped(self, steps: int) -> bool:
            """Train; on Ctrl-C or SIGTERM save after the step. False if it was stopped.

            A validation that has begun is given up: it changes nothing that a resumed run needs.
            """
            def ask(*_: Any) -> None:
                self.asked_to_stop = True

            before = {kind: signal.signal(kind, ask) for kind in (signal.SIGINT, signal.SIGTERM)}
            try:
                self.fit(steps)
            except Stopped:
                self.save(self.checkpoint)
                return False
            finally:
                for kind, handler in before.items():
                    signal.signal(kind, handler)
            return True

    return Interruptible


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
    file = path / "checkpoint.npz" if path.is_dir() else path
    model = load_model(file)
    tok = load_tokenizer(Path(tokenizer) if tokenizer else file.parent / "tokenizer.json")
    if tok.vocab_size != model.config.vocab_size:
        raise ValueError(f"the model knows {model.config.vocab_size} tokens, the tokenizer "
                         f"{tok.vocab_size}; give the one it was trained with (--tokenizer)")
    return model, tok


def load_tokenizer(path: Path) -> Any:
    """The tokenizer in a file that must exist."""
    from ..tokenizers import Tokenizer

    if not path.exists():
        raise FileNotFoundError(f"there is no tokenizer {path}")
    return Tokenizer.load(path)
