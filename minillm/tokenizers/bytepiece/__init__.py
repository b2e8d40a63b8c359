"""BytePiece: the best cut of bytes by counts. Read ``best_cut.py`` first, then ``ngrams.py``.

``training.py`` finds the pieces; ``trie.py`` and the kernels do the same over arrays.
"""
