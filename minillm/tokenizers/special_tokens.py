"""Special tokens: strings that text cannot contain by accident, each with one id of its own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .patterns.scanning import word_characters
from .patterns.writing import class_of
from .text.alternatives import Patterns, pattern_of, split_together
from .text.byte_alphabet import characters_to_bytes
from .text.character_kinds import WHITE_SPACE
from .text.segments import SURROGATE, Continued, Normalized, blocks_of

SPACES = re.compile(f"[{WHITE_SPACE}]*")
MOST_IDS = 1 << 24
MODES = ("raise", "allow", "text")
TOGETHER = 1 << 16  # characters of texts that are searched at once: they stay in the caches
Part = str | tuple[int, int, int]
Special = str | Mapping[str, str]  # one mode for all, or of each token; "raise" if not named


def check_special_tokens(tokens: list[str]) -> None:
    """Raise a ValueError for an empty, repeated or non-text special token."""
    seen = set()
    for token in tokens:
        if not isinstance(token, str) or not token:
            raise ValueError(f"special_tokens holds {token!r}; each must be a non-empty str")
        if SURROGATE.search(token):
            raise ValueError(f"special_tokens holds {token!r}, which has half a character")
        if token in seen:
            raise ValueError(f"special_tokens holds {token!r} twice; leave one of them out")
        seen.add(token)


def check_special_ids(ids: Mapping[str, int], vocabulary: list[bytes | None]) -> None:
    """Raise a ValueError for an id that cannot be, or that the model has for other bytes."""
    for token, id in ids.items():
        if isinstance(id, bool) or not isinstance(id, int | np.integer) or not 0 <= id < MOST_IDS:
            raise ValueError(f"special_tokens[{token!r}]={id!r:.40}; expected a whole number from "
                             f"0 to {MOST_IDS - 1}")
        known = vocabulary[id] if id < len(vocabulary) else None
        if known is not None and known != token.encode() and known != characters_to_bytes(token):
            raise ValueError(f"special_tokens[{token!r}]={id}, which is the id of {known!r:.60} in "
                             "the model; give it an id of its own")


@dataclass(frozen=True)
class TokenRule:
    """How a token is found in text, where that differs from the plain way.

    single_word: only where no word character touches it. lstrip, rstrip: it takes the white space
    to its left or right with it. ordinary: it is part of the language and found whatever
    ``special=`` says. normalized: its normalized form is looked for in normalized text.
    """

    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    ordinary: bool = False
    normalized: bool = False


@cache
def a_word_character() -> re.Pattern[str]:
    """Finds a word character, ``\\w`` of Rust's regular expressions."""
    return re.compile(class_of(word_characters("fancy", True), "regex"))


class Search:
    """Finds tokens in text. forms: what to look for, and the token that it stands for."""

    def __init__(self, forms: Mapping[str, str], rules: Mapping[str, TokenRule]) -> None:
        self.forms, self.rules = forms, rules
        self.free = frozenset(
            form for form, token in forms.items() if rules.get(token, TokenRule()).ordinary
        )
        self.named = frozenset(forms)
        self.simple = not any(
            rule.single_word or rule.lstrip or rule.rstrip
            for rule in (rules.get(token, TokenRule()) for token in forms)
        )

    @property
    def every(self) -> re.Pattern[str]:
        """What finds all of them."""
        return pattern_of(self.named)

    def patterns(self, special: Special) -> Patterns:
        """What finds the tokens that may be used, and those that may not stand in a text.

        None where there are none.
        """
        if special == "allow":
            usable, guarded = self.named, frozenset[str]()
        elif isinstance(special, str):
            usable = self.free
            guarded = self.named - self.free if special == "raise" else frozenset()
        else:
            modes = {form: special.get(token, "raise") for form, token in self.forms.items()}
            usable = self.free | {form for form, mode in modes.items() if mode == "allow"}
            guarded = frozenset(f for f, mode in modes.items() if mode == "raise") - self.free
        return pattern_of(usable) if usable else None, pattern_of(guarded) if guarded else None

    def __call__(self, text: str, special: Special) -> Iterator[tuple[str, int, int]]:
        """(token, start, end) of the tokens that may be used, from left to right."""
        usable, guarded = self.patterns(special)
        refuse(text, guarded)
        position = 0
        for match in usable.finditer(text) if usable else ():
            token, (start, end) = self.forms[match.group()], match.span()
            rule = self.rules.get(token, TokenRule())
            touched = text[max(start - 1, 0) : start] + text[end : end + 1]
            if rule.single_word and a_word_character().search(touched):
                continue
            if rule.lstrip:
                start = position + len(text[position:start].rstrip(WHITE_SPACE))
            if rule.rstrip:
                end = SPACES.match(text, end).end()  # type: ignore[union-attr]
            if start >= position:
                yield token, start, end
                position = end


