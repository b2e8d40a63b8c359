"""The lattice: bricks that do not overlap, escaped, marks not by colour alone."""

import re

import pytest

from minillm import show
from minillm.show.lattices import arranged


def test_bricks():
    edges = [(0, 1, "<b>", -1.0), (1, 2, "猫", -2.25), (0, 2, b"\xe4\xb8", -0.5), (1, 3, "x", -1)]
    shown = show.lattice(edges, path=[(0, 2)], title='a "lattice"')
    assert "<b>" not in shown.html
    assert "&lt;b&gt;" in shown.html
    assert "&quot;lattice" in shown.html
    assert shown.text.splitlines() == ["0-1 <b> -1.00", "0-2 E4 B8 -0.50 *", "1-2 猫 -2.25",
                                       "1-3 x -1.00"]
    width, least, most = re.search(  # it fills its column, but stays legible
        r'viewBox="0 0 (\d+) \d+".*min-width:([\d.]+)px;max-width:([\d.]+)px', shown.html
    ).groups()
    assert float(least) < int(width) < float(most)
    boxes = re.findall(r"<rect[^>]*>", shown.html)
    assert sum("dasharray" in box for box in boxes) == 3
    assert sum('stroke-width="3"' in box for box in boxes) == 1
    assert len(arranged(edges)) == 3
    with pytest.raises(ValueError, match="empty"):
        show.lattice([])
