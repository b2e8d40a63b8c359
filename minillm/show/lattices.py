"""The lattice of a text: all its pieces as bricks over their characters, a path marked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from .html import COLOURS, MONO, SANS, Html, plain, scrolling, svg_text

COLUMN, ROW, LEFT = 50, 44, 8  # units of a character, of a row of bricks, and at the sides
SMALLEST, LARGEST = 0.92, 1.5  # pixels of a unit: the drawing fills its column within these

Brick = tuple[int, int, str | bytes, float]


def lattice(
    edges: Sequence[Brick], path: Collection[tuple[int, int]] = (), title: str = "lattice",
    digits: int = 2,
) -> Html:
    """Show pieces as bricks: a way through the text is a row of bricks without gaps.

    edges: (start, end, piece, number) of each piece, in characters; the number, shown with
    `digits` decimals, is its score or how often it is used. path: (start, end) of the pieces to
    mark: they have a thick, solid border, a tint and bold letters, the others a thin dashed border.
    Seven characters find room on a phone.
    """
    if not edges:
        raise ValueError("edges is empty; a lattice needs at least one piece")
    rows = arranged(edges)
    end = max(edge[1] for edge in edges)
    width, floor = 2 * LEFT + COLUMN * end, ROW * len(rows) + 8
    rows = rows[::-1]
    body = "".join(
        f'<path d="{border(k, rows, floor)}" stroke="currentColor" stroke-opacity=".25"/>'
        + svg_text(LEFT + COLUMN * k, floor + 15, str(k), 12, SANS)
        for k in range(end + 1)
    )
    for level, row in enumerate(rows):
        for edge in row:
            body += brick(edge, 4 + ROW * level, edge[:2] in path, digits)
    svg = (
        f'<svg role="img" width="{width}" viewBox="0 0 {width} {floor + 22}" '
        f'aria-label="{escape(title, quote=True)}" style="width:100%;height:auto;'
        f'min-width:{SMALLEST * width:g}px;max-width:{LARGEST * width:g}px">{body}</svg>'
    )
    printed = [
        f"{i}-{j} {plain(piece)} {number:.{digits}f}{' *' if (i, j) in path else ''}"
        for i, j, piece, number in sorted(edges, key=lambda edge: edge[:2])
    ]
    return Html(scrolling(svg, title), "\n".join(printed))


def arranged(edges: Sequence[Brick]) -> list[list[Brick]]:
    """Rows of bricks that do not overlap, the shortest pieces first."""
    rows: list[list[Brick]] = []
    for edge in sorted(edges, key=lambda edge: (edge[1] - edge[0], edge[0])):
        for row in rows:
            same = row[0][1] - row[0][0] == edge[1] - edge[0]
            if same and all(edge[0] >= other[1] or edge[1] <= other[0] for other in row):
                row.append(edge)
                break
        else:
            rows.append([edge])
    return rows


def border(k: int, rows: Sequence[Sequence[Brick]], floor: int) -> str:
    """The line between two characters, left out where a brick lies over it."""
    x, top = LEFT + COLUMN * k, 4
    path = ""
    for level, row in enumerate(rows):
        if any(edge[0] < k < edge[1] for edge in row):
            y = 4 + ROW * level
            path += f"M{x} {top}V{y}" if y > top else ""
            top = y + ROW - 6
    return path + f"M{x} {top}V{floor}"


def brick(edge: Brick, y: int, marked: bool, digits: int) -> str:
    """One piece: a box with its text and number."""
    start, end, piece, number = edge
    x, width = LEFT + COLUMN * start + 3, COLUMN * (end - start) - 6
    tint = f'fill="rgb({COLOURS[0]})" fill-opacity=".22"' if marked else 'fill="none"'
    line = 'stroke-width="3"' if marked else 'stroke-width="1" stroke-dasharray="4 3"'
    middle = x + width / 2
    value = f"{number:.{digits}f}".replace("-", "−")
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{ROW - 6}" rx="5" stroke="currentColor" '
        f"{tint} {line}/>"
        + svg_text(middle, y + 17, plain(piece), 15, MONO, bold=marked)
        + svg_text(middle, y + 32, value, 12, SANS, bold=marked)
    )
