"""A stand-in tokenizer: one id per character, with the methods the datasets ask for."""

import numpy as np


class Letters:
    """Characters of ``alphabet`` as ids; the end token has the last id."""

    def __init__(self, alphabet, vocab_size=None):
        self.ids = {c: i for i, c in enumerate(sorted(set(alphabet)))}
        self.vocab_size = vocab_size or len(self.ids) + 1

    def token_to_id(self, token):
        return self.vocab_size - 1 if token == "<|endoftext|>" else self.ids.get(token)

    def encode_array(self, text):
        return np.array([self.ids[c] for c in text], dtype=np.int32)

    def encode_batch(self, texts):
        offsets = np.cumsum([0, *map(len, texts)])
        return np.concatenate([self.encode_array(text) for text in texts]), offsets
