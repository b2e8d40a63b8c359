"""Translation pairs: counted, aligned, split, grammatical, and invertible."""

import itertools
import random
import re

import pytest

from minillm.data.tasks import translation
from minillm.data.tasks.translation import Grammar, write_pair
from minillm.data.tasks.translation.chinese import write_chinese
from minillm.data.tasks.translation.english import write_english

SAMPLES = list(translation.pairs(3000, seed=1)) + list(translation.pairs(300, seed=2, held=True))
UNLINKED_ENGLISH = {"the", "a", "an", "of", "to", "do", "does", "in", "on", "am", "is", "are"}
UNLINKED_CHINESE = {"在", "把", "了", "的"}


def reduced():
    """A lexicon small enough to write every pair of it: 把, portions, clauses, all moods."""
    full = translation.grammar().lexicon
    chosen = [dict(a) for a in full["actions"]
              if a["en"] in ("eat", "buy", "swim", "read") or a.get("fixed") == ["chess", "棋"]]
    for action in chosen:
        if "objects" in action:
            kept = [noun for noun in action["objects"] if noun in ("apple", "dumplings", "book")]
            action["objects"] = kept
        action["places"] = action["places"][:1]
        action["manners"] = action["manners"][:1]
    lexicon = dict(full, actions=chosen, cities=["Beijing", "village"])
    lexicon["known"] = {name: full["known"][name] for name in ("I", "he", "my mother")}
    lexicon["people"] = {"child": full["people"]["child"]}
    lexicon["times"] = {aspect: rows[:1] for aspect, rows in full["times"].items()}
    return Grammar(lexicon)


def test_count_by_writing_every_pair():
    grammar = reduced()
    written = [write_pair(meaning, grammar) for meaning in grammar.meanings()]
    distinct = {(tuple(p.english), tuple(p.chinese)) for p in written}
    assert len(distinct) == len(written) == grammar.count() > 20_000


def test_draws_are_meanings_of_the_grammar():
    grammar = reduced()
    all_of_them = set(grammar.meanings())
    rng = random.Random(0)
    drawn = {grammar.draw(rng) for _ in range(3000)}
    assert drawn <= all_of_them
    assert {m.frame for m in all_of_them} == {m.frame for m in drawn}


def test_more_than_a_thousand_million_pairs():
    assert translation.count() == 3_387_067_397


def test_every_english_sentence_has_one_translation_in_the_reduced_grammar():
    grammar = reduced()
    found = {}
    for meaning in grammar.meanings():
        english = " ".join(word for word, _ in write_english(grammar, meaning))
        chinese = " ".join(word for word, _ in write_chinese(grammar, meaning))
        assert found.setdefault(english, chinese) == chinese


@pytest.mark.parametrize("pair", SAMPLES[:25] + SAMPLES[-25:], ids=lambda p: " ".join(p.english))
def test_translate_gives_the_sentence_back(pair):
    assert translation.translate(pair.english) == {tuple(pair.chinese)}


@pytest.mark.parametrize("wrong", [
    "he do not read books .", "he bought a book every day .", "she is not often reading .",
    "did he bought a book yesterday ?", "he read those book yesterday .", "", "colourless green",
])
def test_translate_of_what_is_no_sentence(wrong):
    assert translation.translate(wrong.split()) == set()


@pytest.mark.parametrize(("english", "chinese"), [
    ("my mother bought two skirts in the shop yesterday .",
     "我 妈妈 昨天 在 商店 里 买 了 两 条 裙子 。"),
    ("did you read a book last night ?", "你 昨天 晚上 看 书 了 吗 ？"),
    ("he did not read that letter yesterday .", "他 昨天 没 看 那 封 信 。"),
    ("who washed this shirt this morning ?", "今天 早上 谁 把 这 件 衬衫 洗 了 ？"),
    ("where did she buy a hat yesterday ?", "她 昨天 在 哪儿 买 的 帽子 ？"),
    ("we are playing the piano at home now .", "我们 现在 正在 家 里 弹 钢琴 。"),
    ("she has never swum in the lake .", "她 从来 没 在 湖 里 游 过 泳 。"),
    ("Tom does not often drink coffee .", "汤姆 不 常 喝 咖啡 。"),
    ("he is reading the letter that my sister wrote last week .",
     "他 正在 看 我 姐姐 上周 写 的 那 封 信 。"),
    ("the child who likes drinking tea will draw a horse tomorrow .",
     "那 个 喜欢 喝 茶 的 孩子 明天 会 画 一 匹 马 。"),
])
def test_translations_written_by_hand(english, chinese):
    assert translation.translate(english.split()) == {tuple(chinese.split())}


def test_same_seed_same_pair():
    assert translation.pair(5) == translation.pair(5) != translation.pair(6)
    assert list(translation.pairs(20, seed=3)) == list(translation.pairs(20, seed=3))
    assert " ".join(translation.pair(0).english) == "what does that nurse watch every morning ?"


def test_sets_share_nothing():
    train = {" ".join(pair.english) for pair in translation.pairs(4000, seed=1)}
    held = {" ".join(pair.english) for pair in translation.pairs(1000, seed=1, held=True)}
    assert not train & held
    assert len(held) > 950
    share = sum(map(translation.is_held, (s.split() for s in train | held))) / len(train | held)
    assert share == len(held) / len(train | held)


