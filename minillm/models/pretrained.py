"""Models that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .checkpoints import load_model
from .gpt import GPT

if TYPE_CHECKING:
    from ..tokenizers import Tokenizer

END = "<|endoftext|>"
STORYTELLER = Path(__file__).with_name("storyteller.npz")


def storyteller() -> tuple[GPT, Tokenizer]:
    """The trained storyteller and its tokenizer; ``python -m minillm.storyteller`` made them.

    It tells the stories of ``minillm.data.stories`` (English, size "small"). Every story follows
    the end token, and ends with one:

        model, tokenizer = storyteller()
        end = tokenizer.token_to_id("<|endoftext|>")
        ids = model.generate([end], 175, stop=[end])
        print(tokenizer.decode(ids[1:]))
    """
    from ..tokenizers import Tokenizer

    return load_model(STORYTELLER), Tokenizer.load(STORYTELLER.with_suffix(".json"))
