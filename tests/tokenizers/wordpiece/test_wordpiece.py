"""BERT's text steps, WordPiece's two trainers, longest match, and the kernel that does it all."""

import json
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import backend
from minillm.tokenizers import Tokenizer
from minillm.tokenizers.decoders.joining import JoinWordPieces
from minillm.tokenizers.normalizers.bert import BertNormalizer
from minillm.tokenizers.pre_tokenizers.bert import BertSplit
from minillm.tokenizers.text.segments import Pieces, joined_texts
from minillm.tokenizers.wordpiece.longest_match import WordPiece
from minillm.tokenizers.wordpiece.training import learn_by_likelihood, likeliest_pair

from ..texts import text

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/wordpiece.json").read_text("ascii"))
NAMES = {"handle_chinese_chars": "chinese_characters"}
TOY = " ".join(["hug"] * 10 + ["pug"] * 5 + ["pun"] * 12 + ["bun"] * 4 + ["hugs"] * 5)


def names(tok):
    return [token and token.decode() for token in tok.model.vocabulary]


@pytest.fixture(scope="module")
def trained():
    return Tokenizer.train(GOLDEN["corpus"], "wordpiece", 300, ["[UNK]"])


def test_stored_text_steps():
    for options, source, normal, pieces in GOLDEN["steps"]:
        stage = BertNormalizer(**{NAMES.get(name, name): on for name, on in options.items()})
        assert stage(source) == normal, (options, source)
        data, spans = BertSplit()(normal)
        assert [data[i:j].tobytes().decode() for i, j in spans] == pieces, (options, source)


def test_stored_training(trained):
    assert [name or "[UNK]" for name in names(trained)] == GOLDEN["vocab"]


def test_stored_encoding(trained):
    for source, ids, offsets, decoded in GOLDEN["encoded"]:
        assert trained.encode_with_offsets(source) == (ids, list(map(tuple, offsets))), source
        assert trained.encode(source) == ids, source
        assert trained.decode(ids) == decoded, source


def test_longest_match_or_nothing():
    model = WordPiece([None, b"un", b"##aff", b"##able"], unk_id=0, longest=10)
    tok = Tokenizer(model, pre_tokenizer=BertSplit())
    assert tok.encode_with_offsets("unaffable") == ([1, 2, 3], [(0, 2), (2, 5), (5, 9)])
    assert tok.encode_with_offsets("unaffablex") == ([0], [(0, 10)])
    assert tok.encode("unaffableaffable") == [0]
    with pytest.raises(ValueError, match="'unx' at byte 3"):
        Tokenizer(WordPiece([b"un"]), pre_tokenizer=BertSplit()).encode("un unx")


def test_likelihood_prefers_pairs_that_only_occur_together():
    tok = Tokenizer.train([TOY], "wordpiece", 13, ["[UNK]"], score="likelihood")
    assert names(tok)[8:] == ["##gs", "hu", "hugs", "hug", "pu"]
    tok = Tokenizer.train([TOY], "wordpiece", 17, ["[UNK]"])
    assert names(tok)[12:] == ["##ug", "##un", "hug", "pun", "pug"]


words = st.lists(st.text("abcd", min_size=1, max_size=8), min_size=1, max_size=30)


@settings(max_examples=60)
@given(words, st.integers(9, 60), st.sampled_from(["likelihood", "frequency"]))
def test_kernels_learn_the_same(corpus, size, score):
    with backend("numpy"):
        plain = Tokenizer.train([" ".join(corpus)], "wordpiece", size, ["[UNK]"], score=score)
    fast = Tokenizer.train([" ".join(corpus)], "wordpiece", size, ["[UNK]"], score=score)
    assert names(fast) == names(plain)


def test_the_likeliest_pair_by_brute_force():
    rng = random.Random(0)
    for _ in range(50):
        corpus = [[rng.randrange(4) for _ in range(rng.randrange(1, 6))] for _ in range(8)]
        counts = [rng.randrange(1, 9) for _ in corpus]
        if not any(len(word) > 1 for word in corpus):
            continue
        flat = [[*word] for word, count in zip(corpus, counts) for _ in range(count)]
        single = {a: sum(word.count(a) for word in flat) for a in range(4)}
        score = {}
        for a in range(4):
            for b in range(4):
                both = sum(pair == (a, b) for word in flat for pair in pairwise(word))
                if both:
                    score[a, b] = both / (single[a] * single[b])
        best, value = likeliest_pair(corpus, counts)
        assert value == max(score.values())
        assert best == min(pair for pair in score if score[pair] == value)
        assert learn_by_likelihood(corpus, counts, 4, 1) == [best]


@settings(max_examples=150)
@given(st.lists(text, min_size=1, max_size=6), st.booleans(), st.sampled_from([None, True, False]),
       st.booleans(), st.booleans())
