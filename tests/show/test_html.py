"""What notebooks show as HTML: escaped, complete, the same in every run, and checked."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from minillm import show
from minillm.show.html import plain, visible

NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b", "'", "</table>"]
VOID = {"br", "img", "hr"}


class Reader(HTMLParser):
    """Collects tags and text, and notes tags that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def everything(label: str) -> list[show.Html]:
    """One of each function's results, with the label wherever text can stand."""
    two = np.array([[0.25, 0.75], [1.0, 0.0]])
    return [
        show.tokens([label, " x"], [1, 2], title=label),
        show.heatmap(two, [label, "b"], [label, "d"], title=label, row_title=label,
                     column_title=label),
        show.bars({label: 0.5, "b": 0.25}, title=label, unit=label),
        show.attention(two, [label, "b"], title=label),
        show.attention(two, [label, "b"], kind="lines", title=label),
        show.table([(label, 1)], (label, "b"), title=label),
        show.shapes({label: (two, "B T", label)}),
        show.dump(b"\x0a\x01a", [(2, label), (1, "b")], title=label),
        show.beside(show.bars({label: 1.0}), show.table([(label,)])),
    ]


@pytest.mark.parametrize("label", NASTY)
def test_all_text_is_escaped(label: str) -> None:
    """Text that looks like markup is shown, never interpreted."""
    for shown in everything(label):
        reader = Reader(shown._repr_html_())
        assert not {"script", "img"} & set(reader.tags)
        assert label in reader.text or plain(label) in reader.text


def test_output_is_the_same_every_time() -> None:
    """No addresses, counters or dates: nbval compares these outputs to the letter."""
    first, second = everything("猫"), everything("猫")
    assert [s._repr_html_() for s in first] == [s._repr_html_() for s in second]
    for shown in first:
        assert "0x" not in repr(shown)
        assert repr(shown).strip()


def test_white_space_and_broken_bytes_are_visible() -> None:
    """Spaces, newlines and tabs get marks; part of a character is shown as bytes."""
    pieces = [" cat", "\n", "\t", "猫", "\u3000", "", b"\xe4\xbd", "猫".encode(), "\x00", "\ud83d"]
    text = Reader(show.tokens(pieces)._repr_html_()).text
    for mark in ("␣cat", "↵", "⇥", "猫", "□", "empty", "E4 BD", "U+0000", "U+D83D"):
        assert mark in text
    assert text.count("猫") == 2
    assert "10 tokens" in text
    show.tokens(pieces)._repr_html_().encode()  # nothing that UTF-8 cannot write
    repr(show.tokens(pieces)).encode()


def test_marks_of_plain_and_visible_agree() -> None:
    """The printed form carries the same marks as the shown one."""
    for text in (" a", "b\n", b"\xff", "é", "🐈‍⬛"):
        assert Reader(visible(text)).text == plain(text)


def test_tokens_need_one_id_each() -> None:
    """A wrong number of ids is an error that says so."""
    assert "7" in Reader(show.tokens(["a"], np.array([7]))._repr_html_()).text
    with pytest.raises(ValueError, match="ids has 2 entries for 1 pieces"):
        show.tokens(["a"], [1, 2])


def test_heatmap_writes_every_number() -> None:
    """Values are rounded and written; the shade follows sign and size, NaN and infinity show."""
    shown = show.heatmap([[0.001, -2.0], [np.nan, np.inf]], digits=1)
    reader = Reader(shown._repr_html_())
    for number in ("0.0", "−2.0", "NaN", "∞"):
        assert number in reader.text
    assert "-0.0" not in show.heatmap([[-0.001]])._repr_html_()
    assert repr(shown) == "0.0 −2.0\nNaN ∞"
    strong, weak = show.heatmap([[1.0]]), show.heatmap([[0.5]], limit=1.0)
    assert "0.55)" in strong._repr_html_()
    assert "0.28)" in weak._repr_html_()


