"""Characters in UTF-8 text, for kernels; the text must be valid."""

import numpy as np

from . import utf8
from .machine_kernel import lean

character_width = lean(forceinline=True)(utf8.character_width)


@lean
def code_point(text, i, width):
    """Code point of the character of `width` bytes at i."""
    value = np.int64(text[i])
    if width > 1:
        value &= (1 << (7 - width)) - 1
    for k in range(1, width):
        value = value << 6 | (np.int64(text[i + k]) & 0x3F)
    return value
