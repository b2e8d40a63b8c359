"""Decoding ids as they come, without ever showing half a character."""

import codecs
from collections.abc import Callable
from typing import Any

from .stages import Join

HALF = "\ufffd"


class StreamDecoder:
    """Turns ids into text one by one.

    A token may end in the middle of a character; those bytes wait until the character is whole.
    All pieces joined equal ``tok.decode`` of all ids.
    """

    def __init__(self, bytes_of: Callable[[int], bytes], decoder: Any = None):
        self._bytes_of = bytes_of
        self._joins = decoder is None or isinstance(decoder, Join)
        self._decoder = decoder
        self._incremental = codecs.getincrementaldecoder("utf-8")("replace")
        self._tokens: list[bytes] = []
        self._shown = 0  # characters

    def push(self, id: int) -> str:
        """The text that is complete now that `id` has come; often a word, sometimes empty."""
        if self._joins:
            return self._incremental.decode(self._bytes_of(id))
        self._tokens.append(self._bytes_of(id))  # other decoders look at tokens side by side
        text = self._text()
        return "" if text.endswith(HALF) else self._show(text)

    def finish(self) -> str:
        """What is left: U+FFFD if the last character never became whole, else an empty text."""
        if self._joins:
            return self._incremental.decode(b"", final=True)
        return self._show(self._text())

    def _text(self) -> str:
        return self._decoder(self._tokens).decode("utf-8", "replace")

    def _show(self, text: str) -> str:
        new, self._shown = text[self._shown :], max(self._shown, len(text))
        return new
