"""English words of the stories that are a pet's name here and a thing there."""

import re
from collections import Counter

import numpy as np

from minillm.data import stories
from minillm.models import LSTM, RecurrentConfig, Word2Vec, Word2VecConfig
from minillm.training import AdamW
from minillm.vectors import linear_probe

WORDS = ("muffin", "biscuit", "button", "feather", "marble", "pebble")
CONTEXT = 96


def test_names_and_things():
    """Without capitals, a probe tells them apart in context, and not by their static vectors."""
    texts = [re.findall(r"[A-Za-z-]+|[^\w\s]", story) for story in stories.corpus(4000, seed=5)]
    plain = [[word.lower() for word in text] for text in texts]
    places = [(d, i, text[i][0].isupper()) for d, text in enumerate(texts)
              for i in range(min(len(text), CONTEXT - 1)) if plain[d][i] in WORDS]
    where, _, name = (np.array(column) for column in zip(*places, strict=True))
    name, learned = name.astype(int), where < 2000
    most = max(name[~learned].mean(), 1 - name[~learned].mean())  # by always the same answer
    assert 40 < learned.sum() < 200
    assert most < 0.9

    vectors = Word2Vec(plain, Word2VecConfig(width=32, epochs=2, least=3)).train().vectors
    static = np.array([vectors[plain[d][i]] for d, i, _ in places])
    found = linear_probe(static[learned], name[learned]).accuracy(static[~learned], name[~learned])
    assert found < most + 0.05

    common = Counter(word for text in plain for word in text).most_common(1200)
    index = {word: i for i, (word, _) in enumerate(common, 2)}
    ids = np.zeros((len(plain), CONTEXT + 1), int)  # 0: padding, 1: the beginning, or a rare word
    for row, text in zip(ids, plain, strict=True):
        row[:len(text) + 1] = [1, *(index.get(word, 1) for word in text)][:CONTEXT + 1]
    model = LSTM(RecurrentConfig(vocab_size=len(index) + 2, context=CONTEXT, layers=1, width=48))
    optimizer, rng = AdamW(model, lr=1e-2, weight_decay=0.01), np.random.default_rng(0)
    for _ in range(150):
        batch = ids[rng.integers(0, len(ids), 32)]
        model.grads[:] = 0
        model.loss(batch[:, :-1], np.where(batch[:, 1:] > 0, batch[:, 1:], -100))
        model.backward()
        optimizer.clip(1.0)
        optimizer.step()
    context = np.array([model.hidden(ids[d:d + 1, :-1])[0, i + 1] for d, i, _ in places])
    probe = linear_probe(context[learned], name[learned])
    assert probe.accuracy(context[~learned], name[~learned]) > 0.95
