"""What parsing a text tells: is it a story, and if not, where and why not."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from minillm.data.stories.reading import Entry

Bound = dict[str, Entry]  # slot -> the entry it stands for in this story
END = "<end of story>"


@dataclass(frozen=True)
class ParseResult:
    """What ``Grammar.parse`` found.

    ok: the text is a whole story. position: where the first wrong word (or slot value) begins;
    len(text) if nothing is wrong so far. agreed: number of characters that begin some story.
    expected: the words possible at ``position`` (``"<end of story>"`` for the end).
    bindings: slot -> value of the story; of a text that breaks off or goes wrong, the bindings
    of a derivation that got furthest. log_probability: nats, -inf if not ok.
    """

    ok: bool
    position: int
    expected: tuple[str, ...] = ()
    bindings: dict[str, str] = field(default_factory=dict)
    log_probability: float = -math.inf
    agreed: int = 0


class Misses:
    """The furthest position any derivation reached, and what it wanted to see there."""

    def __init__(self, text: str) -> None:
        self.text, self.agreed = text, -1
        self.wanted: list[tuple[int, str]] = []  # where the wanted string begins, the string
        self.bound: Bound = {}

    def note(self, at: int, string: str, bound: Bound, whole: bool) -> None:
        """``string`` was wanted at ``at``; ``whole`` slot values are reported uncut."""
        end = at
        if string != END:
            for mine, other in zip(string, self.text[at : at + len(string)]):
                if mine != other:
                    break
                end += 1
        if end < self.agreed:
            return
        if end > self.agreed:
            self.agreed, self.wanted, self.bound = end, [], bound
        if not whole:  # cut a literal to the one word around the miss
            cut = end - at
            word = re.match(r"[a-zA-Z']*", string[cut:])
            stop = cut + max(1, len(word[0]) if word else 0)
            while at < end and re.match(r"[a-zA-Z']", string[cut - 1]):
                cut -= 1
                end -= 1
            at, string = end, string[cut:stop]
        self.wanted.append((at, string))

    def result(self) -> ParseResult:
        begin = min(at for at, _ in self.wanted)
        expected = {self.text[begin:at] + string for at, string in self.wanted}
        names = {slot: next(iter(entry.values())) for slot, entry in self.bound.items()}
        if self.agreed == len(self.text):
            begin, expected = self.agreed, {s[self.agreed - at :] or s for at, s in self.wanted}
        return ParseResult(False, begin, tuple(sorted(expected)), names, agreed=self.agreed)
