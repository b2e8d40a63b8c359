"""word2vec on the stories: minillm against gensim, one thread each, equal quality.

Quality: of the words of some classes (names, animals, places, foods, colours), how many have as
their nearest among all these words one of their own class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from minillm import blas
from minillm.data import stories
from minillm.models import Word2Vec, Word2VecConfig
from minillm.vectors import WordVectors, cosine

from .row import Row, print_rows
from .timing import median_times, seconds

STORIES, ROUNDS, EPOCHS = 10_000, 3, 2
CLASSES = ("person", "animal", "place", "treat", "colour")
WORD = re.compile(r"[A-Za-z-]+|[^\w\s]")


def classes() -> dict[str, str]:
    """The class of each word of the story grammar that is one word and in one class only."""
    lists, found = stories.grammar("en").lists, {}
    for kind in CLASSES:
        for entry in lists[kind]:
            found.setdefault(entry["name"], set()).add(kind)
    return {word: kinds.pop() for word, kinds in found.items()
            if len(kinds) == 1 and WORD.fullmatch(word)}


def quality(vectors: WordVectors) -> float:
    """Share of the words whose nearest is of their class."""
    kinds = {word: kind for word, kind in classes().items() if word in vectors}
    x = np.array([vectors[word] for word in kinds])
    cosines = cosine(x, x)
    np.fill_diagonal(cosines, -2)
    labels = np.array(list(kinds.values()))
    return float((labels[cosines.argmax(axis=1)] == labels).mean())


def rows() -> Iterator[Row]:
    from gensim.models import Word2Vec as Gensim

    documents = [WORD.findall(text) for text in stories.corpus(STORIES, seed=1)]
    words = EPOCHS * sum(map(len, documents))
    Word2Vec(documents[:100]).train()  # compiles
    Word2Vec(documents[:100], Word2VecConfig(cbow=True)).train()
    for cbow in (False, True):
        last = {}

        def ours(cbow=cbow, last=last) -> float:
            last["ours"] = Word2Vec(documents, Word2VecConfig(cbow=cbow, epochs=EPOCHS))
            return seconds(last["ours"].train)

        def theirs(cbow=cbow, last=last) -> float:
            model = Gensim(vector_size=100, window=5, negative=5, sg=int(not cbow), sample=1e-3,
                           min_count=5, workers=1, seed=1)
            model.build_vocab(documents)
            last["theirs"] = model.wv
            return seconds(model.train, documents, total_examples=len(documents), epochs=EPOCHS)

        with blas.one_thread():
            a, b = median_times(ROUNDS, ours, theirs)
        mine = quality(last["ours"].vectors)
        other = quality(WordVectors(last["theirs"].index_to_key, last["theirs"].vectors))
        assert mine > other - 0.02, (mine, other)
        yield Row(f"word2vec, {'CBOW' if cbow else 'skip-gram'}, {words / 1e6:.1f} M words",
                  "gensim, one thread", words / a / 1e6, words / b / 1e6, "M words/s", b / a,
                  f"nearest of the same class: {mine:.1%} against {other:.1%}")


if __name__ == "__main__":
    print_rows(rows())