def test_links_point_into_both_sentences():
    for pair in SAMPLES:
        assert pair.links == sorted(set(pair.links))
        assert all(0 <= i < len(pair.english) and 0 <= j < len(pair.chinese)
                   for i, j in pair.links)


def test_every_content_word_is_linked():
    for pair in SAMPLES:
        english = {i for i, _ in pair.links}
        chinese = {j for _, j in pair.links}
        left = {w for i, w in enumerate(pair.english) if i not in english} - UNLINKED_ENGLISH
        right = {w for j, w in enumerate(pair.chinese) if j not in chinese} - UNLINKED_CHINESE
        assert left <= {"did"}, (pair, left)
        assert not right, (pair, right)


def test_nouns_are_linked_to_their_entries():
    lexicon = translation.grammar().lexicon
    forms = {}
    for noun, entry in {**lexicon["nouns"], **lexicon["people"]}.items():
        for word in {noun, entry.get("plural", noun)}:
            forms.setdefault(word, set()).add(entry["zh"])
    for verb, inflected in lexicon["verbs"].items():
        senses = {w for a in lexicon["actions"] if a["en"] == verb
                  for w in (a["zh"], a.get("ba", a["zh"]))}
        for word in (verb, *inflected):
            forms.setdefault(word, set()).update(senses)
    for place, entry in lexicon["places"].items():
        forms.setdefault(place, set()).add(entry[1])
    seen = set()
    for pair in SAMPLES:
        for i, word in enumerate(pair.english):
            if word in forms:
                linked = {pair.chinese[j] for k, j in pair.links if k == i}
                assert linked & forms[word] or linked & {"喜欢", "住"}, (pair, word, linked)
                seen.add(word)
    assert len(seen) > 150


def test_alignment_is_not_the_diagonal():
    crossings = [
        sum(1 for (i, j), (k, l) in itertools.combinations(pair.links, 2) if (i - k) * (j - l) < 0)
        for pair in SAMPLES
    ]
    assert sum(crossing > 3 for crossing in crossings) > 0.6 * len(SAMPLES)


def measured(pair):
    """(measure word, next noun) after 一 两 三 这 那, straight or across a 的 clause."""
    lexicon = translation.grammar().lexicon
    nouns = {e["zh"] for e in (*lexicon["nouns"].values(), *lexicon["people"].values())}
    measures = {e["measure"] for e in (*lexicon["nouns"].values(), *lexicon["people"].values())}
    words = pair.chinese
    for j in range(len(words) - 1):
        if words[j] in "一两三这那" and words[j + 1] in measures:
            end = j + 2
            if words[end] not in nouns:  # 那 个 喜欢 喝 茶 的 学生
                end = words.index("的", end) + 1
            yield words[j + 1], words[end]


def test_measure_words_fit_their_nouns():
    right = dict(["书本", "信封", "茶杯", "猫只", "马匹", "树棵", "鱼条"])
    right |= {"裙子": "条", "自行车": "辆", "衬衫": "件", "老师": "位", "孩子": "个"}
    right |= {"雨伞": "把", "帽子": "顶"}
    seen = set()
    for pair in SAMPLES:
        for measure, noun in measured(pair):
            if noun in right:
                assert measure == right[noun], pair
                seen.add(noun)
    assert seen == right.keys()


def test_aspect_in_chinese():
    for pair in SAMPLES:
        text = "".join(pair.chinese)
        words = pair.chinese
        if "没" in words or "不" in words:
            assert "了" not in words, text
        if re.search("每天|常常|明天|下周", text):
            assert "了" not in words, text
        if "不" in words:
            assert "昨天" not in re.sub(r"我|的", "", text.split("的")[-1]) or "会" in words, text
        assert words.count("了") <= 1
        assert not ("过" in words and ("正在" in words or words[0] == "会")), text
        assert ("吗" in words) == (pair.english[0] in (
            "did", "do", "does", "is", "are", "am", "has", "have", "will")), text
        if "把" in words:
            assert words[words.index("把") + 1] not in ("一", "两", "三"), text


def test_agreement_in_english():
    for pair in SAMPLES:
        text = " ".join(pair.english)
        assert not re.search(r"\b(he|she|Tom|child|my \w+) (do|have|are|am)\b", text), text
        assert not re.search(r"\b(they|we|you|children|students) (does|has|is|am)\b", text), text
        assert not re.search(r"\b(did|will|does|do|not)( \w+)? (bought|drank|buys)\b", text), text
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text), text
        assert not re.search(r"\b(these|those|two|three) (book|child|teacher|apple)\b", text), text


def test_every_word_of_the_lexicon_is_used():
    english = {w for pair in SAMPLES for w in pair.english}
    lexicon = translation.grammar().lexicon
    for name in ("nouns", "people", "places", "manners", "verbs"):
        missing = [w for w in lexicon[name] if w not in english and not any(
            form in english for form in (*_forms(lexicon[name], w),))]
        assert not missing, (name, missing)


def _forms(table, word):
    entry = table[word]
    if isinstance(entry, dict):
        return [entry.get("plural", word)]
    return entry if isinstance(entry, list) else [word]
