"""Reading a grammar: lists of words, slots, steps of alternative sentences, plots.

The format is meant to be read and written by hand. Lines starting with ``#`` are comments.

    list person: name he his        a list and the names of its columns (forms)
      Anna, Mia | she | her         comma-separated entries share the other columns,
                                    in which * stands for the entry itself
      +full                         what follows in this block belongs to size="full" only
      Tom | he | his
    slot hero friend: person        slots that draw from a list, each value at most once a story
    step meet                       one step of a plot: the alternatives, one sentence each
      {Hero} met {friend}.
      -                             a dash: the sentence may be left out
    plot walk: meet talk rest       a plot is a sequence of steps; ``plot+full`` for large ones

A mention is ``{slot}`` (first form), ``{slot.form}``, or with a capital ``{Slot.form}`` for the
beginning of a sentence. The first mention of a slot in a story binds it; later ones repeat it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Entry = dict[str, str]
Mention = tuple[str, str]  # slot, form (capitalized: "He")
Template = tuple[str | Mention, ...]  # an empty template leaves the sentence out

MENTION = re.compile(r"\{(\w+)(?:\.(\w+))?\}")
A_DESPITE_VOWEL = ("uni", "use", "uk", "one", "eu")
AN_DESPITE_CONSONANT = ("hour", "honest", "honour", "heir")


@dataclass
class Rules:
    """What a grammar file says, with every mention resolved."""

    lists: dict[str, list[Entry]] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)  # slot -> list
    steps: dict[str, list[Template]] = field(default_factory=dict)
    plots: dict[str, list[str]] = field(default_factory=dict)  # plot -> steps


def article(word: str) -> str:
    """``word`` with "a" or "an" before it, by its sound as far as spelling shows it."""
    low = word.lower()
    vowel = low[0] in "aeiou" and not low.startswith(A_DESPITE_VOWEL)
    return ("an " if vowel or low.startswith(AN_DESPITE_CONSONANT) else "a ") + word


def entries(line: str, forms: list[str]) -> list[Entry]:
    """The entries of one list line, each with its forms, an article and capitalized forms."""
    first, *rest = (column.strip() for column in line.split("|"))
    if len(rest) != len(forms) - 1:
        raise ValueError(f"list line {line!r} has {len(rest) + 1} columns, not {forms}")
    made = []
    for word in first.split(","):
        word = word.strip()
        entry = dict(zip(forms, [word, *(column.replace("*", word) for column in rest)]))
        entry.setdefault("a", article(word))
        made.append(entry | {f.capitalize(): t[0].upper() + t[1:] for f, t in entry.items()})
    return made


def template(line: str, rules: Rules, first_form: dict[str, str]) -> Template:
    """Cut one sentence into literal text and mentions; a lone dash is the empty template."""
    if line == "-":
        return ()
    pieces: list[str | Mention] = []
    end = 0
    for match in MENTION.finditer(line):
        name = match[1]
        slot = name[0].lower() + name[1:]
        if slot not in rules.slots:
            raise ValueError(f"sentence {line!r} mentions {slot!r}, which is not a slot")
        source = rules.slots[slot]
        form = match[2] or first_form[source]
        if rules.lists[source] and form not in rules.lists[source][0]:
            raise ValueError(f"sentence {line!r}: list {source!r} has no form {form!r}")
        pieces += [line[end : match.start()], (slot, form.capitalize() if name != slot else form)]
        end = match.end()
    return tuple(piece for piece in [*pieces, line[end:]] if piece)


def read_rules(text: str, size: str) -> Rules:
    """The rules of a grammar (see the top of this module). A list and its slots come before the
    steps that mention them."""
    rules, first_form = Rules(), {}
    block: tuple[str, str] = ("", "")
    forms: list[str] = []
    wanted = True
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if not raw[0].isspace():
            head, _, body = line.partition(":")
            kind, *names = head.split()
            wanted = size == "full" or not kind.endswith("+full")
            kind = kind.removesuffix("+full")
            block = (kind, names[0])
            if kind == "list":
                forms = body.split()
                first_form[names[0]] = forms[0]
                rules.lists[names[0]] = []
            elif kind == "slot":
                rules.slots |= dict.fromkeys(names, body.strip())
            elif kind == "step":
                rules.steps[names[0]] = []
            elif kind == "plot" and wanted:
                rules.plots[names[0]] = body.split()
            elif kind != "plot":
                raise ValueError(f"line {line!r} starts with none of list, slot, step, plot")
        elif line == "+full":
            wanted = size == "full"
        elif wanted and block[0] == "list":
            rules.lists[block[1]] += entries(line, forms)
        elif wanted and block[0] == "step":
            rules.steps[block[1]].append(template(line, rules, first_form))
    for plot, steps in rules.plots.items():
        for step in steps:
            if step not in rules.steps:
                raise ValueError(f"plot {plot!r} uses step {step!r}, which is not defined")
        if () in rules.steps[steps[0]]:
            raise ValueError(f"plot {plot!r} starts with {steps[0]!r}, which may be left out")
    return rules
