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
STORYTELLERS = {"en": STORYTELLER, "zh": STORYTELLER.with_stem("storyteller_zh")}


def storyteller(language: str = "en") -> tuple[GPT, Tokenizer]:
    """The trained storyteller of a language and its tokenizer.

    language: "en" or "zh". ``python -m minillm.storyteller`` made both; each tells the small
    stories of ``minillm.data.stories`` in its language. Every story follows the end token, and
    ends with one:

        model, tokenizer = storyteller()
        end = tokenizer.token_to_id("<|endoftext|>")
        ids = model.generate([end], model.config.context - 1, stop=[end])
        print(tokenizer.decode(ids[1:]))
    """
    from ..tokenizers import Tokenizer

    if language not in STORYTELLERS:
        raise ValueError(f"language={language!r} has no storyteller; use 'en' or 'zh'")
    file = STORYTELLERS[language]
    return load_model(file), Tokenizer.load(file.with_suffix(".json"))
