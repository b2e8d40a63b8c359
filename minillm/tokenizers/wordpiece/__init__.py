"""WordPiece (BERT). Read ``longest_match.py`` first: the longest entry that a word begins with.

``training.py`` stands on the learner of ``bpe``; ``bulk.py`` runs the kernels.
"""
