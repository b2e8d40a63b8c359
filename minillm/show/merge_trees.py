"""Trees of merges: how tokens were put together from smaller ones."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from .html import MONO, SANS, Html, plain, scrolling, svg_text

WIDTH, STEP, BASE = 34, 26, 24  # pixels of a leaf, of a level, and below the lowest level
UNDER = 26  # pixels for the characters below their bytes


def trees(roots: Sequence[Any], title: str = "merges") -> Html:
    """Show binary trees side by side, with the order of the merges as height.

    roots: a leaf is a str or bytes; a merge is a tuple (left, right, rank) of two roots and an
    integer. title: what a screen reader says. Each merge has its rank beside it. Merges of one
    rank stand at one height in all trees, and a higher rank stands higher, so that the picture
    grows upwards as training goes on. Bytes that are no characters show in hexadecimal, with the
    character that they are part of below. Where there is no room the trees stand in rows.
    """
    ranks = sorted({rank for root in roots for rank in _ranks(root)})
    height = {rank: STEP * (k + 1) for k, rank in enumerate(ranks)}
    drawn = [_tree(root, height) for root in roots]
    body = (f'<div role="img" aria-label="{escape(title, quote=True)}" '
            'style="display:flex;flex-wrap:wrap;gap:4px 20px;align-items:flex-end">'
            + "".join(svg for svg, _ in drawn) + "</div>")
    return Html(scrolling(body, title), " ".join(text for _, text in drawn))


def _tree(root: Any, height: dict[int, int]) -> tuple[str, str]:
    """One tree as an SVG, and its printed form."""
    leaves = _leaves(root)
    spans = _characters(leaves)
    under = UNDER if spans else 0
    base = STEP * (len(height) + 1) + 18
    total = base + BASE + under
    lines: list[str] = []
    texts: list[str] = []
    place = [WIDTH / 2 + 4]

    def draw(root: Any) -> tuple[float, float, str]:
        """(x, height, printed form) of the top of a tree that was drawn."""
        if isinstance(root, str | bytes):
            x = place[0]
            place[0] += WIDTH
            texts.append(svg_text(x, base + BASE - 8, plain(root), 14, MONO))
            return x, 0, plain(root)
        (x1, h1, left), (x2, h2, right) = draw(root[0]), draw(root[1])
        level = height[root[2]]
        y = base - level
        for x, h in ((x1, h1), (x2, h2)):
            lines.append(f"M{x:g} {base - h:g}V{y:g}")
        lines.append(f"M{x1:g} {y:g}H{x2:g}")
        middle = (x1 + x2) / 2
        rank = str(root[2])
        texts.append(svg_text(middle + 6 + 3.5 * len(rank), y - 6, rank, 11, SANS))
        return middle, level, f"({left} {right})"

    x, top, printed = draw(root)
    lines.append(f"M{x:g} {base - top:g}V{base - top - 8:g}")
    for start, end, character in spans:
        left, right = start * WIDTH + 10, end * WIDTH - 2
        lines.append(f"M{left:g} {base + BASE - 3:g}v4H{right:g}v-4")
        texts.append(svg_text((left + right) / 2, total - 5, character, 15, SANS))
    width = max(place[0] - WIDTH / 2 + 4, x + 34)
    high = base - top - 22  # nothing is drawn above
    return (
        f'<svg aria-hidden="true" width="{width:g}" height="{total - high:g}" viewBox="0 {high:g} '
        f'{width:g} {total - high:g}" style="flex:none;max-width:none;height:auto">'
        f'<path d="{"".join(lines)}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        f'{"".join(texts)}</svg>', printed)


def _characters(leaves: list[str | bytes]) -> list[tuple[int, int, str]]:
    """(first leaf, after the last, character) for each character of several leaves of one byte."""
    if not all(isinstance(leaf, bytes) and len(leaf) == 1 for leaf in leaves):
        return []
    found, at = [], 0
    for character in b"".join(leaves).decode(errors="ignore"):  # type: ignore[arg-type]
        size = len(character.encode())
        at = b"".join(leaves).index(character.encode(), at)  # type: ignore[arg-type]
        if size > 1:
            found.append((at, at + size, character))
        at += size
    return found


def _leaves(root: Any) -> list[str | bytes]:
    return [root] if isinstance(root, str | bytes) else [*_leaves(root[0]), *_leaves(root[1])]


def _ranks(root: Any) -> list[int]:
    if isinstance(root, str | bytes):
        return []
    return [*_ranks(root[0]), *_ranks(root[1]), int(root[2])]
