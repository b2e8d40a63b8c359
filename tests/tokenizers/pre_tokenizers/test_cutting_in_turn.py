"""Several pre-tokenizers in turn: each piece is looked at once, and spans lead back to the text."""

from dataclasses import dataclass, field

import numpy as np

from minillm.tokenizers import CutInTurn, Metaspace, Split
from minillm.tokenizers.pre_tokenizers.in_turn import InByteAlphabet
from minillm.tokenizers.text.segments import Pieces


@dataclass
class Counting:
    """A step that notes how many characters it is shown."""

    seen: list[int] = field(default_factory=list)

    def cut(self, text):
        self.seen.append(len(text))
        return [(0, len(text))]


def pieces(stage, text):
    data, spans = stage(text)
    return [data[i:j].tobytes().decode() for i, j in spans.tolist()]


def test_work_grows_with_the_text():
    text = "猫坐 cat 12 " * 500
    count = Counting()
    cut = CutInTurn((Split(r"\S+|\s+"), count, Split(r"\d|\D+"), count))
    assert "".join(pieces(cut, text)) == text
    assert sum(count.seen) == 2 * len(text)


def test_a_step_of_ones_own_and_steps_in_steps():
    def halves(text):
        data, middle = text.encode(), len(text[: len(text) // 2].encode())
        edges = [[0, middle], [middle, len(data)]]
        return Pieces(np.frombuffer(data, np.uint8), np.array(edges))

    nested = CutInTurn((CutInTurn((Split(r"\S+"),)), halves, InByteAlphabet()))
    assert pieces(nested, "abcd éé") == ["ab", "cd", "Ã©", "Ã©"]
    text, sources = nested.aligned("abcd éé")
    assert sources[text.index("Ã")].tolist() == [5, 6]


def test_surrogates_keep_their_places():
    cut = CutInTurn((Split(r"\S"), Metaspace()))
    text, sources = cut.aligned("a \ud83d\ude42\udc00")
    assert text == "▁a▁🙂▁\ufffd"
    assert sources.tolist() == [[0, 1], [0, 1], [2, 4], [2, 4], [4, 5], [4, 5]]
