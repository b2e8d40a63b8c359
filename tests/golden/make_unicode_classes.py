"""Make minillm/tokenizers/unicode16.txt: the character classes tiktoken's split rules see.

Run ``python tests/golden/make_unicode_classes.py`` with tiktoken 0.14 installed. Every code point
is shown to a pattern that matches one class only; what comes back belongs to the class. Python's
own ``unicodedata`` cannot be asked, because its Unicode version changes with Python's.
"""

from pathlib import Path

import tiktoken

CLASSES = {
    "U": r"[\p{Lu}\p{Lt}]",
    "L": r"\p{Ll}",
    "A": r"[\p{Lm}\p{Lo}]",
    "M": r"\p{M}",
    "N": r"\p{N}",
    "S": r"\s",
}
HEADER = """\
# Character classes of Unicode 16.0. A line "hex class" begins a run that ends at the next line.
# U upper or title case letter, L lower case letter, A letter without case (Lm, Lo), M mark,
# N number, S white space, O anything else. Made by tests/golden/make_unicode_classes.py.
"""


def members(pattern: str, every: str) -> str:
    """The characters of `every` that `pattern` matches."""
    ranks = {bytes([b]): b for b in range(256)}
    probe = tiktoken.Encoding(name="probe", pat_str=pattern, mergeable_ranks=ranks,
                              special_tokens={})
    return bytes(probe.encode_ordinary(every)).decode()


def main() -> None:
    points = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    every = "".join(map(chr, points))
    of = bytearray(b"O" * 0x110000)
    for name, pattern in CLASSES.items():
        for character in members(pattern, every):
            if of[ord(character)] != ord("O"):
                raise SystemExit(f"{character!r} is in two classes")
            of[ord(character)] = ord(name)
    lines, previous = [], None
    for code, kind in enumerate(of):
        if kind != previous:
            lines.append(f"{code:X} {chr(kind)}\n")
            previous = kind
    letters = sum(of.count(k) for k in b"ULA")
    if (letters, of.count(b"N"), of.count(b"S")) != (141_028, 1_911, 25):
        raise SystemExit("these are not the classes of Unicode 16.0")
    target = Path(__file__).parents[2] / "minillm/tokenizers/unicode16.txt"
    target.write_text(HEADER + "".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
