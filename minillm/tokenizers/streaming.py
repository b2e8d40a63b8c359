"""Decoding ids as they come, without ever showing half a character."""

import codecs
from collections.abc import Callable


class StreamDecoder:
    """Turns ids into text one by one.

    A token may end in the middle of a character; those bytes wait until the character is whole.
    All pieces joined equal ``tok.decode`` of all ids, for decoders that join tokens.
    """

    def __init__(self, bytes_of: Callable[[int], bytes]):
        self._bytes_of = bytes_of
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, id: int) -> str:
        """The text that is complete now that `id` has come; often a word, sometimes empty."""
        return self._decoder.decode(self._bytes_of(id))

    def finish(self) -> str:
        """What is left: U+FFFD if the last character never became whole, else an empty text."""
        return self._decoder.decode(b"", final=True)
