"""A Matplotlib figure as SVG inside the page: its text is text, its colours follow the theme."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

from .html import SANS

INK, AXIS, GRID = "#2b2b2b", "#777777", "#dddddd"
COLOURS = ("#0072B2", "#D55E00", "#00795A", "#A8487E", "#8A6100", "#3A7CA5")
LARGEST = 80_000  # characters of one drawing
# What the page may set; the colours above stand where it sets nothing.
THEME = {INK: "currentColor", AXIS: "var(--plot-axis,#777777)", GRID: "var(--plot-grid,#7f7f7f44)"}
THEME |= {colour: f"var(--plot-{i},{colour})" for i, colour in enumerate(COLOURS, 1)}
FAMILY = re.compile(r"font-family: [^;\"]*;? ?")  # the page's is taken
NUMBER = re.compile(r"-?\d+\.\d{2,}")
# Attributes that hold coordinates get single quotes: the comparison of stored with fresh outputs
# leaves them out, since they differ between processors.
PLACES = re.compile(r' (d|x|y|points|transform|width|height|href|id|clip-path)="([^"]*)"')


def svg(figure: Any, text: str, kind: str) -> str:
    """The figure as an SVG element of class ``kind``, named ``text``."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"{text} {kind}"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    whole = buffer.getvalue()
    box = re.search(r'viewBox="[^"]*"', whole)[0]  # type: ignore[index]
    body = whole[whole.index(">", whole.index("<svg")) + 1:whole.rindex("</svg>")]
    body = re.sub(r"<style.*?</style>|<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r"<defs>\s*</defs>|\s*\n\s*", " ", body).replace("xlink:href", "href")
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # the same names in every plot of a page
    body = PLACES.sub(lambda found: f" {found[1]}='{NUMBER.sub(rounded, found[2])}'", body)
    body = FAMILY.sub("", body)
    for colour, themed in THEME.items():
        body = re.sub(colour, themed, body, flags=re.I)
    if len(body) > LARGEST:
        raise ValueError(f"the drawing of {text!r} has {len(body):,} characters, expected at most "
                         f"{LARGEST:,}; plot fewer points, or every n-th")
    style = f"width:100%;height:auto;stroke-linejoin:round;stroke-linecap:butt;{SANS}"
    hidden = ";display:none" if kind == "narrow" else ""
    return (f'<svg class="{kind}" role="img" aria-label="{escape(text, quote=True)}" {box} '
            f'style="{style}{hidden}" fill="currentColor">{body}</svg>')


def rounded(found: re.Match[str]) -> str:
    """A coordinate to a tenth of a point: finer, it would differ between processors."""
    return f"{float(found[0]):.1f}".replace("-0.0", "0.0")
