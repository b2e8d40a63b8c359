"""Decoders that rewrite a list of tokens, and several in turn, as tokenizer.json knows them."""

import re
from dataclasses import dataclass
from typing import Any

from .normalizing import Replace

BYTE = re.compile(rb"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True)
class JoinSpaced:
    """Tokens with spaces between them: what a tokenizer.json without a decoder asks for."""

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b" ".join(tokens)


@dataclass(frozen=True)
class ByteTokens:
    """Tokens such as ``<0xE4>`` become bytes; in a run that is not UTF-8, each is U+FFFD."""

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        made: list[bytes] = []
        run = bytearray()
        for token in [*tokens, b""]:
            byte = BYTE.fullmatch(token)
            if byte:
                run.append(int(byte[1], 16))
                continue
            if run:
                made += whole_or_replaced(bytes(run))
                run.clear()
            made.append(token)
        return made[:-1]

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(self.steps(tokens))


def whole_or_replaced(run: bytes) -> list[bytes]:
    try:
        run.decode()
    except UnicodeDecodeError:
        return ["\ufffd".encode()] * len(run)
    return [run]


@dataclass(frozen=True)
class ReplaceIn:
    """A Replace in every token."""

    rule: Replace

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        return [self.rule(token.decode("utf-8", "replace")).encode() for token in tokens]

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(self.steps(tokens))


@dataclass(frozen=True)
class StripFrom:
    """Up to `start` times `content` off the beginning of each token, up to `stop` off its end."""

    content: str
    start: int
    stop: int

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        made, mark = [], self.content.encode()
        for token in tokens:
            for _ in range(self.start):
                token = token.removeprefix(mark)
            for _ in range(self.stop):
                token = token.removesuffix(mark)
            made.append(token)
        return made

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(self.steps(tokens))


@dataclass(frozen=True)
class DecodeInTurn:
    """Several decoders. One that joins tokens (Fuse and most others) leaves a single token."""

    decoders: tuple[Any, ...]

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        for decoder in self.decoders:
            tokens = decoder.steps(tokens) if hasattr(decoder, "steps") else [decoder(tokens)]
        return tokens

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(self.steps(tokens))
