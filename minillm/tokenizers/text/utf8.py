"""Bytes to text when the bytes are not all UTF-8: what to show, and what can be saved.

Three rules are in use for what is broken; ``recover`` finds the most characters that a byte string
holds, as the paper on byte-level BPE does (Wang, Cho and Gu 2020).
"""

REPLACEMENT = "\ufffd"
SECOND = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
LENGTHS = ((0x00, 0x7F, 1), (0xC2, 0xDF, 2), (0xE0, 0xEF, 3), (0xF0, 0xF4, 4))


def character_width(byte: int) -> int:
    """Bytes of the character that begins with this byte of valid UTF-8; 1 for a byte inside one."""
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


def character_length(first: int) -> int:
    """Bytes of a character by its first byte; 0 if no character begins like this."""
    return next((n for low, high, n in LENGTHS if low <= first <= high), 0)


def well_formed(data: bytes, i: int) -> int:
    """How many bytes from i on are a character, or the beginning of one (Unicode, table 3-7).

    The second byte of some characters is bounded more tightly: no character has two spellings,
    none is a surrogate, and none lies beyond U+10FFFF.
    """
    length = character_length(data[i])
    for k in range(1, length):
        low, high = SECOND.get(data[i], (0x80, 0xBF)) if k == 1 else (0x80, 0xBF)
        if i + k == len(data) or not low <= data[i + k] <= high:
            return k
    return length


def decode_replace(data: bytes) -> str:
    """The text, with one U+FFFD for each longest beginning of a character that is cut short.

    This is what ``bytes.decode("utf-8", "replace")`` does.
    """
    text, i = [], 0
    while i < len(data):
        length = well_formed(data, i)
        whole = length > 0 and length == character_length(data[i])
        text.append(data[i : i + length].decode() if whole else REPLACEMENT)
        i += max(length, 1)
    return "".join(text)


def decode_per_byte(data: bytes) -> str:
    """One U+FFFD for each byte that is part of no character: the rule of SentencePiece."""
    text, i = [], 0
    while i < len(data):
        length = well_formed(data, i)
        if length == 0 or length < character_length(data[i]):
            text.append(REPLACEMENT)
            i += 1
        else:
            text.append(data[i : i + length].decode())
            i += length
    return "".join(text)


def decode_whole_run(data: bytes) -> str:
    """All or nothing, the rule of Hugging Face's ByteFallback: one U+FFFD for every byte of a run
    that is not valid as a whole."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return REPLACEMENT * len(data)


def is_character(data: bytes) -> bool:
    """Are these bytes exactly one character?"""
    return (
        0 < len(data) == character_length(data[0]) and well_formed(data, 0) == len(data)
    )


def recover(data: bytes) -> str:
    """The most characters that can be read from `data` when bytes may be passed over.

    best[i] is the number of characters in the first i bytes: either byte i is passed over, or it
    ends a character of 1 to 4 bytes.
    """
    best, width = [0], [0]
    for i in range(1, len(data) + 1):
        best.append(best[i - 1])
        width.append(0)
        for n in range(1, min(4, i) + 1):
            if best[i - n] + 1 > best[i] and is_character(data[i - n : i]):
                best[i], width[i] = best[i - n] + 1, n
    characters, i = [], len(data)
    while i > 0:
        if width[i]:
            characters.append(data[i - width[i] : i].decode())
        i -= width[i] or 1
    return "".join(reversed(characters))
