"""Whole words or characters as tokens: a piece is looked up. All of it is in ``vocabulary.py``."""
