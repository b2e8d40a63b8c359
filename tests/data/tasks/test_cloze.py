"""Cloze sentences: one right word each, which its surroundings decide and counting does not."""

from collections import Counter, defaultdict

import pytest

from minillm.data.tasks import cloze

LANGUAGES = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_other_word_fits(language):
    everything = list(cloze.sentences(language))
    grammar = {c.words for c in everything}
    answers = {c.answer for c in everything}
    gaps = defaultdict(set)
    for c in everything:
        assert c.words[c.position] == c.answer
        gaps[c.words[: c.position], c.words[c.position + 1:]].add(c.answer)
    assert all(len(found) == 1 for found in gaps.values())
    for c in cloze.samples(200, seed=1, language=language):
        for word in answers - {c.answer}:
            assert (*c.words[: c.position], word, *c.words[c.position + 1:]) not in grammar


@pytest.mark.parametrize(("language", "most"), [("en", 0.2), ("zh", 0.2)])
def test_counting_words_does_not_answer(language, most):
    train = Counter(c.answer for c in cloze.samples(4000, seed=1, language=language))
    held = list(cloze.samples(1000, seed=2, language=language, held=True))
    guess = train.most_common(1)[0][0]
    assert sum(c.answer == guess for c in held) < most * len(held)


@pytest.mark.parametrize("language", LANGUAGES)
def test_neighbours_do_not_answer_names_and_agreement(language):
    """The words right before and after leave names at chance, and the number of a verb."""
    train = list(cloze.samples(6000, seed=1, language=language))
    held = list(cloze.samples(1500, seed=2, language=language, held=True))

    def beside(c):
        return c.words[c.position - 1], c.words[c.position + 1]

    seen = defaultdict(Counter)
    for c in train:
        seen[beside(c)][c.answer] += 1
    right = Counter()
    total = Counter(c.kind for c in held)
    for c in held:
        if seen[beside(c)]:
            right[c.kind] += seen[beside(c)].most_common(1)[0][0] == c.answer
    assert right["name"] < 0.25 * total["name"]
    if language == "en":
        assert right["agreement"] < 0.45 * total["agreement"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_deterministic_balanced_and_apart(language):
    train = list(cloze.samples(4000, seed=1, language=language))
    held = list(cloze.samples(1000, seed=1, language=language, held=True))
    assert train[:50] == list(cloze.samples(50, seed=1, language=language))
    assert cloze.sample(3, language) == cloze.sample(3, language) != cloze.sample(4, language)
    assert not {c.words for c in train} & {c.words for c in held}
    counts = Counter(c.kind for c in train)
    assert set(counts) == set(cloze.kinds(language))
    assert min(counts.values()) > 850
    assert {word for c in train for word in c.words} <= set(cloze.vocabulary(language))


@pytest.mark.parametrize(("language", "text", "answer"), [
    ("en", "now the keys near the box _ dirty .", "are"),
    ("en", "yesterday the key near the boxes _ dirty .", "was"),
    ("en", "the box is not big but _ .", "small"),
    ("en", "Tom gave Mary a book , and later Mary thanked _ .", "Tom"),
    ("en", "Lucy bought a _ of bread .", "loaf"),
    ("zh", "小明 看见 了 三 _ 书 。", "本"),
    ("zh", "这些 箱子 一点儿 也 不 大 ， 反而 很 _ 。", "小"),
    ("zh", "小明 送给 小红 一 本 书 ， 后来 小红 感谢 了 _ 。", "小明"),
    ("zh", "小龙 借给 小雪 一 只 风筝 ， 后来 小龙 看望 了 _ 。", "小雪"),
    ("zh", "小明 从来 没 看 _ 电影 。", "过"),
    ("zh", "小明 昨天 把 信 写 _ 。", "了"),
    ("zh", "王梅 明天 _ 不 会 喝 牛奶 ？", "会"),
])
def test_sentences_written_by_hand(language, text, answer):
    words = tuple(text.replace("_", answer).split())
    assert any(c.words == words and c.answer == answer and c.position == text.split().index("_")
               for c in cloze.sentences(language))


def test_refusals():
    with pytest.raises(ValueError, match="language is 'fr'"):
        cloze.sample(0, "fr")
    with pytest.raises(ValueError, match="kind is 'rhyme'"):
        cloze.sample(0, "en", kind="rhyme")
