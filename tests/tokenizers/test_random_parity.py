"""Random strings through every pipeline, side by side with the installed reference libraries.

``PARITY_STRINGS=20000 PARITY_THREADS=4 pytest tests/tokenizers/test_random_parity.py`` is the long
run: so many strings a pipeline, all threads at once on one tokenizer. By default it is short.
"""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from minillm.tokenizers import Tokenizer

from .test_stages import compare

pytestmark = pytest.mark.parity
STRINGS = int(os.environ.get("PARITY_STRINGS", 40))
THREADS = int(os.environ.get("PARITY_THREADS", 4))
PIECES = [
    " ", "  ", "\n", "\r\n", "\t", "\x00", "\x01", "\x0b", "\x1c", "\x7f", "\x85",
    "\x9f", "\xa0", "\xad", "\u0300", "\u0301", "\u0345", "\u0903", "\u200b", "\u200c",
    "\u200d", "\u200e", "\u2028", "\u2060", "\u2581", "\u3000", "\ufe0f", "\ufeff",
    "\ufffd", "\u2047", "e\u0301", "é", "ß", "İ", "ſ", "ﬁ", "㍿", "½", "Ⅷ", "²", "１",
    "Ａ", "Σ", "ς", "中", "文字", "カ\u3099", "ー", "ゟ", "한글", "ᄒ", "ไทย", "हि", "🙂", "👍🏽",
    "👩\u200d💻", "🇩🇪", "\U00016ec0", "\U0001d7d8", "'s", "'LL", "...", "#", "##", "a",
    "b", "x", "in", "ing", "the", " the", "The", "12", "345", "_", "-", "<s>", "</w>",
    "[CLS]", " [X] ", "[MASK]", "<unk>", "<0x41>",
]


def strings(rng, count):
    """Texts of controls, joiners, marks, scripts, emoji and special tokens."""
    for _ in range(count):
        yield "".join(
            rng.choice(PIECES) if rng.random() < 0.9 else chr(rng.choice([
                rng.randrange(0x80), rng.randrange(0xD800), rng.randrange(0x10000, 0x20000),
                rng.randrange(0xE000, 0x110000)]))
            for _ in range(rng.randrange(14))
        )


def in_threads(check, rows):
    """The check of every row, the rows spread over the threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        shares = [rows[k::THREADS] for k in range(THREADS)]
        for done in [pool.submit(lambda share: [check(row) for row in share], s) for s in shares]:
            done.result()


def names():
    try:
        from ..golden.make_stages import files
    except ImportError:
        return []
    return list(files())


@pytest.mark.parametrize("name", names() or ["the library is missing"])
def test_stages(name, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    from ..golden.make_stages import answer, files

    value = files()[name]
    (tmp_path / "t.json").write_text(json.dumps(value), "utf-8")
    tok = Tokenizer.load(tmp_path / "t.json")
    theirs = tokenizers.Tokenizer.from_str(json.dumps(value))
    texts = list(strings(random.Random(name), 2 * STRINGS))
    rows = [answer(theirs, *pair) for pair in zip(texts[::2], texts[1::2])]
    in_threads(lambda row: compare(tok, row), rows)


@pytest.mark.parametrize("seed", range(1, 3))
def test_pipelines(seed, tmp_path):
    """Normalizers, pre-tokenizers, models and decoders that are drawn, as in pipelines.json."""
    tokenizers = pytest.importorskip("tokenizers")
    from ..golden.make_pipelines import entries
    from ..golden.make_stages import answer

    for entry in entries(seed, 0, 1):
        (tmp_path / "t.json").write_text(json.dumps(entry["json"]), "utf-8")
        tok = Tokenizer.load(tmp_path / "t.json")
        theirs = tokenizers.Tokenizer.from_str(json.dumps(entry["json"]))
        texts = strings(random.Random(seed), STRINGS)
        in_threads(lambda row, tok=tok: compare(tok, row), [
            answer(theirs, text, "the cat") for text in texts
        ])


@pytest.mark.parametrize("rule", ["gpt2", "cl100k", "o200k"])
def test_tiktoken(rule):
    tiktoken = pytest.importorskip("tiktoken")
    from minillm.tokenizers.patterns.named_rules import PATTERNS

    corpus = ["the cat is in the house 12 345 中文字 カー e\u0301é ..."] * 3
    tok = Tokenizer.train(corpus, "byte_bpe", 320, ["<s>", "[CLS]"], pattern=rule)
    ranks = {token: id for id, token in enumerate(tok.model.vocabulary) if token is not None}
    other = tiktoken.Encoding(
        rule, pat_str=PATTERNS[rule].replace(r"\Z", r"\z"), mergeable_ranks=ranks,
        special_tokens=tok.special_tokens,
    )

    def check(text):
        ids = other.encode(text, allowed_special="all")
        assert tok.encode(text, special="allow") == ids, text
        assert tok.decode(ids) == other.decode(ids) == text
        stream = tok.stream()
        assert "".join(map(stream.push, ids)) + stream.finish() == text

    in_threads(check, list(strings(random.Random(rule), STRINGS)))


def test_sentencepiece():
    pytest.importorskip("sentencepiece")
    from minillm.tokenizers.formats.sentencepiece_file import parse_model
    from minillm.tokenizers.sentencepiece.model_stages import stages_of

    from ..golden.make_sentencepiece_offsets import answer, models

    for k, (data, processor) in enumerate(models()):
        tok = Tokenizer.of(stages_of(parse_model(data)))

        def check(text, tok=tok, processor=processor):
            ids, spans = answer(processor, text)
            assert tok.encode_with_offsets(text, special="text") == (ids, spans), text
            assert tok.encode(text, special="text") == ids, text
            assert tok.decode(ids) == processor.decode(ids), text
            stream = tok.stream()
            assert "".join(map(stream.push, ids)) + stream.finish() == processor.decode(ids), text

        in_threads(check, list(strings(random.Random(k), STRINGS)))
