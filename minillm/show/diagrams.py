"""Pictures of ideas: steps with arrows forward and back, and arrays with their shapes.

Both are drawn for a column as narrow as a phone, in the page's own ink.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from .html import COLOURS, SANS, Html

WIDTH = 340  # units of the drawing, which are pixels on a phone
BOX, GAP = 38, 26  # height of a box, and of the arrow between two
FILL = "rgba({},.16)"


def flow(steps: Sequence[str | tuple[str, str]], back: Sequence[str] = (),
         skips: Sequence[tuple[int, int]] = (), here: Sequence[int] = (), loop: str = "",
         title: str = "") -> Html:
    """Steps from top to bottom, each a box, with arrows between them.

    steps: what each box says, or (what it says, what stands at its right, such as the shape of
    what comes out). back: what flows back along each arrow, from the first arrow to the last;
    empty texts leave one out. skips: (i, j), a way around the steps i to j, as of a residual
    connection. here: steps drawn strongly. loop: what goes from the last step back to the first,
    all at once. title: names the drawing.
    """
    pairs = [step if isinstance(step, tuple) else (step, "") for step in steps]
    if len(back) not in (0, len(pairs) - 1):
        raise ValueError(f"back has {len(back)} texts for {len(pairs)} steps; expected one for "
                         f"each of the {len(pairs) - 1} arrows, or none")
    for first, last in skips:
        if not 0 <= first <= last < len(pairs):
            raise ValueError(f"skips has ({first}, {last}); expected steps from 0 to "
                             f"{len(pairs) - 1}, the first one first")
    left, right = 16 + 18 * bool(skips), WIDTH - (96 if back or loop else 16)
    middle = (left + right) / 2
    parts = []
    for i, (name, note) in enumerate(pairs):
        y = 4 + i * (BOX + GAP)
        colour = COLOURS[1] if i in here else COLOURS[0]
        parts.append(_box(left, y, right - left, BOX, colour, strong=i in here))
        place, anchor = (left + 12, "start") if note else (middle, "middle")
        parts.append(_text(place, y + 24, name, anchor, bold=i in here))
        if note:
            parts.append(_text(right - 12, y + 24, note, "end", faint=True))
        if i + 1 < len(pairs):
            parts.append(_arrow(middle, y + BOX, middle, y + BOX + GAP))
        if back and i + 1 < len(pairs) and back[i]:
            parts += _way_back(right, y, back[i])
    parts += [_skip(left - 14, middle, first, last) for first, last in skips]
    parts += _loop(right, 4 + (len(pairs) - 1) * (BOX + GAP), loop) if loop else []
    height = 8 + len(pairs) * (BOX + GAP) - GAP
    said = [f"{name} {note}" if note else name for name, note in pairs]
    text = " → ".join(said) + (f"; back: {', '.join(filter(None, reversed(back)))}" if back else "")
    text += f"; from the last to the first: {loop}" if loop else ""
    return _drawing(parts, height, f"{title}: {text}" if title else text)


def arrays(terms: Sequence[str | tuple[str, Any]], title: str = "",
           mark: Mapping[str, tuple[int | None, int | None]] | None = None,
           **sizes: int) -> Html:
    """Arrays as grids of cells with name and shape, and signs such as "@" and "=" between them.

    terms: a sign, or (name, array) whose numbers are shown, or (name, letters) such as
    ("Q", "T D") with sizes T=3, D=4. mark: name -> (row, column) drawn strongly, None for all.
    Arrays that find no room in a line go on the next one.
    """
    parts: list[str] = []
    x, y, line = 8.0, 0.0, 0.0
    said = []
    for term in terms:
        if isinstance(term, str):
            width, height, draw = 12.0 + 8 * len(term), 40.0, None
        else:
            name, content = term
            values, letters = _values(name, content, sizes)
            rows, columns = letters[1]
            cell = min(30.0, 320 / columns) if values is not None else 18.0
            width, height = max(columns * cell, 9.0 * len(name)) + 6, rows * cell + 44
            draw = (name, values, letters, cell)
        if x + width > WIDTH and x > 8:
            x, y, line = 8.0, y + line + 8, 0.0
        if draw is None:
            parts.append(_text(x + width / 2, y + 46, str(term), "middle"))
            said.append(str(term))
        else:
            name, values, (shape, (rows, columns)), cell = draw
            parts.append(_grid(x, y + 22, rows, columns, cell, values, (mark or {}).get(name)))
            parts.append(_text(x, y + 15, name, "start", bold=True))
            parts.append(_text(x, y + 22 + rows * cell + 16, f"({shape})", "start", faint=True))
            said.append(f"{name} ({shape})")
        x, line = x + width + 6, max(line, height)
    return _drawing(parts, y + line + 4, f"{title}: {' '.join(said)}" if title else " ".join(said))


def _values(name: str, content: Any, sizes: Mapping[str, int]):
    """The numbers to show, if any, and (written shape, (rows, columns))."""
    if isinstance(content, str):
        letters = content.split()
        lost = [letter for letter in letters if not letter.isdigit() and letter not in sizes]
        if len(letters) not in (1, 2) or lost:
            raise ValueError(f"{name} has the letters {content!r}; expected one or two, each with "
                             f"its size given, such as T=3")
        shape = [int(letter) if letter.isdigit() else sizes[letter] for letter in letters]
        return None, (", ".join(letters), (1, *shape)[-2:])
    values = np.atleast_2d(content)
    if values.ndim != 2 or values.shape[1] > 12:
        raise ValueError(f"{name} has shape {np.shape(content)}; expected one or two axes and at "
                         "most 12 columns")
    return values, (", ".join(map(str, np.shape(content))), values.shape)


def _grid(x: float, y: float, rows: int, columns: int, cell: float, values: Any,
          marked: tuple[int | None, int | None] | None) -> str:
    parts = []
    for i in range(rows):
        for j in range(columns):
            strong = marked is not None and marked[0] in (None, i) and marked[1] in (None, j)
            parts.append(_box(x + j * cell, y + i * cell, cell, cell,
                              COLOURS[1] if strong else COLOURS[0], strong, round=0))
            if values is not None:
                shown = f"{values[i, j]:.2g}" if values.dtype.kind == "f" else str(values[i, j])
                middle = x + (j + .5) * cell
                parts.append(_text(middle, y + (i + .5) * cell + 4, shown, "middle", 11))
    return "".join(parts)


def _box(x: float, y: float, width: float, height: float, colour: str, strong: bool = False,
         round: int = 7) -> str:
    return (f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round}" '
            f'fill="{FILL.format(colour)}" stroke="rgb({colour})" '
            f'stroke-width="{2.5 if strong else 1}"/>')


def _text(x: float, y: float, text: str, anchor: str, size: int = 14, bold: bool = False,
          faint: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{12 if faint else size}"'
            f'{weight}>{escape(text)}</text>')


def _arrow(x0: float, y0: float, x1: float, y1: float, colour: str = "currentColor",
           dashed: bool = False) -> str:
    up = 1 if y1 > y0 else -1
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return (f'<path d="M{x0:g} {y0:g}L{x1:g} {y1 - 6 * up:g}" stroke="{colour}" fill="none" '
            f'stroke-width="1.6"{dash}/><path d="M{x1 - 4:g} {y1 - 7 * up:g}h8l-4 {7 * up}z" '
            f'fill="{colour}"/>')


def _way_back(right: float, y: float, text: str) -> list[str]:
    """The dashed arrow that carries a gradient from a box to the one above it."""
    colour = f"rgb({COLOURS[1]})"
    return [_arrow(right - 14, y + BOX + GAP, right - 14, y + BOX, colour, dashed=True),
            _text(right - 2, y + BOX + GAP / 2 + 4, text, "start", 12)]


def _loop(right: float, last: float, text: str) -> list[str]:
    """The dashed arrow from the last box to the first, at their right."""
    colour, first, end = f"rgb({COLOURS[1]})", 4 + BOX / 2, last + BOX / 2
    return [f'<path d="M{right:g} {end:g}h16V{first:g}h-9" stroke="{colour}" fill="none" '
            f'stroke-width="1.6" stroke-dasharray="4 3"/>'
            f'<path d="M{right:g} {first:g}l8 -4v8z" fill="{colour}"/>',
            _text(right + 22, (first + end) / 2 + 4, text, "start", 12)]


def _skip(left: float, middle: float, first: int, last: int) -> str:
    """The way around some boxes: from the arrow before the first to the arrow after the last."""
    top = max(2.0, 4 + first * (BOX + GAP) - GAP / 2)
    end = 4 + last * (BOX + GAP) + BOX + GAP / 2
    colour = f"rgb({COLOURS[2]})"
    return (f'<path d="M{middle:g} {top:g}H{left:g}V{end:g}H{middle - 7:g}" fill="none" '
            f'stroke="{colour}" stroke-width="1.8"/>'
            f'<path d="M{middle:g} {end:g}l-8 -4v8z" fill="{colour}"/>')


def _drawing(parts: list[str], height: float, text: str) -> Html:
    name = escape(text, quote=True)
    style = f"width:100%;max-width:26rem;height:auto;display:block;margin:0 auto;{SANS}"
    return Html(f'<svg role="img" aria-label="{name}" viewBox="0 0 {WIDTH} {height:g}" '
                f'style="{style}" fill="currentColor">{"".join(parts)}</svg>', text)
