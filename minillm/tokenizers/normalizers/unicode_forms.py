"""Unicode's four normalization forms, with the way back to the original text."""

import unicodedata
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from ..text.character_kinds import differences
from .alignment import Aligned, identity
from .stretches import aligned, code_points, remembered, rewritten

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
CHANGED, TOUCHING, FROZEN = 1, 2, 3
LAST = 0x32400  # no code point from here on has another form, or touches the one before


@dataclass(frozen=True)
class UnicodeForm:
    """Unicode normalization: NFC, NFD, NFKC or NFKD, as of Unicode 12 (Hugging Face's tables)."""

    form: str

    def __call__(self, text: str) -> str:
        if text.isascii() or unicodedata.is_normalized(self.form, text):  # type: ignore[arg-type]
            return text
        return rewritten(text, self.changing(text), partial(unicodedata.normalize, self.form))  # type: ignore

    def aligned(self, text: str) -> Aligned:
        if text.isascii() or unicodedata.is_normalized(self.form, text):  # type: ignore[arg-type]
            return text, identity(text)
        return aligned(text, self.changing(text), partial(aligned_stretch, self.form))

    def changing(self, text: str) -> np.ndarray:
        """Which characters may change (n,): the stretches that do not depend on others."""
        kinds = kinds_of(self.form)[np.minimum(code_points(text), LAST)]
        inside = (kinds == CHANGED) | (kinds == TOUCHING)
        inside[:-1] |= (kinds[1:] == TOUCHING) & (kinds[:-1] != FROZEN)
        return inside


@remembered
def aligned_stretch(form: str, text: str) -> Aligned:
    """The definition: each step of the standard, character after character."""
    changes = decompositions(text, "K" in form)
    if form.endswith("C"):
        changes = composed(changes)
    sources = np.array(places(changes), np.int64).reshape(-1, 1)
    return "".join(character for character, _ in changes), sources + np.arange(2)


@cache
def kinds_of(form: str) -> np.ndarray:
    """(LAST + 1,) uint8: what a form does to each code point; 0 for what stays, whatever is around.

    CHANGED: it has another form by itself. TOUCHING: it may be joined to the one before, or sorted
    with it. FROZEN: Python has a decomposition for it, Unicode 12 has not.
    """
    touching = {chr(code) for code in range(0x300, LAST) if unicodedata.combining(chr(code))}
    if form.endswith("C"):
        touching.update(map(chr, [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))  # Korean
        for character in changed_by("NFD"):
            parts = unicodedata.decomposition(character).split()
            touching.update(chr(int(part, 16)) for part in parts[1:] if "<" not in parts[0])
    changed = changed_by(form)
    touching |= {c for c in changed if unicodedata.normalize(form, c)[:1] in touching}  # type: ignore
    table = np.zeros(LAST + 1, np.uint8)
    for kind, members in (
        (CHANGED, changed), (TOUCHING, touching), (FROZEN, differences()[1])
    ):
        table[[*map(ord, members)]] = kind
    return table


def changed_by(form: str) -> list[str]:
    """The characters that by themselves have another form."""
    found = []
    for start in [*range(0x80, 0xD800, 64), *range(0xE000, LAST, 64)]:
        block = [chr(code) for code in range(start, start + 64)]
        if not unicodedata.is_normalized(form, "\n".join(block)):  # type: ignore[arg-type]
            found += [c for c in block if not unicodedata.is_normalized(form, c)]  # type: ignore
    return found


Placed = list[tuple[str, int]]  # characters, and the position in a text that each comes from


Changes = list[tuple[str, int]]  # characters, and by how much each makes the text longer


def decomposed(pairs: Placed) -> Placed:
    """Canonical decomposition (NFD) that keeps the positions."""
    text = "".join(character for character, _ in pairs)
    if unicodedata.is_normalized("NFD", text):
        return pairs
    changes = decompositions(text, False)
    return [(c, pairs[k][1]) for (c, _), k in zip(changes, places(changes))]


def places(changes: Changes) -> list[int]:
    """Which character of the old text each new one comes from, as Hugging Face's library counts.

    The new characters take the old ones one after another: 1 is put in and comes from the one
    before, 0 stands for the next one, -1 for the next two. Where marks change places, that is the
    place in which a mark now stands.
    """
    found, following = [], 0
    for _, change in changes:
        found.append(max(following - (change > 0), 0))
        following += max(1 - change, 0)
    return found


def decompositions(text: str, compatible: bool) -> Changes:
    """NFD, or NFKD if `compatible`: the first part of a character is it, the others are put in.

    Marks that follow one another are sorted by their class, as the standard wants it.
    """
    parts = [
        (part, int(n > 0)) for c in text
        for n, part in enumerate(c if c < "\x80" else parts_of(c, compatible))
    ]
    start = 0
    for end in range(1, len(parts) + 1):  # each run of marks is sorted by itself
        if end == len(parts) or order_of(parts[end]) == 0:
            if end - start > 1:
                parts[start:end] = sorted(parts[start:end], key=order_of)
            start = end
    return parts


def parts_of(character: str, compatible: bool) -> str:
    """Decomposition of one character."""
    if character in differences()[1]:
        return character
    return unicodedata.normalize("NFKD" if compatible else "NFD", character)


def order_of(pair: tuple[str, int]) -> int:
    """The combining class of a character: 0 for what is no mark."""
    return 0 if pair[0] in differences()[1] else unicodedata.combining(pair[0])


def composed(parts: Changes) -> Changes:
    """Canonical composition of decomposed text; two that become one make it shorter by one."""
    made: Changes = []
    starter, before = -1, 0
    for character, change in parts:
        order = order_of((character, change))
        touches = starter == len(made) - 1 or 0 < before < order
        if starter >= 0 and touches:
            joined = unicodedata.normalize("NFC", made[starter][0] + character)
            if len(joined) == 1 and character not in differences()[1]:
                made[starter] = (joined, made[starter][1] + change - 1)
                continue
        if order == 0:
            starter = len(made)
        before = order
        made.append((character, change))
    return made
