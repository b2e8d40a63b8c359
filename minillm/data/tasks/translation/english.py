"""The English of a meaning: agreement, tense, articles, do-support; the clause after its noun."""

from __future__ import annotations

from minillm.data.tasks.translation.meanings import Clause, Grammar, Meaning, Phrase
from minillm.data.tasks.translation.tagged import Tagged, tag, tag_each

BASE, THIRD, PAST, PARTICIPLE, ING = range(5)
FINITE = {"past": PAST, "habit": THIRD}
NONFINITE = {"past": BASE, "habit": BASE, "future": BASE, "progressive": ING,
             "experience": PARTICIPLE}
BE = {"first": "am", "singular": "is", "plural": "are"}
AUXILIARY = {
    "past": dict.fromkeys(BE, "did"), "future": dict.fromkeys(BE, "will"), "progressive": BE,
    "habit": {"first": "do", "singular": "does", "plural": "do"},
    "experience": {"first": "have", "singular": "has", "plural": "have"},
}


def write_english(grammar: Grammar, meaning: Meaning) -> Tagged:
    """The sentence's words, each with the parts of the meaning it expresses."""
    frame = meaning.frame
    number = person(grammar, meaning.agent)
    subject = write_phrase(grammar, meaning.agent, "agent")
    auxiliary = tag(AUXILIARY[frame.aspect][number], "aspect")
    asked = frame.mood in ("whether", "what", "where")
    simple = frame.aspect in FINITE and not frame.negative and not asked
    if simple:
        form = FINITE[frame.aspect] if number == "singular" or frame.aspect == "past" else BASE
        verb = _verb(grammar, frame.action, form, "verb", "aspect")
        auxiliary = []
    else:
        verb = _verb(grammar, frame.action, NONFINITE[frame.aspect], "verb")
    negation = "never" if frame.aspect == "experience" else "not"
    question = tag(frame.mood, "place" if frame.mood == "where" else "item")
    first = [*(question if frame.mood in ("what", "where") else []),
             *([*auxiliary, *subject] if asked else [*subject, *auxiliary])]
    time = write_time(grammar, meaning.time, "time")
    often = meaning.time == "often"
    return [
        *first,
        *(tag(negation, "not") if frame.negative else []),
        *(time if often else []),
        *verb,
        *_object(grammar, meaning),
        *tag(meaning.manner, "manner"),
        *write_place(grammar, meaning.place, "place"),
        *([] if often else time),
        *tag("." if frame.mood == "statement" else "?", "end"),
    ]


def person(grammar: Grammar, agent: Phrase) -> str:
    if agent.noun in grammar.lexicon["known"]:
        return grammar.lexicon["known"][agent.noun][1]
    return "plural" if agent.plural else "singular"


def _verb(grammar: Grammar, action: int, form: int, *parts: str) -> Tagged:
    base = grammar.actions[action]["en"]
    word = [base, *grammar.lexicon["verbs"][base]][form]
    if grammar.actions[action].get("fixed", ["-"])[0] == "":  # swim is 游 and 泳 both
        parts += (parts[0].replace("verb", "item") + ".noun",)
    return tag(word, *parts)


def _object(grammar: Grammar, meaning: Meaning) -> Tagged:
    if meaning.item is None:
        return []
    fixed = grammar.actions[meaning.frame.action].get("fixed")
    return write_fixed(fixed[0], "item") if fixed else write_phrase(grammar, meaning.item, "item")


def write_fixed(words: str, part: str) -> Tagged:
    """the piano, to music: one of the words is the noun."""
    *before, noun = words.split() or [""]
    return [*tag(" ".join(before)), *tag(noun, f"{part}.noun")]


def write_time(grammar: Grammar, time: str, part: str) -> Tagged:
    return tag_each(time, grammar.chinese_time[time], part) if time else []


def write_place(grammar: Grammar, place: str, part: str) -> Tagged:
    if not place:
        return []
    before = grammar.lexicon["places"][place][0]
    preposition, *article = before.split()
    return [*tag(preposition, f"{part}.side"), *tag(" ".join(article)),
            *tag(place, f"{part}.noun")]


def write_phrase(grammar: Grammar, phrase: Phrase, part: str) -> Tagged:
    """A noun phrase: determiner, noun, relative clause."""
    lexicon, noun = grammar.lexicon, phrase.noun
    if noun == "who":
        return tag(noun, part)
    if noun in lexicon["known"]:
        return tag_each(noun, lexicon["known"][noun][0], part)
    entry = grammar.nouns.get(noun) or lexicon["people"][noun]
    determiner = tag(phrase.determiner, f"{part}.determiner")
    if "portion" in entry:
        portion = tag(entry["portion"][phrase.plural], f"{part}.portion") if determiner else []
        name = [*portion, *(tag("of") if portion else []), *tag(noun, f"{part}.noun")]
    else:
        name = tag(entry["plural"] if phrase.plural else noun, f"{part}.noun", f"{part}.portion")
        if phrase.determiner == "a" and noun[0] in "aeiou":
            determiner = tag("an", f"{part}.determiner")
    clause = _clause(grammar, phrase, f"{part}.clause") if phrase.clause else []
    return [*determiner, *name, *clause]


def _clause(grammar: Grammar, phrase: Phrase, part: str) -> Tagged:
    clause = phrase.clause
    assert clause is not None
    form = BASE if phrase.plural else THIRD
    verbs = grammar.lexicon["verbs"]
    if clause.kind == "made":
        return [*tag("that", f"{part}.that"), *write_phrase(grammar, Phrase(clause.agent), part),
                *_verb(grammar, clause.action, PAST, f"{part}.verb"),
                *write_time(grammar, clause.time, f"{part}.time")]
    if clause.kind == "live":
        return [*tag("who", f"{part}.that"), *tag(["live", *verbs["live"]][form], f"{part}.verb"),
                *write_place(grammar, clause.place, f"{part}.place")]
    if clause.kind == "like":
        word = ["like", *verbs["like"]][form]
        return [*tag("who", f"{part}.that"), *tag(word, f"{part}.like"),
                *_verb(grammar, clause.action, ING, f"{part}.verb"), *_bare(grammar, clause, part)]
    return [*tag("who", f"{part}.that"), *tag("can", f"{part}.can"),
            *_verb(grammar, clause.action, BASE, f"{part}.verb"), *_bare(grammar, clause, part)]


def _bare(grammar: Grammar, clause: Clause, part: str) -> Tagged:
    """An object as such: novels, tea, the piano."""
    fixed = grammar.actions[clause.action].get("fixed")
    if fixed:
        return write_fixed(fixed[0], f"{part}.item")
    return write_phrase(grammar, Phrase(clause.noun, "", True), f"{part}.item")
