"""Whole words or characters as tokens. Read ``vocabulary.py`` first: a piece is looked up.

``training.py`` chooses the entries.
"""
