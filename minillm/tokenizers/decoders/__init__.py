"""From the bytes of tokens to text. Read ``joining.py`` first; ``streaming.py`` takes one id a time.

``rewriting.py`` has the decoders that other people's files name.
"""
