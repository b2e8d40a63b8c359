"""Regular expressions as data. Read ``tree.py`` first, then ``reading.py`` and ``writing.py``.

``named_rules.py`` holds GPT's split rules, and finds matches with the regex library.
"""
