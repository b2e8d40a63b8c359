"""Reading the two long parts of a tokenizer.json: the vocabulary and the merges.

Only plain ones are read. At anything else a function here gives up, with -1 for the place where it
would go on, and leaves the file to Python's JSON reader, which knows what is wrong with it.
"""

from ..text.machine_kernel import lean

QUOTE, BACKSLASH, COMMA, COLON, SPACE = (ord(mark) for mark in '"\\,: ')
LEFT_BRACKET, RIGHT_BRACKET, RIGHT_BRACE = (ord(mark) for mark in "[]}")
DIGITS = 8  # of the longest number, which is not too large for an id
U, ZERO, NINE, SMALL_A = (ord(mark) for mark in "u09a")
ESCAPED = b'"\\/bfnrt'
MEANT = b'"\\/\b\f\n\r\t'


@lean(forceinline=True)
def after_space(text, i):
    """Where the next byte stands that is no white space."""
    while 0 <= i < text.size and text[i] in (32, 10, 13, 9):
        i += 1
    return i


@lean(forceinline=True)
def stands(text, i, byte):
    """Does this byte stand here?"""
    return 0 <= i < text.size and text[i] == byte


@lean(forceinline=True)
def behind(text, i, byte):
    """The place behind this byte, which comes next except for white space, or -1."""
    i = after_space(text, i)
    return i + 1 if stands(text, i, byte) else -1


@lean
def escaped(text, i):
    """(the character of the escape whose backslash is before i, where it ends).

    Half a character is one too: what is written of it is no UTF-8, which is found later.
    """
    for k in range(len(ESCAPED)):
        if stands(text, i, ESCAPED[k]):
            return MEANT[k], i + 1
    if not stands(text, i, U) or i + 5 > text.size:
        return 0, -1
    code = 0
    for k in range(i + 1, i + 5):
        byte = int(text[k])
        digit = byte - ZERO if byte <= NINE else (byte | 32) - SMALL_A + 10
        if not 0 <= digit < 16 or (byte > NINE and digit < 10):
            return 0, -1
        code = code << 4 | digit
    return code, i + 5


@lean(forceinline=True)
def put_character(code, out, n):
    """Write a character below U+10000 as UTF-8; returns where it ends."""
    if code < 0x80:
        out[n] = code
        return n + 1
    if code < 0x800:
        out[n] = 0xC0 | code >> 6
    else:
        out[n] = 0xE0 | code >> 12
        n += 1
        out[n] = 0x80 | (code >> 6 & 63)
    out[n + 1] = 0x80 | (code & 63)
    return n + 2


@lean
def read_string(text, i, out, n):
    """Write the string whose first byte is text[i] to out[n:]; returns where both go on."""
    while 0 <= i < text.size and text[i] >= SPACE:
        if text[i] == QUOTE:
            return i + 1, n
        if text[i] == BACKSLASH:
            code, i = escaped(text, i + 1)
            n = put_character(code, out, n)
        else:
            out[n] = text[i]
            i, n = i + 1, n + 1
    return -1, n


@lean
def read_number(text, i):
    """(a whole number, where it ends)."""
    i = after_space(text, i)
    start, number = i, 0
    while 0 <= i < text.size and ZERO <= text[i] <= NINE and i - start < DIGITS:
        number = 10 * number + int(text[i]) - ZERO
        i += 1
    if i <= start or (text[start] == ZERO and i > start + 1):
        return 0, -1
    return number, i


@lean(cache=True)
def read_vocabulary(text, i, names, starts, ids):
    """Read tokens and their ids, an object whose first byte is text[i].

    Returns how many they are and where the object ends. Token k is names[starts[k]:starts[k + 1]].
    """
    count, starts[0] = 0, 0
    while i >= 0:
        i, starts[count + 1] = read_string(text, behind(text, i, QUOTE), names, starts[count])
        ids[count], i = read_number(text, behind(text, i, COLON))
        count, i = count + 1, after_space(text, i)
        if stands(text, i, RIGHT_BRACE):
            return count, i + 1
        i = behind(text, i, COMMA)
    return 0, i


@lean(cache=True)
def read_merges(text, i, names, edges):
    """Read merges, an array whose first byte is text[i], each of them "a b" or ["a", "b"].

    Returns how many they are and where the array ends. edges (n, 3): where in `names` the first
    token of a merge begins, the second one begins, and it ends.
    """
    count, n = 0, 0
    while i >= 0:
        start, i = n, after_space(text, i)
        if stands(text, i, LEFT_BRACKET):
            i, middle = read_string(text, behind(text, i + 1, QUOTE), names, n)
            i = behind(text, behind(text, i, COMMA), QUOTE)
            i, n = read_string(text, i, names, middle)
            i = behind(text, i, RIGHT_BRACKET)
        else:
            i, n = read_string(text, behind(text, i, QUOTE), names, n)
            middle, n = without_space(names, start, n)
        if not start < middle < n:
            return 0, -1
        edges[count, 0], edges[count, 1], edges[count, 2] = start, middle, n
        count, i = count + 1, after_space(text, i)
        if stands(text, i, RIGHT_BRACKET):
            return count, i + 1
        i = behind(text, i, COMMA)
    return 0, i


@lean
def without_space(names, start, end):
    """Take out the only space of names[start:end]; returns where it stood, and the new end."""
    middle = start
    while middle < end and names[middle] != SPACE:
        middle += 1
    for k in range(middle + 1, end):
        if names[k] == SPACE:
            return end, end
        names[k - 1] = names[k]
    return middle, end - 1
