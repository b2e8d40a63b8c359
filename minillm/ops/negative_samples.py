"""word2vec's task: tell the word that stands in a window from words drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..backends import twin
from .activation import sigmoid


def negative_sampling(x, u, ids):
    """L = -Σ_j [log σ(x_j · u_0) + Σ_k log σ(-x_j · u_k)], k = 1 … K.

    x: (N, C), u: (1 + K, C): of the true word, then of words drawn at random; ids: (1 + K,), their
    ids. A drawn word that is the true one does not count.
    Source: Mikolov et al. (2013), Distributed representations of words and phrases, equation 4.
    """
    s = x @ u.T
    s[:, 0] *= -1
    return float((np.logaddexp(0, s) * counted(ids)).sum())


def negative_sampling_backward(x, u, ids):
    """dx = e u and du = eᵀ x, where e is σ(x u^T), less 1 for the true word.

    x: (N, C), u: (1 + K, C), ids: (1 + K,) -> dx and du, of the shapes of x and u.
    """
    e = sigmoid(x @ u.T)
    e[:, 0] -= 1
    e *= counted(ids)
    return e @ u, e.T @ x


def counted(ids):
    """False for a drawn word that is the true one, the first."""
    counts = ids != ids[0]
    counts[0] = True
    return counts


def windows(ids, start, reach, negatives) -> Iterator[tuple]:
    """(i, the words around place i, the word there and those drawn), place after place.

    ids: (N,), documents one after another; start: (D + 1,), where each begins and the last ends;
    reach: (N,), how far to look to both sides; negatives: (N, K). Places without a neighbour in
    their document are left out.
    """
    for first, end in pairwise(start):
        for i in range(first, end):
            before = ids[max(first, i - reach[i]):i]
            around = np.concatenate([before, ids[i + 1:min(end, i + 1 + reach[i])]])
            if len(around):
                yield i, around, np.concatenate([ids[i:i + 1], negatives[i]])


@twin
def skip_gram(inputs, outputs, ids, start, reach, negatives, rates):
    """Change the tables by one step of gradient descent at each place, in turn.

    Each word around a place tells the word there from those drawn. inputs, outputs: (V, C),
    changed in place; ids, start, reach, negatives: see windows; rates: (N,). What is drawn at a
    place serves all its neighbours, so that their steps are three products of small matrices.
    Sources: Mikolov et al. (2013); shared negatives: Ji et al. (2016), section 3.
    """
    for i, around, words in windows(ids, start, reach, negatives):
        dx, du = negative_sampling_backward(inputs[around], outputs[words], words)
        np.subtract.at(inputs, around, rates[i] * dx)  # a word may stand there twice
        np.subtract.at(outputs, words, rates[i] * du)


@twin
def bag_of_neighbours(inputs, outputs, ids, start, reach, negatives, rates):
    """As skip_gram, but the mean of the vectors around a place tells the word there: CBOW.

    Each of n neighbours gets a part 1/n of the gradient, as calculus has it; word2vec's first
    program gave each the whole of it.
    Sources: Mikolov et al. (2013), Efficient estimation of word representations, section 3.1;
    İrsoy et al. (2021), section 2.
    """
    for i, around, words in windows(ids, start, reach, negatives):
        x = inputs[around].mean(axis=0, keepdims=True)
        dx, du = negative_sampling_backward(x, outputs[words], words)
        np.subtract.at(inputs, around, rates[i] * dx / inputs.dtype.type(len(around)))
        np.subtract.at(outputs, words, rates[i] * du)
