"""Models that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .bert import BERT
from .checkpoints import load_model
from .gpt import GPT
from .seq2seq import Seq2Seq

if TYPE_CHECKING:
    from ..tokenizers import Tokenizer

STORYTELLER = Path(__file__).with_name("storyteller.npz")
STORYTELLERS = {"en": STORYTELLER, "zh": STORYTELLER.with_stem("storyteller_zh")}
TRANSLATOR = STORYTELLER.with_stem("translator")
FILLERS = {language: STORYTELLER.with_stem(f"filler_{language}") for language in ("en", "zh")}


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


def translator() -> tuple[Seq2Seq, Tokenizer, Tokenizer]:
    """A model that translates English sentences of ``minillm.data.tasks.translation`` to Chinese,
    and the tokenizers of source and target, whose tokens are words.

    ``python -m minillm.small_models`` made it. The target begins with <start>, ends with <end>:

        model, source, target = translator()
        ids = source.encode("my mother bought a book in Shanghai yesterday .")
        print(target.decode(model.generate(ids, 27, start=1, stop=[2])))
    """
    from ..tokenizers import Tokenizer

    return (load_model(TRANSLATOR), Tokenizer.load(TRANSLATOR.with_suffix(".json")),
            Tokenizer.load(target_of(TRANSLATOR)))


def target_of(file: Path) -> Path:
    """Where the tokenizer of the target stands."""
    return file.with_name(file.stem + "_target.json")


def gap_filler(language: str = "en") -> tuple[BERT, Tokenizer]:
    """A BERT that finds a hidden word of the sentences of ``minillm.data.tasks.cloze``, and its
    tokenizer, whose tokens are words; the hidden one is written [MASK].

    language: "en" or "zh". ``python -m minillm.small_models`` made both.
    """
    from ..tokenizers import Tokenizer

    if language not in FILLERS:
        raise ValueError(f"language={language!r} has no gap filler; use 'en' or 'zh'")
    return load_model(FILLERS[language]), Tokenizer.load(FILLERS[language].with_suffix(".json"))
