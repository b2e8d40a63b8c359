"""Scanners: where the piece that starts at byte i ends, by the split rules of GPT-2 and later.

The definitions are the regular expressions in ``split_rules.py``; tests hold the
two together. Text is valid UTF-8. ``classes`` gives the class of each of the 0x110000 code points
(0 other, 1 upper, 2 lower, 3 letter without case, 4 mark, 5 number, 6 space), and a set of classes
is an integer with one bit for each member.
"""

import numpy as np

from ..text.machine_kernel import lean

GIVEN, GPT2, CL100K, CL100K_ORIGINAL, O200K = range(5)
OTHER_CLASS, SPACE_CLASS = 0, 6
OTHER = 1 << 0 | 1 << 4
LETTER = 1 << 1 | 1 << 2 | 1 << 3
NUMBER = 1 << 5
SPACE = 1 << 6
UPPER = 1 << 1 | 1 << 3 | 1 << 4
LOWER = 1 << 2 | 1 << 3 | 1 << 4


@lean
def code_point(text, i):
    """Code point at byte i, and how many bytes it takes."""
    b = np.int64(text[i])
    if b < 0x80:
        return b, 1
    second = np.int64(text[i + 1]) & 0x3F
    if b < 0xE0:
        return (b & 0x1F) << 6 | second, 2
    third = np.int64(text[i + 2]) & 0x3F
    if b < 0xF0:
        return (b & 0x0F) << 12 | second << 6 | third, 3
    return (b & 0x07) << 18 | second << 12 | third << 6 | np.int64(text[i + 3]) & 0x3F, 4


@lean
def member(text, i, n, classes, wanted):
    """Is there a character at i, and is its class in the set `wanted`?"""
    if i >= n:
        return False
    return (wanted >> np.int64(classes[code_point(text, i)[0]])) & 1 == 1


@lean
def run(text, i, n, classes, wanted):
    """End of the longest run of characters of the classes `wanted` that starts at i."""
    while i < n:
        code, width = code_point(text, i)
        if (wanted >> np.int64(classes[code])) & 1 == 0:
            break
        i += width
    return i


@lean
def contraction(text, i, n, any_case):
    """Length of 's 't 'm 'd 'll 've 're at i, or 0. With `any_case` also in capitals, and ſ."""
    if i + 1 >= n or text[i] != 39:
        return 0
    fold = 32 if any_case else 0
    a = text[i + 1] | fold
    if a == 115 or a == 116 or a == 109 or a == 100:
        return 2
    if i + 2 < n:
        b = text[i + 2] | fold
        if (a == 108 and b == 108) or ((a == 118 or a == 114) and b == 101):
            return 3
        if any_case and text[i + 1] == 0xC5 and text[i + 2] == 0xBF:
            return 3
    return 0


@lean
def all_but_last(text, i, end):
    """The white space [i, end) without its last character, unless that is all there is."""
    last = end - 1
    while text[last] & 0xC0 == 0x80:
        last -= 1
    return last if last > i else end


@lean
def gpt2_end(text, i, n, classes):
    """End of the piece that begins at i by the rule gpt2."""
    if text[i] == 39:
        length = contraction(text, i, n, False)
        if length:
            return i + length
    j = i + 1 if text[i] == 32 and i + 1 < n else i
    kind = np.int64(classes[code_point(text, j)[0]])
    if kind != SPACE_CLASS:
        for wanted in (LETTER, OTHER, NUMBER):
            if (wanted >> kind) & 1:
                return run(text, j, n, classes, wanted)
    end = run(text, i, n, classes, SPACE)
    return end if end == n else all_but_last(text, i, end)


@lean
def white_space_end(text, i, n, classes, to_the_end):
    """Rules E, F and G of cl100k: through the last line break, else all but the last space."""
    end = run(text, i, n, classes, SPACE)
    if to_the_end and end == n:
        return end
    j = end - 1
    while j >= i:
        if text[j] == 10 or text[j] == 13:
            return j + 1
        j -= 1
    return end if end == n else all_but_last(text, i, end)


@lean
def digits_end(text, i, n, classes):
    """One to three numbers."""
    for _ in range(3):
        if not member(text, i, n, classes, NUMBER):
            break
        i += code_point(text, i)[1]
    return i


@lean
def symbols_end(text, i, n, classes, slash):
    """An optional space, then other characters, then line breaks; i if there are none."""
    j = i + 1 if text[i] == 32 else i
    end = run(text, j, n, classes, OTHER)
    if end == j:
        return i
    while end < n and (text[end] == 10 or text[end] == 13 or (slash and text[end] == 47)):
        end += 1
    return end


@lean
def cl100k_end(text, i, n, classes, current):
    """End of the piece that begins at i by the rule cl100k and those like it."""
    length = contraction(text, i, n, True)
    if length:
        return i + length
    code, width = code_point(text, i)
    kind = 1 << np.int64(classes[code])
    if kind & LETTER:
        return run(text, i, n, classes, LETTER)
    if kind & NUMBER:
        return digits_end(text, i, n, classes)
    if code != 10 and code != 13 and member(text, i + width, n, classes, LETTER):
        return run(text, i + width, n, classes, LETTER)
    end = symbols_end(text, i, n, classes, False)
    return end if end > i else white_space_end(text, i, n, classes, current)


@lean
def o200k_word(text, p, n, classes, form):
    """End of form 1 (capitals, then small letters) or form 2 (capitals first) at p, else p."""
    u = run(text, p, n, classes, UPPER)
    if form == 2:
        return run(text, u, n, classes, LOWER) if u > p else p
    if member(text, u, n, classes, LOWER):
        return run(text, u, n, classes, LOWER)
    while u > p:
        last = u - 1
        while text[last] & 0xC0 == 0x80:
            last -= 1
        if member(text, last, n, classes, LOWER):
            return u
        u = last
    return p


@lean
def o200k_end(text, i, n, classes):
    """End of the piece that begins at i by the rule o200k."""
    code, width = code_point(text, i)
    kind = 1 << np.int64(classes[code])
    prefix = code != 10 and code != 13 and not kind & (LETTER | NUMBER)
    for form in (1, 2):
        for start in (i + width, i):
            if start > i and not prefix:
                continue
            end = o200k_word(text, start, n, classes, form)
            if end > start:
                return end + contraction(text, end, n, True)
    if kind & NUMBER:
        return digits_end(text, i, n, classes)
    end = symbols_end(text, i, n, classes, True)
    return end if end > i else white_space_end(text, i, n, classes, False)


@lean
def piece_end(text, i, n, rule, classes):
    """End of the piece that starts at byte i of a segment that ends at n."""
    if rule == GPT2:
        return gpt2_end(text, i, n, classes)
    if rule == O200K:
        return o200k_end(text, i, n, classes)
    return cl100k_end(text, i, n, classes, rule == CL100K)


@lean(cache=True, nogil=True)
def piece_ends(text, segments, rule, classes, ends):
    """Write the end of every piece of every segment (n, 2) into `ends`; return how many."""
    count = 0
    for s in range(segments.shape[0]):
        i, n = segments[s, 0], segments[s, 1]
        while i < n:
            i = piece_end(text, i, n, rule, classes)
            ends[count] = i
            count += 1
    return count
