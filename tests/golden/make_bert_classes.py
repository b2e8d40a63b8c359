"""Make text/bert_classes.txt: how Hugging Face tokenizers 0.23 sees each character.

Run ``python tests/golden/make_bert_classes.py`` with tokenizers installed, on Python 3.11. Every
code point is shown to the library's normalizers and to its pre-tokenizer. Its tables are older
(punctuation of Unicode 8, decompositions of Unicode 12) and newer (small letters of Unicode 16)
than Python's, so the differences are written down too.
"""

import unicodedata
from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

OFF = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
HEADER = """\
# Characters as BERT's normalizer and pre-tokenizer see them, made by
# tests/golden/make_bert_classes.py. A line "hex class" begins a run that ends at the next line:
# D deleted by clean_text, S space, P punctuation, N mark that does not take room (Mn), M another
# mark, V white space to the pre-tokenizer that clean_text deletes, K anything else.
# Then "lower hex text" and "frozen hex": small letters, and characters that keep their form under
# NFD, NFC, NFKD and NFKC, where Python 3.11 does something else.
"""


def main() -> None:
    clean = normalizers.BertNormalizer(**{**OFF, "clean_text": True})
    nonspacing = normalizers.BertNormalizer(**{**OFF, "strip_accents": True})
    marks, lower = normalizers.StripAccents(), normalizers.Lowercase()
    forms = {form: getattr(normalizers, form)() for form in ("NFC", "NFD", "NFKC", "NFKD")}
    cut = pre_tokenizers.BertPreTokenizer()
    lines, extra, previous = [], [], None
    for code in range(0x110000):
        character = chr(code)
        kind = "K"
        if not 0xD800 <= code < 0xE000:
            pieces = [piece for piece, _ in cut.pre_tokenize_str(f"a{character}b")]
            deleted = clean.normalize_str(f"a{character}b") == "ab"
            if pieces == ["a", "b"]:
                kind = "V" if deleted else "S"
            elif deleted:
                kind = "D"
            elif len(pieces) == 3:
                kind = "P"
            elif marks.normalize_str(character) == "":
                kind = "N" if nonspacing.normalize_str(character) == "" else "M"
            small = lower.normalize_str(character)
            if small != character.lower():
                extra.append(f"lower {code:X} {small}\n")
            order = unicodedata.combining(character)
            if order:  # a mark: is it sorted among others?
                pair = f"a{character}\u0323" if order > 220 else f"a\u0301{character}"
                if forms["NFD"].normalize_str(pair) != unicodedata.normalize("NFD", pair):
                    extra.append(f"frozen {code:X}\n")
                    order = -1
            for form, normalize in forms.items() if order >= 0 else ():
                theirs = normalize.normalize_str(character)
                if theirs != unicodedata.normalize(form, character):
                    if theirs != character:
                        raise SystemExit(f"{form} of {code:X} is {theirs!r}")
                    extra.append(f"frozen {code:X}\n")
                    break
        if kind != previous:
            lines.append(f"{code:X} {kind}\n")
            previous = kind
    path = Path(__file__).parents[2] / "minillm/tokenizers/text/bert_classes.txt"
    path.write_text(HEADER + "".join(lines + extra), encoding="utf-8")


if __name__ == "__main__":
    main()
