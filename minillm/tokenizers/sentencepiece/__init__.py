"""SentencePiece's own normalizer, BPE and trainer. Read ``normalizer.py`` and ``merging.py`` first.

``model_file.py`` holds what a `.model` file says and ``model_stages.py`` makes stages of it; the
unigram model is that of ``unigram``.
"""
