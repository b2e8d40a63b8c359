"""Make sentencepiece_offsets.json: where SentencePiece 0.2.3 says that its pieces come from.

Run ``python tests/golden/make_sentencepiece_offsets.py``. Each entry holds a model file in base64,
and for each text the ids and the spans of characters.
"""

import base64
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sentencepiece

CORPUS = ["the cat sat on the mat", "hello world again", "中文 文字 字", "Ａ１ ﬁ ㍿ café"] * 9
OPTIONS: list[dict[str, Any]] = [
    {}, {"remove_extra_whitespaces": False}, {"treat_whitespace_as_suffix": True},
    {"add_dummy_prefix": False}, {"user_defined_symbols": ["<s2>", "the"]},
]
TEXTS = ["  a   the ", "㍿ ﬁ㍿", "é 🙂x", "x \u3000 y\u3000", "\u200b", " ", "", "the<s2>the",
         "\tb\n", "a\u0301 ｶﾞ", "中🙂🙂文 Ａ", "▁ a▁"]


def models() -> Iterator[tuple[bytes, Any]]:
    """Model files of every kind, and the library's processor for each."""
    kinds = [("unigram", True), ("unigram", False), ("bpe", True), ("char", False), ("word", False)]
    for (kind, fallback), rules, options in itertools.product(
        kinds, ["nmt_nfkc", "identity"], OPTIONS
    ):
        file = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS), model_writer=file, model_type=kind,
            vocab_size=310 if fallback else 50, byte_fallback=fallback, minloglevel=2,
            normalization_rule_name=rules, hard_vocab_limit=False, **options)
        data = file.getvalue()
        yield data, sentencepiece.SentencePieceProcessor(model_proto=data)


def answer(processor: Any, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    found = processor.encode(text, return_type="offset_mapping")
    return found["ids"], found["offsets"]


if __name__ == "__main__":
    entries = [
        {"model": base64.b64encode(data).decode(),
         "rows": [[text, *answer(processor, text)] for text in TEXTS]}
        for data, processor in models()
    ]
    small = [entry for entry in entries if len(entry["model"]) < 20_000]  # without a table of rules
    path = Path(__file__).with_name("sentencepiece_offsets.json")
    path.write_text(json.dumps(small, separators=(",", ":")) + "\n", "ascii")
