"""Cutting text into pieces. Read ``splitting.py`` first, then ``split_rules.py``.

``metaspace.py``, ``bert.py`` and ``byte_level.py`` are the ways of one family of models each.
"""
