"""What the page computes: bounded, escaped, and the same for each of many visitors at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minillm.demo.answers import (
    LONGEST,
    MOST,
    GapFiller,
    Settings,
    Translator,
    Writer,
    cleaned,
)
from minillm.generation import generate
from minillm.models import GPT, GPTConfig, gap_filler, storyteller, translator
from minillm.tokenizers import Tokenizer

WRITERS = {language: Writer(*storyteller(language)) for language in ("en", "zh")}


def last(writer, prompt, settings, title=""):
    *_, found = writer.write(writer.begin(title, prompt), settings)
    return found


@pytest.mark.parametrize(("language", "prompt"), [("en", "One day, Jack"), ("zh", "一天，小林")])
def test_it_writes_what_generate_writes(language, prompt):
    writer, settings = WRITERS[language], Settings(300, 0.9, 40, 0.95, 7)
    ids = writer.begin("", prompt)
    end = writer.tok.token_to_id("<|endoftext|>")
    expected = generate(writer.model, ids, 300, 0.9, 40, 0.95, 7, stop=[end],
                        forbidden=writer.banned)
    assert len(expected) - len(ids) < 300
    found = last(writer, prompt, settings)
    assert found.text == writer.tok.decode(expected[len(ids):])
    assert found.tokens == len(expected) - len(ids)
    assert found.seconds > 0


def test_twenty_visitors_at_once_get_what_each_gets_alone():
    asked = [("en" if i % 2 else "zh", ["One day, ", "一天，"][i % 2 == 0],
              Settings(40, 0.5 + i / 20, i, 1 - i / 40, i)) for i in range(20)]
    alone = [last(WRITERS[language], prompt, settings).text for language, prompt, settings in asked]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda each: last(WRITERS[each[0]], *each[1:]).text, asked))
        looks = list(pool.map(lambda n: WRITERS["en"].attention(
            WRITERS["en"].begin("", "Jack " * (1 + n % 5)), 1, 2), range(20)))
    assert together == alone
    assert len(set(alone)) > 10
    for n, weights in enumerate(looks):
        assert np.array_equal(weights, looks[n % 5])
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_bars_follow_the_sliders():
    writer = WRITERS["en"]
    ids = writer.begin("", "One sunny day")
    plain = writer.next_token(ids, Settings(temperature=1.0))
    assert all(p == pytest.approx(q) for _, p, q in plain)
    assert [p for _, p, _ in plain] == sorted((p for _, p, _ in plain), reverse=True)
    cut = writer.next_token(writer.begin("", ""), Settings(temperature=1.0, top_k=3))
    assert [q > 0 for _, _, q in cut] == [True] * 3 + [False] * (len(cut) - 3)
    assert sum(q for _, _, q in cut) == pytest.approx(1)


def test_texts_are_bounded():
    assert cleaned("a\x00b\x1b[31m\r\nc\u202e\td\ue000") == "ab[31m\nc\td"
    assert cleaned("x" * LONGEST) == "x" * LONGEST
    with pytest.raises(ValueError, match="1,000,000 characters; at most"):
        WRITERS["en"].begin("", "x" * 1_000_000)
    assert last(WRITERS["zh"], "一天", Settings(length=10**9)).tokens <= MOST
    long = WRITERS["en"].begin("", "Jack ran home. " * 120)
    assert len(WRITERS["en"].attention(long, 0, 0)) <= WRITERS["en"].model.config.context
    assert WRITERS["en"].next_token(long, Settings())


def test_a_title_stays_in_sight():
    """Where a text outgrows the context, on the page as in the command generate."""
    tok = Tokenizer.train(["The ferry crossed the river. "] * 9, model="byte_bpe", vocab_size=280,
                          special_tokens=["<eod>", "<sep>", "<pad>"])
    writer = Writer(GPT(GPTConfig(tok.vocab_size, 32, 2, 2, 16), seed=1), tok)
    ids = writer.begin("Ferry", "It was")
    keep = ids.index(tok.token_to_id("<sep>")) + 1
    given = dict(seed=4, stop=[tok.token_to_id("<eod>")], forbidden=writer.banned)
    kept, lost = (generate(writer.model, ids, 90, 0.8, keep=k, **given) for k in (keep, 0))
    assert kept != lost
    assert len(kept) > 64
    assert last(writer, "It was", Settings(90, seed=4), "Ferry").text == tok.decode(kept[len(ids):])
    assert writer.seen(kept)[:keep] == ids[:keep]
    assert len(writer.seen(kept)) <= 32
    assert len(writer.attention(kept, 1, 1)) == len(writer.seen(kept))
    with pytest.raises(ValueError, match=r"the title has 4\d tokens; at most 16"):
        writer.begin("QWXZ " * 8, "")


def test_special_tokens_in_a_text_are_refused():
    with pytest.raises(ValueError, match="special token"):
        WRITERS["en"].begin("", "One <|endoftext|> day")


def test_translation_with_the_words_it_looked_at():
    given = Translator(*translator())
    source, target, weights = given.translate("My mother bought a book in Shanghai yesterday.", 4)
    assert "".join(target) == "我妈妈昨天在上海买了一本书。"
    assert weights.shape == (len(target) + 1, len(source))
    assert source[weights[target.index("书")].argmax()] == "book"
    for text, why in [("My rocket flew.", "'rocket' is not among"), ("", "no word"),
                      ("my " * 40, "has 40 words"), ("<pad>", "not among"), ("我", "not among"),
                      ("x" * 5000, "at most")]:
        with pytest.raises(ValueError, match=why):
            given.translate(text, 1)


@pytest.mark.parametrize(("language", "text", "word"), [
    ("en", "Emma saw a ___ of soap .", "bar"), ("en", "the driver is not poor but ___ .", "rich"),
    ("zh", "小红 看见 了 这 ___ 鞋 。", "双")])
def test_gaps(language, text, word):
    found = GapFiller(*gap_filler(language)).fill(text)
    assert found[0][0] == word
    assert found[0][1] > 0.9
    assert not {"[MASK]", "[PAD]", "[UNK]"} & {w for w, _ in found}


@pytest.mark.parametrize(("text", "why"), [
    ("Emma saw a bar .", "mark one gap"), ("a ___ of ___ .", "mark one gap"),
    ("Emma saw a rocket ___ .", "'rocket' is not among"), ("[MASK] ___", "not among"),
    ("a " * 40 + "___", "tokens; this model reads at most")])
def test_gaps_that_cannot_be_filled(text, why):
    with pytest.raises(ValueError, match=why):
        GapFiller(*gap_filler("en")).fill(text)
