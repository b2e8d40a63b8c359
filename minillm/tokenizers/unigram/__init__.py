"""The unigram model. Read ``most_probable.py`` first (Viterbi), then ``lattice.py``.

``expectation.py`` and ``training.py`` learn it; ``array_training.py`` and ``bulk.py`` do the same
with kernels.
"""
