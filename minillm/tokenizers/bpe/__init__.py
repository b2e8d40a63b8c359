"""Byte-pair encoding. Read ``merges.py`` first: learning and applying merges, in plain Python.

``byte_bpe.py`` and ``character_bpe.py`` are the models, ``dropout.py`` their random segmentations,
``training.py`` goes from texts to stages; the kernels must equal the definitions.
"""
