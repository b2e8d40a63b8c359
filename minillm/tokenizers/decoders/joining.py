"""Decoders that put tokens together: as they are, words, ## pieces, pieces with ▁."""

from dataclasses import dataclass

from .streaming import OneByOne, Step


@dataclass(frozen=True)
class Join(OneByOne):
    """Decode by putting the tokens one after another."""

    joins = True

    def push(self, state: None, token: bytes) -> Step:
        return state, [token]

    def steps(self, tokens: list[bytes]) -> list[bytes]:
        return [self(tokens)]

    def __call__(self, tokens: list[bytes]) -> bytes:
        return b"".join(tokens)


@dataclass(frozen=True)
class JoinWords(OneByOne):
    """Decode tokens of words: the suffix that ends a word becomes a space, except at the end."""

    suffix: str = "</w>"

    def start(self) -> bytes:
        return b""

    def push(self, held: bytes, token: bytes) -> Step:
        """Held is a token with a suffix: is it the last one?"""
        suffix = self.suffix.encode()
        before = [held.replace(suffix, b" ")] if held else []
        return (token, before) if suffix in token else (b"", [*before, token])

    def finish(self, held: bytes) -> list[bytes]:
        return [held.replace(self.suffix.encode(), b"")] if held else []

    def __call__(self, tokens: list[bytes]) -> bytes:
        """The same, faster, where all tokens are there."""
        suffix = self.suffix.encode()
        words = [token.replace(suffix, b" ") for token in tokens[:-1]]
        return b"".join(words + [token.replace(suffix, b"") for token in tokens[-1:]])


@dataclass(frozen=True)
class JoinWordPieces(OneByOne):
    """Decode: a space before each token, but none before one that continues a word.

    With `cleanup` the space before marks and contractions is taken out, as BERT's decoder does.
    """

    prefix: str = "##"
    cleanup: bool = True

    def start(self) -> bool:
        """Is the next token the first?"""
        return True

    def push(self, first: bool, token: bytes) -> Step:
        if not first:
            mark = self.prefix.encode()
            token = token[len(mark) :] if token.startswith(mark) else b" " + token
        return False, [tidy(token) if self.cleanup else token]

    def __call__(self, tokens: list[bytes]) -> bytes:
        """The same, faster, where all tokens are there."""
        mark = self.prefix.encode()
        parts = [
            token if k == 0 else token[len(mark) :] if token.startswith(mark) else b" " + token
            for k, token in enumerate(tokens)
        ]
        return b"".join([tidy(part) if self.cleanup else part for part in parts])


def tidy(text: bytes) -> bytes:
    """One token without the space that English does not write before marks and contractions."""
    for mark in (b".", b"?", b"!", b","):
        text = text.replace(b" " + mark, mark)
    text = text.replace(b" ' ", b"'").replace(b" n't", b"n't").replace(b" 'm", b"'m")
    text = text.replace(b" do not", b" don't")
    for ending in (b"'s", b"'ve", b"'re"):
        text = text.replace(b" " + ending, ending)
    return text


@dataclass(frozen=True)
class JoinMarked(OneByOne):
    """Decode: marks become spaces; the first token loses its marks unless the scheme is never."""

    mark: str = "\u2581"
    scheme: str = "always"

    def start(self) -> bool:
        """Will the marks of the next token be dropped?"""
        return self.scheme != "never"

    def push(self, first: bool, token: bytes) -> Step:
        return False, [token.replace(self.mark.encode(), b"" if first else b" ")]

    def __call__(self, tokens: list[bytes]) -> bytes:
        """The same, faster, where all tokens are there."""
        mark, first = self.mark.encode(), b"" if self.start() else b" "
        return b"".join(
            [token.replace(mark, b" " if k else first) for k, token in enumerate(tokens)]
        )
