"""Cutting text into pieces. Read ``split_rules.py`` first.

``metaspace.py`` and ``bert.py`` are the ways of one family of models each.
"""
