"""Make pre_tokenizers/unicode_scripts.txt: scripts as Hugging Face's library sees them.

Run ``python tests/golden/make_unicode_scripts.py`` with tokenizers 0.23 installed. The
pre-tokenizer cuts where the script changes, so every code point is put beside others: those that
are cut from neither an ``a`` nor an ideograph have any script, and the others are sorted by whom
they are cut from. A script is named by a number; Hiragana, Katakana and ー count as Han there.
"""

from pathlib import Path

from tokenizers.pre_tokenizers import UnicodeScripts

HEADER = """\
# Scripts as the pre-tokenizer UnicodeScripts sees them. Made by
# tests/golden/make_unicode_scripts.py. A line "hex script" begins a run that ends at the next line;
# script 0: any.
"""


def places(text: str) -> set[int]:
    """Where the pre-tokenizer begins a piece."""
    return {start for _, (start, _) in UnicodeScripts().pre_tokenize_str(text)}


def cut_from(characters: list[str], beside: str) -> list[bool]:
    """Is each character cut from the one beside it?"""
    cuts = places("".join(beside + character for character in characters))
    return [2 * k + 1 in cuts for k in range(len(characters))]


def scripts() -> dict[int, int]:
    """A number for the script of every code point."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    beside = zip(cut_from(characters, "a"), cut_from(characters, "文"))
    found = {ord(c): 0 for c, cuts in zip(characters, beside) if not any(cuts)}
    left = [c for c in characters if ord(c) not in found]
    cuts = places("".join(left))
    starts = [k for k in range(len(left)) if k in cuts or k == 0]
    first = [left[k] for k in starts]  # of runs of one script
    of_run: dict[int, int] = {}
    for k, character in enumerate(first):
        if k not in of_run:
            number = len(set(of_run.values())) + 1
            same = [n for n in range(k, len(first)) if n not in of_run]
            apart = cut_from([first[n] for n in same], character)
            of_run.update({n: number for n, cut in zip(same, apart) if not cut})
    for k, (start, end) in enumerate(zip(starts, [*starts[1:], len(left)])):
        found.update({ord(c): of_run[k] for c in left[start:end]})
    return found


def main() -> None:
    found = scripts()
    lines, before = [], None
    for code in range(0x110000):
        now = found.get(code, before)  # surrogates as what comes before them
        if now != before:
            lines.append(f"{code:X} {now}\n")
        before = now
    path = Path(__file__).parents[2] / "minillm/tokenizers/pre_tokenizers/unicode_scripts.txt"
    path.write_text(HEADER + "".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
