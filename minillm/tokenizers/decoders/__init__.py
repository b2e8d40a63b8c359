"""From the bytes of tokens to text. Read ``joining.py`` first; ``streaming.py`` takes single ids.

``rewriting.py`` has the decoders that other people's files name.
"""
