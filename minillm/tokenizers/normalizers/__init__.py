"""Rewriting text before it is cut. Read ``rewriting.py`` first.

``alignment.py`` finds the way back to the original; ``charsmap*.py`` are compiled tables of rules.
"""
