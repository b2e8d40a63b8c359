"""The Chinese of a meaning: time and place before the verb, measure words, aspect, 的 clauses.

了 stands after the verb if the object is counted or pointed at (买了一本书), and ends the sentence
if the object is bare (昨天看书了); "a book" is bare in questions and denials and after 常常.
What the action does away with goes before it with 把 (把那辆汽车卖了). 没 excludes 了. Where
something happened is asked with 的 (在哪儿买的书).
"""

from __future__ import annotations

from minillm.data.tasks.translation.meanings import Clause, Grammar, Meaning, Phrase
from minillm.data.tasks.translation.tagged import Tagged, tag, tag_each

DETERMINERS = {"a": "一", "two": "两", "three": "三", "this": "这", "that": "那",
               "these": "这些", "those": "那些", "my": "我", "his": "他", "her": "她"}
WHO_FIRST = ("habit", "experience")  # 谁每天…, but 昨天谁…


def write_chinese(grammar: Grammar, meaning: Meaning) -> Tagged:
    """The sentence's words, each with the parts of the meaning it expresses."""
    frame = meaning.frame
    agent = write_phrase(grammar, meaning.agent, "agent")
    time = write_time(grammar, meaning.time, "time")
    first = [*agent, *time]
    if frame.mood == "who" and frame.aspect not in WHO_FIRST:
        first = [*time, *agent]
    if frame.negative and meaning.time == "often":
        first, time = agent, tag("常", "time.0")
    else:
        time = []
    marker = _marker(meaning)
    place = write_place(grammar, meaning.place, "place")
    if frame.mood == "where":
        place = [*tag("在"), *tag("哪儿", "place")]
    if place and marker and marker[-1][0] in ("在", "正在"):
        place = place[1:]  # one 在 says both: 正在图书馆里看书
    return [*first, *marker, *time, *place, *_manner(grammar, meaning.manner),
            *_predicate(grammar, meaning),
            *tag("吗" if frame.mood == "whether" else "", "end"),
            *tag("。" if frame.mood == "statement" else "？", "end")]


def _marker(meaning: Meaning) -> Tagged:
    """What stands before the verb for aspect and negation."""
    frame = meaning.frame
    if frame.aspect == "progressive":
        if frame.mood == "where":
            return []
        if frame.negative:
            return [*tag("没", "not"), *tag("在", "aspect")]
        return tag("正在" if frame.mood == "statement" else "在", "aspect")
    negations = {"past": tag("没", "not", "aspect"), "habit": tag("不", "not", "aspect"),
                 "experience": tag("从来 没", "not"), "future": tag("不", "not")}
    will = tag("会", "aspect") if frame.aspect == "future" else []
    return [*(negations[frame.aspect] if frame.negative else []), *will]


def _manner(grammar: Grammar, manner: str) -> Tagged:
    return tag(f"{grammar.lexicon['manners'][manner]} 地", "manner") if manner else []


def _predicate(grammar: Grammar, meaning: Meaning) -> Tagged:
    """Verb and object, with 了, 过, 的 or 把."""
    frame, item = meaning.frame, meaning.item
    action = grammar.actions[frame.action]
    verb = tag(action["zh"], "verb")
    if item is None:
        noun, bare = tag("什么", "item"), False
    elif "fixed" in action:
        noun, bare = tag(action["fixed"][1], "item.noun"), True
    else:
        if item.determiner == "a" and (meaning.time == "often" or not frame.asserts):
            item = Phrase(item.noun)
        noun = write_phrase(grammar, item, "item")
        bare = not item.determiner
    if frame.aspect == "experience":
        return [*verb, *tag("过", "aspect"), *noun]
    if frame.aspect != "past" or frame.negative:
        return [*verb, *noun]
    if frame.mood == "where":
        return [*verb, *tag("的", "aspect"), *noun]
    done = tag("了", "aspect")
    counted = item is not None and item.determiner in ("a", "two", "three")
    if "ba" in action and item is not None and not bare and not counted and not meaning.manner:
        return [*tag("把"), *noun, *tag(action["ba"], "verb"), *done]
    return [*verb, *noun, *done] if bare else [*verb, *done, *noun]


def write_time(grammar: Grammar, time: str, part: str) -> Tagged:
    return tag_each(grammar.chinese_time[time], time, part) if time else []


def write_place(grammar: Grammar, place: str, part: str) -> Tagged:
    """在 place side: 在 图书馆 里; a city has no side, and its 在 is "in"."""
    if not place:
        return []
    _, noun, side = grammar.lexicon["places"][place]
    at = tag("在") if side else tag("在", f"{part}.side")
    return [*at, *tag(noun, f"{part}.noun"), *tag(side, f"{part}.side")]


def write_phrase(grammar: Grammar, phrase: Phrase, part: str) -> Tagged:
    """A noun phrase: clause, determiner, measure word, noun; 那个 before a lasting property."""
    lexicon = grammar.lexicon
    if phrase.noun == "who":
        return tag("谁", part)
    if phrase.noun in lexicon["known"]:
        return tag_each(lexicon["known"][phrase.noun][0], phrase.noun, part)
    person = phrase.noun in lexicon["people"]
    entry = lexicon["people" if person else "nouns"][phrase.noun]
    noun = tag(entry["zh"], f"{part}.noun")
    word = phrase.determiner
    if person and word == "the" and not phrase.clause:
        return [*noun, *(tag("们", f"{part}.noun") if phrase.plural else [])]
    if word in ("my", "his", "her"):
        return [*tag(f"{DETERMINERS[word]} 的", f"{part}.determiner"), *noun]
    if not word:
        return noun
    measure = [] if phrase.plural and word not in ("two", "three") else tag(
        entry["measure"], f"{part}.portion")
    if not phrase.clause:
        return [*tag(DETERMINERS[word], f"{part}.determiner"), *measure, *noun]
    that = [*tag("那些" if phrase.plural else "那", f"{part}.determiner"), *measure]
    clause = [*_clause(grammar, phrase.clause, f"{part}.clause"), *tag("的", f"{part}.clause.that")]
    return [*that, *clause, *noun] if person else [*clause, *that, *noun]


def _clause(grammar: Grammar, clause: Clause, part: str) -> Tagged:
    if clause.kind == "live":
        return [*tag("住", f"{part}.verb"), *write_place(grammar, clause.place, f"{part}.place")]
    action = grammar.actions[clause.action]
    verb = tag(action["zh"], f"{part}.verb")
    if clause.kind == "made":
        return [*write_phrase(grammar, Phrase(clause.agent), part),
                *write_time(grammar, clause.time, f"{part}.time"), *verb]
    first = tag("喜欢", f"{part}.like") if clause.kind == "like" else tag("会", f"{part}.can")
    noun = action["fixed"][1] if "fixed" in action else grammar.nouns[clause.noun]["zh"]
    return [*first, *verb, *tag(noun, f"{part}.item.noun")]
