"""A grammar of children's stories: sample, parse, and the exact probability of a story.

A story is derived by a few kinds of choice, all of them uniform: a plot; for each step of the
plot one of its sentences (or none); for each slot, when it is first mentioned, one of the values
still free. A later mention of the slot repeats that value and costs nothing – this is what a
language model has to remember.

**Entropy.** The grammar is unambiguous: a story has one derivation (``ambiguities`` proves it), so
P(story) = P(derivation) and H(story) = H(derivation), which is a sum over choices:
H = Σ P(choice is reached) · log(number of options). ``entropy`` computes this sum exactly.

**Entropy per token.** Let stories stand one after the other, each ended by an end token, and let
a model see each story from its beginning. By the chain rule the expected loss of a whole story
(in nats, end token included) is at least H, with equality only for the true distribution. Hence
the mean loss per token over a long stream is at least H / E[tokens per story], where tokens
counts the end token. The bound is on the *stream's* mean, Σ loss / Σ tokens; single stories may
lie below. It needs a tokenizer that maps a story to one token sequence (encoding is a function,
decoding gives the text back). A window that begins in the middle of a story cannot know what was
bound before it, so its attainable loss is higher: by ``floor.carried_nats``, 8 to 14 nats for
each such window, measured against 36 to 50 nats for a whole story. To compare a loss with the
floor, let rows begin where documents begin (``DataLoader(…, windows="documents"|"packed")``).
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from importlib.resources import files

from minillm.data.stories.parsing import END, Bound, Misses, ParseResult
from minillm.data.stories.reading import Entry, Mention, Template, read_rules

State = tuple[tuple[str, ...], frozenset[str]]  # steps still to come, slots already bound
JOINER = {"en": " ", "zh": ""}


class Grammar:
    """The story grammar of a language ("en" or "zh") in one of two sizes ("small" or "full").

    Small has a few hundred words and can be learnt in minutes; full has the same kinds of story
    with many more words, sentences and plots. ``text`` replaces the stored grammar, which is the
    folder of the language: its lists, one file for each plot, and what several plots share, read
    in the order of their names.
    """

    def __init__(self, language: str = "en", size: str = "full", text: str | None = None) -> None:
        if language not in JOINER:
            raise ValueError(f"language={language!r} has no stories; use 'en' or 'zh'")
        if size not in ("small", "full"):
            raise ValueError(f"size={size!r} is not a grammar size; use 'small' or 'full'")
        if text is None:
            folder = files(__package__).joinpath(language)
            parts = {p.name: p for p in folder.iterdir() if p.name.endswith(".txt")}
            text = "\n".join(parts[name].read_text(encoding="utf-8") for name in sorted(parts))
        self.language, self.size, self.joiner = language, size, JOINER[language]
        rules = read_rules(text, size)
        self.lists, self.slots, self.steps = rules.lists, rules.slots, rules.steps
        self.plots = [tuple(steps) for steps in rules.plots.values()]
        self.plot_names = list(rules.plots)
        self.first_letter: dict[tuple[str, str], dict[str, list[Entry]]] = {}
        for source, options in self.lists.items():  # to find the values that a text may show
            for entry in options:
                for form, string in entry.items():
                    index = self.first_letter.setdefault((source, form), {})
                    index.setdefault(string[0], []).append(entry)
        self.siblings = {  # the slots that draw from the same list
            slot: frozenset(s for s in self.slots if self.slots[s] == source)
            for slot, source in self.slots.items()
        }

    def sample(self, seed: int | random.Random = 0) -> str:
        """One story. Only ``random.Random(seed).random()`` is drawn from, which Python promises
        to keep the same on every platform and version."""
        rng = seed if isinstance(seed, random.Random) else random.Random(seed)
        draw = rng.random
        lists, slots, steps = self.lists, self.slots, self.steps
        bound: Bound = {}
        sentences = []
        for step in self.plots[int(draw() * len(self.plots))]:
            alternatives = steps[step]
            pieces = alternatives[int(draw() * len(alternatives))]
            if not pieces:
                continue
            out = []
            for piece in pieces:
                if isinstance(piece, str):
                    out.append(piece)
                    continue
                slot, form = piece
                if slot not in bound:
                    options = lists[slots[slot]]
                    entry = options[int(draw() * len(options))]
                    while any(entry is other for other in bound.values()):
                        entry = options[int(draw() * len(options))]
                    bound[slot] = entry
                out.append(bound[slot][form])
            sentences.append("".join(out))
        return self.joiner.join(sentences)

    def corpus(self, n: int | None, seed: int = 0) -> Iterator[str]:
        """``n`` stories (endless if None) from one random stream; another seed, other stories."""
        if n is not None and n < 0:
            raise ValueError(f"n={n} stories cannot be drawn; use 0 or more, or None for no end")
        rng = random.Random(seed)
        count = 0
        while n is None or count < n:
            yield self.sample(rng)
            count += 1

    def options(self, slot: str, bound: frozenset[str]) -> int:
        """Number of values still free for ``slot`` when the slots ``bound`` are taken."""
        return len(self.lists[self.slots[slot]]) - len(self.siblings[slot] & bound)

    def derivations(self, text: str, misses: Misses | None = None) -> Iterator[tuple[Bound, float]]:
        """Every derivation of ``text``: its bindings and log probability. At most one exists."""
        start = -math.log(len(self.plots))
        stack: list[tuple[int, tuple[str, ...], Template, int, Bound, float]]
        stack = [(0, plot, (), 0, {}, start) for plot in reversed(self.plots)]
        while stack:
            at, steps, pieces, i, bound, logp = stack.pop()
            if i == len(pieces):
                if not steps:
                    if at == len(text):
                        yield bound, logp
                    elif misses is not None:
                        misses.note(at, END, bound, True)
                    continue
                alternatives = self.steps[steps[0]]
                logp -= math.log(len(alternatives))
                for choice in alternatives:
                    joined = (self.joiner, *choice) if choice and at and self.joiner else choice
                    stack.append((at, steps[1:], joined, 0, bound, logp))
                continue
            piece = pieces[i]
            if isinstance(piece, str) or piece[0] in bound:
                string = piece if isinstance(piece, str) else bound[piece[0]][piece[1]]
                if text.startswith(string, at):
                    stack.append((at + len(string), steps, pieces, i + 1, bound, logp))
                elif misses is not None:
                    misses.note(at, string, bound, not isinstance(piece, str))
                continue
            slot, form = piece
            source = self.slots[slot]
            seen = self.first_letter[source, form].get(text[at : at + 1], [])
            cost = math.log(self.options(slot, frozenset(bound)))
            for entry in seen if misses is None else self.lists[source]:
                string = entry[form]
                if any(entry is other for other in bound.values()):
                    continue
                if text.startswith(string, at):
                    next_bound = {**bound, slot: entry}
                    stack.append((at + len(string), steps, pieces, i + 1, next_bound, logp - cost))
                elif misses is not None:
                    misses.note(at, string, bound, True)

    def parse(self, text: str) -> ParseResult:
        """Is ``text`` a story? If not, where does it first leave the grammar?"""
        for bound, logp in self.derivations(text):
            names = {slot: next(iter(entry.values())) for slot, entry in bound.items()}
            return ParseResult(True, len(text), (END,), names, logp, len(text))
        misses = Misses(text)
        for _ in self.derivations(text, misses):
            pass
        return misses.result()

    def log_probability(self, text: str) -> float:
        """log P(text) in nats: the sum of its choices; -inf if ``text`` is not a story."""
        total = [logp for _, logp in self.derivations(text)]
        return max(total) + math.log(len(total)) if total else -math.inf

    @cached_property
    def visits(self) -> dict[State, float]:
        """P(a derivation passes through a state), for each state (steps to come, slots bound)."""
        reached: dict[State, float] = {}
        layer: dict[State, float] = {}
        for plot in self.plots:
            state = (plot, frozenset[str]())
            layer[state] = layer.get(state, 0.0) + 1 / len(self.plots)
        while layer:
            following: dict[State, float] = {}
            for (steps, bound), p in layer.items():
                reached[steps, bound] = reached.get((steps, bound), 0.0) + p
                for choice in self.steps[steps[0]] if steps else ():
                    state = (steps[1:], bound.union(mentions(choice)))
                    share = p / len(self.steps[steps[0]])
                    following[state] = following.get(state, 0.0) + share
            layer = following
        return reached

    def expect(self, cost: Callable[[Template, frozenset[str]], float]) -> float:
        """E[Σ over the steps of a story of cost(sentence chosen, slots bound before)], exactly."""
        total = 0.0
        for (steps, bound), p in self.visits.items():
            if steps:
                choices = self.steps[steps[0]]
                total += p * sum(cost(choice, bound) for choice in choices) / len(choices)
        return total

    def entropy(self) -> float:
        """H(story) in nats, exactly (see the top of this module)."""

        def binding(choice: Template, bound: frozenset[str]) -> float:
            nats = 0.0
            for slot in mentions(choice):
                if slot not in bound:
                    nats += math.log(self.options(slot, bound))
                    bound = bound | {slot}
            return nats

        which = sum(p * math.log(len(self.steps[s[0]])) for (s, _), p in self.visits.items() if s)
        return math.log(len(self.plots)) + which + self.expect(binding)

    def expected_characters(self) -> float:
        """E[len(story)]. Every slot's value is uniform over its list, so mean lengths add up."""

        def length(choice: Template, _: frozenset[str]) -> float:
            return sum(map(self.mean_length, choice)) + (len(self.joiner) if choice else 0)

        return self.expect(length) - len(self.joiner)

    def mean_length(self, piece: str | Mention) -> float:
        """Expected number of characters of a literal or a mention."""
        if isinstance(piece, str):
            return len(piece)
        options = self.lists[self.slots[piece[0]]]
        return sum(len(entry[piece[1]]) for entry in options) / len(options)

    def count(self) -> int:
        """The number of distinct stories."""

        @lru_cache(None)
        def below(steps: tuple[str, ...], bound: frozenset[str]) -> int:
            if not steps:
                return 1
            total = 0
            for choice in self.steps[steps[0]]:
                ways, now = 1, bound
                for slot in mentions(choice):
                    if slot not in now:
                        ways *= self.options(slot, now)
                        now = now | {slot}
                total += ways * below(steps[1:], now)
            return total

        return sum(below(plot, frozenset()) for plot in self.plots)

    def sentence_distribution(self) -> dict[int, float]:
        """P(a story has k sentences), for each possible k."""
        total: dict[int, float] = {}
        for plot in self.plots:
            chances = {0: 1 / len(self.plots)}
            for step in plot:
                some = sum(map(bool, self.steps[step])) / len(self.steps[step])
                longer: dict[int, float] = {}
                for k, p in chances.items():
                    for more, q in ((0, 1 - some), (1, some)):
                        if q:
                            longer[k + more] = longer.get(k + more, 0.0) + p * q
                chances = longer
            for k, p in chances.items():
                total[k] = total.get(k, 0.0) + p
        return dict(sorted(total.items()))

    def words(self) -> set[str]:
        """Every word (English) or character (Chinese) that stories use, as written."""
        used = {piece for step in self.steps.values() for choice in step for piece in choice}
        text = []
        for piece in used:
            options = [] if isinstance(piece, str) else self.lists[self.slots[piece[0]]]
            text += [piece] if isinstance(piece, str) else [entry[piece[1]] for entry in options]
        pattern = r"[A-Za-z']+" if self.language == "en" else r"[\u4e00-\u9fff]"
        return set(re.findall(pattern, " ".join(text)))


def mentions(choice: Template) -> list[str]:
    """The slots a sentence mentions, in order of first mention."""
    return list(dict.fromkeys(piece[0] for piece in choice if not isinstance(piece, str)))
