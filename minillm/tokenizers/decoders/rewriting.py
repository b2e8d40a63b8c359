"""Decoders that rewrite a list of tokens, and several in turn, as tokenizer.json knows them."""

import codecs
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..normalizers.rewriting import Replace
from ..text.byte_alphabet import BYTE_OF_CHARACTER
from .joining import Join, tidy
from .streaming import OneByOne, Step, WaitForAll, cells_to_list

BYTE = re.compile(rb"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True)
class JoinSpaced(OneByOne):
    """Tokens with spaces between them: what a tokenizer.json without a decoder asks for."""

    def start(self) -> bool:
        """Is the next token the first?"""
        return True

    def push(self, first: bool, token: bytes) -> Step:
        return False, [token if first else b" " + token]


@dataclass(frozen=True)
class FromByteAlphabet(OneByOne):
    """Tokens in the byte alphabet (``Ġa``) become bytes; bytes that are not UTF-8 become U+FFFD.

    A token with a character outside the alphabet stands for its own UTF-8.
    """

    joins = True

    def start(self) -> bytes:
        """Bytes of a character of which some are missing."""
        return b""

    def push(self, half: bytes, token: bytes) -> Step:
        codes = [BYTE_OF_CHARACTER.get(character) for character in token.decode()]
        data = half + (token if None in codes else bytes(codes))  # type: ignore[arg-type]
        text, used = codecs.utf_8_decode(data, "replace", False)
        return data[used:], [text.encode()]

    def finish(self, half: bytes) -> list[bytes]:
        return [half.decode("utf-8", "replace").encode()]


@dataclass(frozen=True)
class ByteTokens(OneByOne):
    """Tokens such as ``<0xE4>`` become bytes; in a run that is not UTF-8, each is U+FFFD."""

    def push(self, run: Any, token: bytes) -> Step:
        """run: the bytes before, in linked cells; the next byte may yet spoil them all."""
        byte = BYTE.fullmatch(token)
        if byte:
            return (run, int(byte[1], 16)), []
        return None, [*self.finish(run), token]

    def finish(self, run: Any) -> list[bytes]:
        return whole_or_replaced(bytes(cells_to_list(run))) if run else []

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        """The same, faster, where all tokens are there: most of them are no bytes."""
        bytes_of = {token: int(found[1], 16) for token in set(tokens)
                    if (found := BYTE.fullmatch(token))}
        made: list[bytes] = []
        run: list[int] = []
        done = 0
        for k in [k for k, token in enumerate(tokens) if token in bytes_of] if bytes_of else []:
            if k > done:  # not the next one of the run
                made += [*(whole_or_replaced(bytes(run)) if run else []), *tokens[done:k]]
                run = []
            run.append(bytes_of[tokens[k]])
            done = k + 1
        return [*made, *(whole_or_replaced(bytes(run)) if run else []), *tokens[done:]]


def whole_or_replaced(run: bytes) -> list[bytes]:
    """The bytes as they are if they are UTF-8, otherwise U+FFFD for each."""
    try:
        run.decode()
    except UnicodeDecodeError:
        return ["\ufffd".encode()] * len(run)
    return [run]


@dataclass(frozen=True)
class ReplaceIn(OneByOne):
    """A Replace in every token."""

    rule: Replace

    def push(self, state: None, token: bytes) -> Step:
        return state, [self.rule(token.decode("utf-8", "replace")).encode()]

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        """The same, faster, where all tokens are there: each different one once."""
        for token in set(tokens).difference(self.known):
            self.known[token] = self.push(None, token)[1][0]
        return list(map(self.known.__getitem__, tokens))

    @cached_property
    def known(self) -> dict[bytes, bytes]:
        """What has become of tokens of the vocabulary."""
        return {}


@dataclass(frozen=True)
class StripFrom(OneByOne):
    """Up to `start` times `content` off the beginning of each token, up to `stop` off its end."""

    content: str
    start_count: int
    stop_count: int

    def push(self, state: None, token: bytes) -> Step:
        return state, [self.strip(token)]

    def strip(self, token: bytes) -> bytes:
        """The token without what is to be taken off."""
        mark = self.content.encode()
        for _ in range(self.start_count):
            token = token.removeprefix(mark)
        for _ in range(self.stop_count):
            token = token.removesuffix(mark)
        return token


@dataclass(frozen=True)
class StripWhole(OneByOne):
    """The same for a text that comes in parts: its beginning, and its end when all is there."""

    rule: StripFrom
    joins = True

    def start(self) -> tuple[int, bytes]:
        """(How often may `content` still be taken off the beginning? Bytes not yet decided.)"""
        return self.rule.start_count, b""

    def push(self, state: tuple[int, bytes], token: bytes) -> Step:
        left, held = state
        held, mark = held + token, self.rule.content.encode()
        while left and held.startswith(mark):
            left, held = left - 1, held.removeprefix(mark)
        if left and len(held) < len(mark):
            return (left, held), []
        safe = max(len(held) - len(mark) * self.rule.stop_count, 0)
        return (0, held[safe:]), [held[:safe]]

    def finish(self, state: tuple[int, bytes]) -> list[bytes]:
        held, mark = state[1], self.rule.content.encode()
        for _ in range(self.rule.stop_count):
            held = held.removesuffix(mark)
        return [held]


@dataclass(frozen=True)
class CTC(OneByOne):
    """Connectionist temporal classification (Graves et al. 2006): repeated tokens count once.

    The padding token is the blank. With `cleanup` the delimiter of words becomes a space, and
    the space before marks and contractions goes.
    """

    pad_token: str = "<pad>"
    word_delimiter_token: str = "|"
    cleanup: bool = True

    def push(self, before: bytes | None, token: bytes) -> Step:
        if token == before:
            return token, []
        text = token.replace(self.pad_token.encode(), b"")
        if self.cleanup:
            text = tidy(text).replace(self.word_delimiter_token.encode(), b" ")
        return token, [text] if text else []


@dataclass(frozen=True)
class DecodeInTurn(OneByOne):
    """Several decoders. One that joins tokens (Fuse, ByteLevel) leaves a single token."""

    decoders: tuple[Any, ...]

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        for decoder in self.decoders:
            tokens = decoder.steps(tokens) if hasattr(decoder, "steps") else [decoder(tokens)]
        return tokens

    @cached_property
    def chain(self) -> list[Any]:
        """The decoders as a stream runs them: what comes after a joining one gets parts."""
        plain = flat(self.decoders)
        made: list[Any] = []
        for k, decoder in enumerate(plain):
            if not hasattr(decoder, "push"):
                return [*made, WaitForAll(DecodeInTurn(plain[k:]))]
            if not any(before.joins for before in made):
                made.append(decoder)
            elif isinstance(decoder, StripFrom):
                made.append(StripWhole(decoder))
            elif not isinstance(decoder, Join):
                return [*made, WaitForAll(DecodeInTurn((Join(), *plain[k:])))]
        return made

    def start(self) -> tuple[Any, ...]:
        return tuple(decoder.start() for decoder in self.chain)

    def push(self, states: tuple[Any, ...], token: bytes) -> Step:
        return self.run(states, [token], False)

    def finish(self, states: tuple[Any, ...]) -> list[bytes]:
        return self.run(states, [], True)[1]

    def run(self, states: tuple[Any, ...], tokens: list[bytes], last: bool) -> Step:
        """The tokens through one decoder after another; with `last` each is finished too."""
        after = []
        for decoder, state in zip(self.chain, states):
            made: list[bytes] = []
            for token in tokens:
                state, decided = decoder.push(state, token)
                made += decided
            tokens = made + decoder.finish(state) if last else made
            after.append(state)
        return tuple(after), tokens


def flat(decoders: tuple[Any, ...]) -> tuple[Any, ...]:
    """The decoders with those of sequences among them in their place."""
    return tuple(
        plain for decoder in decoders
        for plain in (flat(decoder.decoders) if isinstance(decoder, DecodeInTurn) else [decoder])
    )
