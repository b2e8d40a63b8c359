"""Pictures of steps and arrays, and the race between two functions."""

import re
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from minillm import show
from minillm.backends import active_backend
from minillm.show.diagrams import WIDTH


def drawn(shown: show.Html) -> ET.Element:
    """The drawing; nothing of it lies outside."""
    svg = ET.fromstring(shown.html)
    width, height = map(float, svg.get("viewBox").split()[2:])
    assert width == WIDTH
    for box in svg.iter("rect"):
        assert float(box.get("x")) >= 0
        assert float(box.get("x")) + float(box.get("width")) <= width
        assert float(box.get("y")) + float(box.get("height")) <= height
    assert min(float(text.get("font-size")) for text in svg.iter("text")) >= 11
    return svg


def words(svg: ET.Element) -> list[str]:
    """All texts of a drawing."""
    return [text.text for text in svg.iter("text")]


def test_flow() -> None:
    """A box for each step, an arrow between two, dashed ones back, a way around; text escaped."""
    shown = show.flow([("ids", "(B, T)"), "<embed>", "logits"], back=["dx", "dz"], skips=[(1, 1)],
                      here=[1])
    svg = drawn(shown)
    assert words(svg) == ["ids", "(B, T)", "dx", "<embed>", "dz", "logits"]
    assert len(list(svg.iter("rect"))) == 3
    assert len([p for p in svg.iter("path") if p.get("stroke-dasharray")]) == 2
    assert [r.get("stroke-width") for r in svg.iter("rect")] == ["1", "2.5", "1"]
    assert repr(shown) == "ids (B, T) → <embed> → logits; back: dz, dx"
    assert svg.get("aria-label") == repr(shown)


def test_flow_goes_round() -> None:
    """A loop is one dashed arrow beside the boxes, from the last to the first."""
    plain, shown = show.flow(["text", "model", "rule"]), show.flow(["text", "model", "rule"],
                                                                   loop="append")
    assert repr(shown) == "text → model → rule; from the last to the first: append"
    assert shown._repr_html_().count("stroke-dasharray") == 1
    assert "stroke-dasharray" not in plain._repr_html_()


def test_flow_refuses() -> None:
    """Gradients for other arrows than there are, ways around steps there are not."""
    with pytest.raises(ValueError, match="expected one for each of the 1 arrows"):
        show.flow(["a", "b"], back=["da", "db"])
    with pytest.raises(ValueError, match="expected steps from 0 to 1"):
        show.flow(["a", "b"], skips=[(1, 2)])


def test_arrays() -> None:
    """Cells as shapes say, numbers where there are some, marks, and shapes in letters."""
    shown = show.arrays([("Q", "T D"), "@", ("v", np.array([0.25, 2.0]))], T=3, D=2,
                        mark={"Q": (1, None)})
    svg = drawn(shown)
    assert words(svg) == ["Q", "(T, D)", "@", "0.25", "2", "v", "(2)"]
    boxes = list(svg.iter("rect"))
    assert len(boxes) == 3 * 2 + 2
    assert [i for i, box in enumerate(boxes) if box.get("stroke-width") == "2.5"] == [2, 3]
    assert repr(shown) == "Q (T, D) @ v (2)"


def test_arrays_go_on_in_the_next_line() -> None:
    """What finds no room beside the others stands below them."""
    svg = drawn(show.arrays([("a", np.eye(6)), ("b", np.eye(6))]))
    tops = {float(box.get("y")) for box in svg.iter("rect")}
    assert len(tops) == 12


@pytest.mark.parametrize(("content", "message"), [
    ("T X", "each with its size"),
    (np.zeros((1, 13)), "at most 12 columns"),
    (np.zeros((2, 2, 2)), "expected one or two axes"),
])
def test_arrays_refuse(content, message) -> None:
    """Letters without a size and arrays that cannot be drawn."""
    with pytest.raises(ValueError, match=message):
        show.arrays([("x", content)], T=3)


def test_race_takes_turns() -> None:
    """Each warms up once, then all take turns; the slower one has the larger median."""
    calls = []

    def slow() -> None:
        calls.append("slow")
        time.sleep(0.02)

    race = show.race({"slow": slow, "fast": lambda: calls.append("fast")}, rounds=3)
    assert calls == ["slow", "fast"] * 4
    assert race.seconds["slow"] > race.seconds["fast"]
    assert race.ratio == race.seconds["slow"] / race.seconds["fast"]
    assert re.search(r"slow +\d.* ms", repr(race))
    assert "times as fast as the first" in repr(race)


def test_race_between_the_backends() -> None:
    """One function runs under both."""
    seen = []
    race = show.race(lambda: seen.append(active_backend()), rounds=1)
    assert seen == ["numpy", "numba"] * 2
    assert list(race.seconds) == ["numpy", "numba"]
    with pytest.raises(ValueError, match="at least two"):
        show.race({"alone": seen.clear})
