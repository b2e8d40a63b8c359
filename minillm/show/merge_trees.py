"""Trees of merges: how tokens were put together from smaller ones."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from .html import MONO, SANS, Html, plain, scrolling, svg_text

WIDTH, STEP, BASE = 34, 26, 24  # pixels of a leaf, of a level, and below the lowest level


def trees(roots: Sequence[Any], title: str = "merges") -> Html:
    """Show binary trees side by side, with the order of the merges as height.

    roots: a leaf is a str or bytes; a merge is a tuple (left, right, rank) of two roots and an
    integer. title: what a screen reader says. Merges of one rank stand at one height, and a
    higher rank stands higher, so that the picture grows upwards as training goes on. Bytes that
    are no characters show in hexadecimal.
    """
    ranks = sorted({rank for root in roots for rank in _ranks(root)})
    height = {rank: STEP * (k + 1) for k, rank in enumerate(ranks)}
    total = STEP * len(ranks) + BASE + 18
    lines: list[str] = []
    texts: list[str] = []
    place = [WIDTH + 40.0]

    def draw(root: Any) -> tuple[float, float, str]:
        """(x, height, printed form) of the top of a tree that was drawn."""
        if isinstance(root, str | bytes):
            x = place[0]
            place[0] += WIDTH
            texts.append(svg_text(x, total - 8, plain(root), 14, MONO))
            return x, 0, plain(root)
        (x1, h1, left), (x2, h2, right) = draw(root[0]), draw(root[1])
        level = height[root[2]]
        y = total - BASE - level
        for x, h in ((x1, h1), (x2, h2)):
            lines.append(f"M{x:g} {total - BASE - h:g}V{y:g}")
        lines.append(f"M{x1:g} {y:g}H{x2:g}")
        return (x1 + x2) / 2, level, f"({left} {right})"

    printed = []
    for root in roots:
        x, top, text = draw(root)
        y = total - BASE - top
        lines.append(f"M{x:g} {y:g}V{y - 8:g}")
        printed.append(text)
        place[0] += WIDTH / 2
    width = place[0]
    for rank, level in height.items():
        y = total - BASE - level
        texts.append(svg_text(18, y + 4, str(rank), 11, SANS))
        lines.append(f"M34 {y:g}h6")
    body = (
        f'<svg role="img" width="{width:g}" height="{total}" viewBox="0 0 {width:g} {total}" '
        f'aria-label="{escape(title, quote=True)}" style="max-width:none;height:auto">'
        f'<path d="{"".join(lines)}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        f'{"".join(texts)}</svg>'
    )
    return Html(scrolling(body, title), " ".join(printed))


def _ranks(root: Any) -> list[int]:
    if isinstance(root, str | bytes):
        return []
    return [*_ranks(root[0]), *_ranks(root[1]), int(root[2])]
