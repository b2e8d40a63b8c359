"""What trainers share: counting the different pieces of texts. Read ``distinct_pieces.py`` first.

``vocabulary_room.py`` checks sizes and numbers special tokens.
"""
