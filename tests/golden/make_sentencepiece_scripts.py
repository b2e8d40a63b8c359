"""Make sentencepiece_scripts.txt: the script of each character in sentencepiece 0.2.3's trainer.

Run ``python tests/golden/make_sentencepiece_scripts.py``. The library does not show its table, but
it joins two characters only if it takes them for the same script. So for each character c three
words are tried: "c.", which joins if c is Common or Inherited; "ac", which joins if c is Latin or
Inherited; and c with the first character of the script that today's Unicode gives it.
"""

import io
import sys
from pathlib import Path

import regex
import sentencepiece

CHUNK = 700
TARGET = Path(__file__).parents[2] / "minillm/tokenizers/sentencepiece/sentencepiece_scripts.txt"
HEAD = """\
# Scripts as SentencePiece's trainer sees them: its table is about as old as Unicode 9, so younger
# characters are Common. A line "hex script" begins a run that ends at the next line.
# Made by tests/golden/make_sentencepiece_scripts.py.
"""


def joined(words: list[str]) -> set[str]:
    """Those of the words, two characters each, that the trainer makes a piece of."""
    pieces: set[str] = set()
    for k in range(0, len(words), CHUNK):
        result = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(words[k : k + CHUNK]), model_writer=result, minloglevel=2,
            model_type="bpe", vocab_size=100_000, hard_vocab_limit=False, character_coverage=1.0,
            normalization_rule_name="identity", add_dummy_prefix=False,
        )
        processor = sentencepiece.SentencePieceProcessor(model_proto=result.getvalue())
        pieces |= {processor.id_to_piece(id) for id in range(processor.vocab_size())}
    return pieces


def unicode_scripts() -> dict[int, str]:
    """The script of every assigned code point, by the regex package."""
    points = [point for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    text = "".join(map(chr, points))
    scripts = {}
    lines = [line for line in TARGET.read_text("ascii").splitlines() if not line.startswith("#")]
    for name in {line.split()[1] for line in lines}:  # the names are taken from the last table
        try:
            pattern = regex.compile(rf"\p{{Script={name}}}")
        except regex.error:
            continue
        scripts.update((ord(match.group()), name) for match in pattern.finditer(text))
    return scripts


def main() -> None:
    scripts = unicode_scripts()
    points = [p for p in sorted(scripts) if p not in {0, 9, 10, 13, 0x1F, 32, 0x2581, 0x2585}]
    common = joined([chr(point) + "." for point in points])
    latin = joined(["a" + chr(point) for point in points])
    found = {}
    for point in points:
        if chr(point) + "." in common:
            found[point] = "Inherited" if "a" + chr(point) in latin else "Common"
    rest = [point for point in points if point not in found]
    first: dict[str, int] = {}
    for point in rest:
        first.setdefault(scripts[point], point)
    own = joined([chr(point) + chr(first[scripts[point]]) for point in rest])
    for point in rest:
        if chr(point) + chr(first[scripts[point]]) in own:
            found[point] = scripts[point]
    for point in (0x953, 0x954):  # Inherited today, and once Devanagari
        found[point] = "Devanagari"
    lines, before = [], None
    for point in range(sys.maxunicode + 1):
        script = found.get(point, "Common")
        if script != before:
            lines.append(f"{point:X} {script}")
            before = script
    TARGET.write_text(HEAD + "\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
