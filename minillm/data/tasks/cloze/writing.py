"""The kinds of cloze sentences: lists of choices, and the sentence and answer a choice gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """Lists to choose one from each, and ``write(*choice) -> (text with _, answer)``."""

    lists: list[list[Any]]
    write: Callable[..., tuple[str, str]]


_LISTS = json.loads((Path(__file__).parent / "lists.json").read_text(encoding="utf-8"))
EN, ZH = _LISTS["en"], _LISTS["zh"]


def _opposites(lists: dict) -> list[tuple[str, str, str]]:
    """(subject, said not to be, is), in both directions."""
    return [(subject, *pair) for group in lists["opposites"] for subject in group["subjects"]
            for ab in group["pairs"] for pair in (ab, ab[::-1])]


def _agreement(time, first, plural, preposition, second, other_plural, look) -> tuple[str, str]:
    when, forms = time
    return (f"{when} the {first[plural]} {preposition} {second[other_plural]} _ {look} .",
            forms[plural])


def _name(people, giving, gift, turned, after) -> tuple[str, str]:
    giver, receiver = people
    subject, other = (receiver, giver) if turned else (giver, receiver)
    return f"{giver} {giving} {receiver} a {gift} , and later {subject} {after} _ .", other


def _name_chinese(people, giving, gift, turned, after) -> tuple[str, str]:
    giver, receiver = people
    subject, other = (receiver, giver) if turned else (giver, receiver)
    return f"{giver} {giving} {receiver} {gift} ， 后来 {subject} {after} _ 。", other


def _antonym(opposite, determiner) -> tuple[str, str]:
    subject, wrong, right = opposite
    return f"{determiner} {subject} is not {wrong} but _ .", right


def _antonym_chinese(opposite, determiner) -> tuple[str, str]:
    subject, wrong, right = opposite
    return f"{determiner} {subject} 一点儿 也 不 {wrong} ， 反而 很 _ 。", right


def _container(name, getting, container) -> tuple[str, str]:
    word, filling = container
    return f"{name} {getting} a _ of {filling} .", word


def _measure(name, looking, number, measure) -> tuple[str, str]:
    word, noun = measure
    return f"{name} {looking} 了 {number} _ {noun} 。", word


def _function_word(name, action, time) -> tuple[str, str]:
    verb, noun = action
    text, answer = time
    return text.format(name=name, verb=verb, noun=noun), answer


FUNCTION_WORDS = [  # each text has one word that completes it
    ("{name} 昨天 把 {noun} {verb} _ 。", "了"),
    ("{name} 从来 没 {verb} _ {noun} 。", "过"),
    ("{name} 昨天 是 在 哪儿 {verb} _ {noun} ？", "的"),
    ("{name} 明天 _ 不 会 {verb} {noun} ？", "会"),
]
KINDS: dict[str, dict[str, Kind]] = {
    "en": {
        "agreement": Kind([EN["times"], EN["things"], [0, 1], EN["prepositions"], EN["things"],
                           [0, 1], EN["looks"]], _agreement),
        "antonym": Kind([_opposites(EN), ["the", "this", "that"]], _antonym),
        "name": Kind([list(permutations(EN["names"], 2)), EN["giving"], EN["gifts"], [0, 1],
                      EN["after"]], _name),
        "container": Kind([EN["names"], EN["getting"], EN["containers"]], _container),
    },
    "zh": {
        "measure": Kind([ZH["names"], ZH["looking"], ZH["numbers"], ZH["measures"]], _measure),
        "antonym": Kind([_opposites(ZH), ["这些", "那些"]], _antonym_chinese),
        "name": Kind([list(permutations(ZH["names"], 2)), ZH["giving"], ZH["gifts"], [0, 1],
                      ZH["after"]], _name_chinese),
        "function word": Kind([ZH["names"], [(verb, noun) for verb, nouns in ZH["verbs"]
                                             for noun in nouns], FUNCTION_WORDS], _function_word),
    },
}
