"""Decoding ids as they come, without ever showing half a character.

A decoder that can work token by token says so with three methods: ``start()`` gives its state,
``push(state, token)`` the next state and the tokens that are decided now, ``finish(state)`` the
tokens that were still waiting. States are never changed in place, so that a copied stream goes its
own way. Each keeps only what is undecided, and a push takes constant time on average.
"""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Step = tuple[Any, list[bytes]]


class OneByOne:
    """A decoder that works token by token, which makes it one of whole lists as well.

    joins: does it leave a single token, of which ``push`` gives parts?
    """

    joins = False

    def start(self) -> Any:
        """The state before the first token."""
        return None

    def push(self, state: Any, token: bytes) -> Step:
        """The state after the token, and the tokens that are decided now."""
        raise TypeError(f"{type(self).__name__} has no push(state, token)")

    def finish(self, state: Any) -> list[bytes]:
        """The tokens that were still waiting."""
        return []

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        """The tokens that a decoder after this one gets."""
        made, state = [], self.start()
        for token in tokens:
            state, decided = self.push(state, token)
            made += decided
        made += self.finish(state)
        return [b"".join(made)] if self.joins else made

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(self.steps(tokens))


def cells_to_list(cells: Any) -> list[Any]:
    """The values of linked cells ``(cells before, value)``, the first one first."""
    values = []
    while cells is not None:
        cells, value = cells
        values.append(value)
    return values[::-1]


class WaitForAll(OneByOne):
    """Any decoder as one that decides nothing before all tokens are there."""

    def __init__(self, decoder: Callable[[list[bytes]], bytes]):
        self.decoder = decoder

    def push(self, cells: Any, token: bytes) -> Step:
        return (cells, token), []

    def finish(self, cells: Any) -> list[bytes]:
        return [self.decoder(cells_to_list(cells))]


class StreamDecoder:
    """Turns ids into text one by one.

    A token may end in the middle of a character, or its text may depend on the next token; that
    waits until it is decided. All pieces joined equal ``tok.decode`` of all ids. A copy
    (``copy.copy``) continues from the same place by itself. A decoder of one's own without the
    methods named in ``streaming`` gives all its text at the end.
    """

    def __init__(self, bytes_of: Callable[[int], bytes], decoder: Any):
        self._bytes_of = bytes_of
        self._decoder = decoder if hasattr(decoder, "push") else WaitForAll(decoder)
        self._state = self._decoder.start()
        self._half = b""  # a character of which bytes are missing

    def push(self, id: int) -> str:
        """The text that is complete now that `id` has come; often a word, sometimes empty."""
        self._state, tokens = self._decoder.push(self._state, self._bytes_of(id))
        return self._text(tokens, False)

    def finish(self) -> str:
        """What is left; U+FFFD for a character that never became whole."""
        tokens, self._state = self._decoder.finish(self._state), self._decoder.start()
        return self._text(tokens, True)

    def _text(self, tokens: list[bytes], final: bool) -> str:
        data = self._half + b"".join(tokens)
        text, used = codecs.utf_8_decode(data, "replace", final)
        self._half = data[used:]
        return text

    def __copy__(self) -> "StreamDecoder":
        other = object.__new__(StreamDecoder)
        other.__dict__.update(self.__dict__)
        return other

    def __deepcopy__(self, memo: Any) -> "StreamDecoder":
        return self.__copy__()  # states are never changed in place, the tokenizer is shared


@dataclass(frozen=True)
class KeepValid(OneByOne):
    """Decode by joining the tokens and leaving out what is no character: ``recover``, but fast."""

    joins = True

    def start(self) -> bytes:
        """Bytes of a character of which some are missing."""
        return b""

    def push(self, half: bytes, token: bytes) -> Step:
        data = half + token
        text, used = codecs.utf_8_decode(data, "ignore", False)
        return data[used:], [text.encode()]

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(tokens).decode("utf-8", "ignore").encode()
