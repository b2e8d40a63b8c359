"""Cutting text into pieces. Read ``split_rules.py`` first.

``metaspace.py``, ``bert.py`` and ``byte_level.py`` are the ways of one family of models each.
"""
