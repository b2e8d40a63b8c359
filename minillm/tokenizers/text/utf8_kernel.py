"""Characters in UTF-8 text, for kernels; the text must be valid."""

import numpy as np

from .machine_kernel import lean


@lean(forceinline=True)
def character_width(byte):
    """Bytes of the character that begins with this byte; 1 for a byte inside a character."""
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


@lean
def code_point(text, i, width):
    """Code point of the character of `width` bytes at i."""
    value = np.int64(text[i])
    if width > 1:
        value &= (1 << (7 - width)) - 1
    for k in range(1, width):
        value = value << 6 | (np.int64(text[i + k]) & 0x3F)
    return value