class SpecialTokens:
    """Cuts a tokenizer's special tokens out of text, before and after it is normalized.

    Hugging Face's order: tokens that are looked for in raw text are cut out first; what remains is
    normalized, and the others' normalized forms are cut out of that. Of two tokens with the same
    normalized form the first is found (there, chance decides).
    """

    def __init__(
        self, ids: Mapping[str, int], rules: Mapping[str, TokenRule],
        normalizer: Callable[[str], str] | None,
    ) -> None:
        check_special_tokens(list(ids))
        self.ids = ids
        self.normalizer: Any = normalizer
        self.rules = rules
        late = [token for token in ids if rules.get(token, TokenRule()).normalized]
        self.raw = Search({token: token for token in ids.keys() - late}, rules)
        forms = {self.form(token): token for token in reversed(late)}
        self.late = Search({form: token for form, token in forms.items() if form}, rules)
        self.named = frozenset(ids)

    def form(self, token: str) -> str:
        """What is looked for in text, and what the token's id is decoded to."""
        late = self.normalizer is not None and self.rules.get(token, TokenRule()).normalized
        return self.normalizer(token) if late else token

    def check_mode(self, special: Special) -> None:
        """Raise a ValueError if that is no way to treat these special tokens."""
        if isinstance(special, str):
            if special not in MODES:
                raise ValueError(f"special={special!r}; use one of {', '.join(MODES)}")
            return
        if not isinstance(special, Mapping):
            raise TypeError(f"special={special!r:.60} is a {type(special).__name__}; expected one "
                            f"of {', '.join(MODES)}, or a map from tokens to these, such as "
                            "{'<|end|>': 'allow'}")
        for token, mode in special.items():
            if token not in self.ids:
                raise ValueError(f"special names {token!r}, which is no special token here; they "
                                 f"are {', '.join(map(repr, self.ids)) or 'none'}")
            if mode not in MODES:
                raise ValueError(f"special[{token!r}]={mode!r}; use one of {', '.join(MODES)}")

    def parts(self, text: str, special: Special) -> list[Part]:
        """The text between special tokens; of each special token its id and span in the text."""
        self.check_mode(special)
        check_text(text)
        if not self.suspicious(text):
            return [text]
        parts = self.between(text, 0, self.raw(text, special))
        if self.late.forms:
            parts = self.normalized(parts, special)
        return list(parts) or [text]

    def between(
        self, text: str, shift: int, found: Iterable[tuple[str, int, int]]
    ) -> Iterator[Part]:
        """The text between tokens that were found in it; it starts at ``shift`` of a longer one."""
        position = 0
        for token, start, end in [*found, ("", len(text), len(text))]:
            if start > position:
                part = text[position:start]
                yield part if position + shift == 0 else Continued(part)
            if token:
                yield self.ids[token], start + shift, end + shift
            position = end

    def normalized(self, parts: Iterable[Part], special: Special) -> Iterator[Part]:
        """The parts, with the tokens cut out that are looked for in normalized text."""
        end = 0
        for part in parts:
            if not isinstance(part, str):
                yield part
                end = part[2]
            elif self.normalizer is None:
                yield from self.between(part, end, self.late(part, special))
            elif self.late.every.search(self.normalizer(part)):
                normal, sources = self.normalizer.aligned(part)
                yield from self.between_normalized(normal, sources + end, special)
            else:
                yield part

    def between_normalized(
        self, text: str, sources: np.ndarray, special: Special
    ) -> Iterator[Part]:
        """Like ``between``, of normalized text; spans are those in the text it was made from."""
        position = 0
        for token, start, end in [*self.late(text, special), ("", len(text), len(text))]:
            if start > position:
                yield Normalized.of(text[position:start], sources[position:start])
            if token:
                yield self.ids[token], int(sources[start, 0]), int(sources[end - 1, 1])
            position = end

    def split_all(
        self, texts: list[str], special: Special, placed: bool
    ) -> tuple[list[str], list[str | None]] | None:
        """(what lies between the tokens, the tokens) of all texts, or None if it is not that
        simple: some token has a rule for its surroundings, is found in normalized text, or must
        not be there.

        placed: say of the parts behind a token that they are ``Continued``. A text with n tokens
        has n + 1 parts, some of them empty; None stands after the last one.
        """
        if self.normalizes_first:
            return None
        searches = [search.patterns(special) for search in (self.raw, self.late)]
        parts: list[str] = []
        tokens: list[str | None] = []
        for block in blocks_of(texts, TOGETHER) if any(map(any, searches)) else ():
            found = split_together(block, searches, placed)
            if found is None:
                return None
            parts += found[0]
            tokens += found[1]
        if not any(tokens):
            return texts, [None] * len(texts)
        return (parts, tokens) if self.raw.simple and self.late.simple else None

    def ids_of(self, tokens: list[str | None]) -> np.ndarray:
        """Their ids (n,), -1 for None."""
        return np.array([-1 if token is None else self.ids[token] for token in tokens], np.int32)

    def suspicious(self, text: str) -> bool:
        """May the text hold a special token?"""
        if self.normalizes_first:
            return True
        if len(self.ids) > 8:
            return pattern_of(self.named).search(text) is not None
        return any(token in text for token in self.ids)

    @property
    def normalizes_first(self) -> bool:
        """Does only normalized text tell whether there are tokens in it?"""
        return self.normalizer is not None and bool(self.late.forms)


def check_text(text: object) -> None:
    """Raise a TypeError for what is no text."""
    if not isinstance(text, str):
        raise TypeError(f"text={text!r:.60} is a {type(text).__name__}; expected str")


def check_each(texts: list[str]) -> list[str]:
    """The texts; a TypeError names what is none."""
    for text in texts if {*map(type, texts)} != {str} else ():
        check_text(text)
    return texts


def refuse(text: str, pattern: re.Pattern[str] | None) -> None:
    """Raise a ValueError if a special token stands in the text."""
    match = pattern.search(text) if pattern else None
    if match:
        raise ValueError(
            f"text has the special token {match.group()!r} at character {match.start()}; "
            "pass special='allow' to encode it as its id, or special='text' as ordinary text"
        )