def test_kernel_equals_definition(texts, lowercase, strip, clean, chinese):
    alphabet = sorted({c for line in texts for c in line} | set("abcés中"))
    entries = [c.encode("utf-8", "replace") for c in alphabet]
    vocabulary = [None, *entries, *(b"##" + entry for entry in entries[::2]), b"ab", b"##ll"]
    stage = BertNormalizer(clean, chinese, strip, lowercase)
    tok = Tokenizer(
        WordPiece(list(dict.fromkeys(vocabulary)), 0, longest=9), stage, BertSplit()
    )
    fast = tok.encode_batch(texts)
    with backend("numpy"):
        plain = tok.encode_batch(texts)
    assert fast[0].tolist() == plain[0].tolist()
    assert fast[1].tolist() == plain[1].tolist()


def test_long_words_leave_the_memory_in_order():
    vocabulary = [None, b"a", b"##a", b"##" + b"a" * 40, b"b"]
    tok = Tokenizer(WordPiece(vocabulary, 0, longest=400), BertNormalizer(), BertSplit())
    source = " ".join("a" * n for n in (3, 16, 127, 128, 129, 200, 400, 401, 3, 129)) + " b"
    with backend("numpy"):
        plain = tok.encode(source)
    assert tok.encode(source) == plain == tok.encode(source)


def test_decoding_writes_english_spacing():
    tokens = [b"do", b"n't", b"##s", b"hug", b"##s", b".", b"'s", b","]
    assert JoinWordPieces()(tokens) == b"don'ts hugs.'s,"
    assert JoinWordPieces(cleanup=False)(tokens) == b"do n'ts hugs . 's ,"


def test_bert_file(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhug\n##s\n中\n", "utf-8")
    tok = Tokenizer.load(path)
    assert tok.encode("Hugs 中x") == [2, 5, 6, 7, 1, 3]
    assert tok.encode_pair("hug", "hugs")[1] == [0, 0, 0, 1, 1, 1]
    assert tok.decode([2, 5, 6, 3], skip_special=True) == "hugs"
    path.write_text("[UNK]\nhug\nhug\n", "utf-8")
    with pytest.raises(ValueError, match=r"vocab\.txt: line 3: 'hug' is there twice"):
        Tokenizer.load(path)


@pytest.mark.parity
def test_live_text_steps():
    tokenizers = pytest.importorskip("tokenizers")
    stages = [(BertNormalizer(a, b, c, d), tokenizers.normalizers.BertNormalizer(a, b, c, d))
              for a in (True, False) for b in (True, False) for c in (None, True, False)
              for d in (True, False)]
    cut = tokenizers.pre_tokenizers.BertPreTokenizer()

    @settings(max_examples=400)
    @given(text, st.sampled_from(range(len(stages))))
    def same(source, which):
        ours, theirs = stages[which]
        assert ours(source) == theirs.normalize_str(source)
        data, spans = BertSplit()(source)
        pieces = [data[i:j].tobytes().decode() for i, j in np.asarray(spans)]
        assert pieces == [piece for piece, _ in cut.pre_tokenize_str(source)]

    same()


PLAIN = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##a", "##b", "ab"]


@pytest.mark.parametrize(("more", "cased"), [
    ([], False), (["[EOS]", "<BOS>"], False), (["Berlin", "##Ab"], False), (["A"], True),
    (["##É"], True), (["中", "Ⅷ"], True),
])
def test_a_vocabulary_with_single_capitals_is_cased(more, cased, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join([*PLAIN, *more]), "utf-8")
    tok = Tokenizer.load(tmp_path / "vocab.txt")
    assert tok.tokens("AB ab") == (
        ["[CLS]", "[UNK]", "ab", "[SEP]"] if cased else ["[CLS]", "ab", "ab", "[SEP]"])


def test_the_case_of_a_vocabulary_can_be_said(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[UNK]\nHello\nhello\n[END]\n", "utf-8")
    assert Tokenizer.load(path).encode("Hello hello") == [1, 2]
    assert Tokenizer.load(path, lowercase=True).encode("Hello hello") == [2, 2]
    path.write_text("\n".join([*PLAIN, "B"]), "utf-8")
    assert Tokenizer.load(path, lowercase=True).tokens("AB")[1:-1] == ["ab"]
    with pytest.raises(ValueError, match=r"lowercase=True is for BERT's vocab\.txt"):
        Tokenizer.load(tmp_path / "t.json", lowercase=True)


@pytest.mark.parametrize("longest", [100, 5])
def test_words_that_other_stages_cut(longest):
    """The kernel for given words: the ids and the spans of the definition."""
    rng = random.Random(0)
    inner = [f"##{part}" for part in (*"abcé中🙂", "ab", "中中", "U", "N")]
    model = WordPiece([token.encode() for token in (
        "[UNK]", *"abcé中[", *inner, "ab", "##", "abc")], 0, longest=longest)
    parts = ["a", "b", "c", "é", "中", "🙂", "ab", "#", "##", "[UNK]"]
    words = ["".join(rng.choices(parts, k=rng.choice([1, 2, 3, 4, 7, 60]))) for _ in range(3000)]
    pieces = Pieces(*joined_texts(words))
    found = model(pieces)
    assert len(set(found[0].tolist())) > 15
    with backend("numpy"):
        for column, expected in zip(found, model(pieces), strict=True):
            assert np.array_equal(column, expected)