def test_heatmap_refuses_what_cannot_be_read() -> None:
    """Too large, wrong dimension, labels that do not fit."""
    with pytest.raises(ValueError, match=r"use show\.image"):
        show.heatmap(np.zeros((25, 3)))
    with pytest.raises(ValueError, match="matrix has shape"):
        show.heatmap(np.zeros(3))
    with pytest.raises(ValueError, match="columns has 1 labels"):
        show.heatmap(np.zeros((2, 2)), ["a", "b"], ["a"])


def test_bars_are_proportional() -> None:
    """The longest bar is full, a half is half; negative numbers and NaN are refused."""
    html = show.bars({"a": 0.5, "b": 0.25, "c": 0.0})._repr_html_()
    assert re.findall(r"calc\(([\d.]+)%", html) == ["100.0", "50.0", "0.0"]
    for bad in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="negative or NaN"):
            show.bars({"a": bad})


def test_attention_lines_carry_their_weights() -> None:
    """One line per positive weight, wider for larger ones, each with a title in words."""
    weights = np.array([[1.0, 0.0], [0.25, 0.75]])
    html = show.attention(weights, ["猫", " sat"], kind="lines")._repr_html_()
    titles = re.findall(r"<title>(.+? → .+?)</title>", html)
    assert titles == ["猫 → 猫: 1.00", "␣sat → 猫: 0.25", "␣sat → ␣sat: 0.75"]
    widths = [float(w) for w in re.findall(r'stroke-width="([\d.]+)"', html)]
    assert widths[0] > widths[2] > widths[1]
    with pytest.raises(ValueError, match="one row per query"):
        show.attention(weights, ["a"])
    with pytest.raises(ValueError, match="'cells' or 'lines'"):
        show.attention(weights, ["a", "b"], kind="dots")


def test_shapes_are_checked() -> None:
    """Letters stand for one size each; a wrong shape is an error that says which."""
    x = np.zeros((2, 3, 4))
    text = repr(show.shapes({"x": (x, "B T C", "in"), "w": (np.zeros((4, 12)), "C 3*C", "w")}))
    assert "x | (B, T, C) | (2, 3, 4) | in" in text
    with pytest.raises(ValueError, match="C = 4"):
        show.shapes({"x": (x, "B T C", ""), "y": (np.zeros((5,)), "C", "")})
    with pytest.raises(ValueError, match="its letters"):
        show.shapes({"x": (x, "B T", "")})
    with pytest.raises(ValueError, match="B = 7"):
        show.shapes({"x": (x, "B T C", "")}, B=7)
    with pytest.raises(ValueError, match="C = 12"):
        show.shapes({"w": (np.zeros((4, 11)), "C 3*C", "")})


def test_table_aligns_numbers_and_counts_cells() -> None:
    """Columns of numbers stand to the right; a row of another length is refused."""
    html = show.table([("a", "1,024"), ("b", "−2.5")], ("name", "size"))._repr_html_()
    assert html.count("text-align:right") == 3
    with pytest.raises(ValueError, match="row 1 has 1 cells"):
        show.table([("a", 1), ("b",)])


def test_trees_rise_with_the_rank_of_their_merges() -> None:
    """A later merge is drawn higher; leaves keep their order and are escaped."""
    shown = show.trees([("<b>", ("a", b"\xe4", 3), 9), "猫"], title='"tree"')
    assert repr(shown) == "(<b> (a E4)) 猫"
    html = shown._repr_html_()
    assert 'role="img"' in html
    assert html.count('aria-label="&quot;tree&quot;"') == 2
    texts = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</text>', html)
    place = {text: (float(x), float(y)) for x, y, text in texts}
    leaves = ["&lt;b&gt;", "a", "E4", "猫"]
    assert sorted(leaves, key=[text for *_, text in texts].index) == leaves
    assert place["9"][1] < place["3"][1] < place["a"][1]


def test_trees_of_bytes_name_the_characters() -> None:
    """Below its bytes stands each character of more than one, also beside a broken one."""
    leaves = [bytes([byte]) for byte in "中a".encode() + b"\xe4"]
    html = show.trees([((((leaves[0], leaves[1], 0), leaves[2], 1), leaves[3], 2), leaves[4], 3)])
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", html._repr_html_())
    assert texts == ["E4", "B8", "0", "AD", "1", "a", "2", "E4", "3", "中"]
