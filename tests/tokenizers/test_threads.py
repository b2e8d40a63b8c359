"""Any number of threads that share a tokenizer get the ids that one thread gets."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minillm.data import stories
from minillm.tokenizers import Tokenizer, tokenizer
from minillm.tokenizers.text.segments import blocks_of

TEXTS = [*stories.corpus(300, 1, "en", "small"), *stories.corpus(300, 1, "zh", "small")]
WORDS = np.random.default_rng(0).permutation([word for text in TEXTS for word in text.split()])
PARTS = [[" ".join(WORDS[k + j :: 40].tolist()) for j in range(0, 40, 4)] for k in range(4)]
FAMILIES = ("byte_bpe", "bpe", "wordpiece", "unigram", "sentencepiece", "bytepiece", "word", "char")


@pytest.fixture(scope="module", params=FAMILIES)
def tok(request):
    options = {"sentencepiece": {"vocab_size": 900}, "word": {"unk_token": "<unk>"},
               "char": {}, "bpe": {"vocab_size": 900, "unk_token": "<unk>"}}
    settings = options.get(request.param, {"vocab_size": 900})
    return Tokenizer.train(TEXTS, model=request.param, **settings)


@pytest.fixture(scope="module")
def noise():
    """Words nobody has seen, which all threads want to remember at the same time."""
    rng = np.random.default_rng(1)
    known = np.array(sorted({c for text in TEXTS for c in text}))
    words = ["".join(known[rng.integers(0, len(known), rng.integers(2, 9))]) for _ in range(80000)]
    return [" ".join(rng.permutation(words).tolist()) for _ in range(4)]


def test_four_threads_get_what_one_gets(tok, noise):
    size = 800_000 if hasattr(tok.model, "bulk") else 20_000  # what takes a kernel long enough
    parts = [[text[:size], *part] for text, part in zip(noise, PARTS, strict=True)]
    fresh = copy.deepcopy(tok)
    want = [fresh.encode_batch(part)[0] for part in parts]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(6):
            if hasattr(tok.model, "forget"):
                tok.model.forget()
            for got, ids in zip(pool.map(lambda part: tok.encode_batch(part)[0], parts), want):
                np.testing.assert_array_equal(got, ids)
    for part, ids in zip(parts, want):  # and what is remembered is right
        np.testing.assert_array_equal(tok.encode_batch(part)[0], ids)


def test_a_copy_remembers_nothing_and_encodes_alike(tok):
    want = tok.encode_batch(PARTS[0])[0]
    for other in (copy.deepcopy(tok), pickle.loads(pickle.dumps(tok))):
        memories = getattr(other.model, "_memories", None) or getattr(other.model, "memories", None)
        assert not getattr(memories, "free", None)
        np.testing.assert_array_equal(other.encode_batch(PARTS[0])[0], want)


def test_blocks_of_a_batch_go_to_several_threads(monkeypatch):
    """The same ids from one thread as from three, for pieces with a table and with a scanner."""
    texts = [text * 40 for text in stories.corpus(120)] + ["", "ab"]
    for pattern in ("gpt2", r"\w+|\W"):
        tok = Tokenizer.train(texts[:5], "byte_bpe", vocab_size=400, pattern=pattern)
        found = []
        for count in ("1", "3"):
            monkeypatch.setenv("NUMBA_NUM_THREADS", count)
            monkeypatch.setattr(tokenizer, "blocks_of", lambda some: blocks_of(some, 1 << 14))
            found.append(tok.encode_batch(texts))
        assert all(np.array_equal(a, b) for a, b in zip(*found))
        assert [*found[0][0][:found[0][1][1]]] == tok.encode(texts[0])
