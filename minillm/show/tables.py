"""Tables: plain ones, and the table of a chapter's arrays, whose shapes are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .html import Html, scrolling


def table(rows: Sequence[Sequence[object]], headers: Sequence[str] = (), title: str = "") -> Html:
    """Show rows of texts or numbers. Cells are shown by ``str``; round numbers before."""
    width = len(headers) or (len(rows[0]) if rows else 0)
    for i, row in enumerate(rows):
        if len(row) != width:
            raise ValueError(f"row {i} has {len(row)} cells, expected {width}")
    cells = [[str(cell) for cell in row] for row in rows]
    right = [bool(cells) and all(_is_number(row[j]) for row in cells) for j in range(width)]
    align = ["right" if r else "left" for r in right]
    html = ['<table style="width:auto;margin:0">']
    if title:
        html.append(f'<caption style="caption-side:top;text-align:left">{escape(title)}</caption>')
    if headers:
        head = "".join(
            f'<th scope="col" style="text-align:{a};padding:3px 12px 3px 4px">{escape(h)}</th>'
            for h, a in zip(headers, align)
        )
        html.append(f"<thead><tr>{head}</tr></thead>")
    html.append("<tbody>")
    for row in cells:
        body = "".join(
            f'<td style="text-align:{a};padding:3px 12px 3px 4px">{escape(cell)}</td>'
            for cell, a in zip(row, align)
        )
        html.append(f"<tr>{body}</tr>")
    html.append("</tbody></table>")
    lines = [" | ".join(row) for row in ([list(headers), *cells] if headers else cells)]
    text = "\n".join([title, *lines] if title else lines)
    return Html(scrolling("".join(html), title or "table"), text)


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace("−", "-").rstrip("%×s ").lstrip("+-").replace(
        ".", "", 1
    ).isdigit()


def shapes(arrays: Mapping[str, tuple[Any, str, str]], **sizes: int) -> Html:
    """Show the arrays of a chapter with their shapes in letters, and check them.

    arrays: name -> (array, letters, meaning), for example {"x": (x, "B T C", "one vector per
    token")}. A letter stands for one size everywhere; a number stands for itself; products such
    as 3*C are allowed. sizes: letters that are known already, such as B=2.
    Raises ValueError when an array has another shape than its letters say.
    """
    known = dict(sizes)
    rows = []
    for name, (array, letters, meaning) in arrays.items():
        parts, shape = letters.split(), tuple(array.shape)
        if len(parts) != len(shape):
            raise ValueError(f"{name} has shape {shape}, but its letters are {letters!r}")
        for part, size in zip(parts, shape):
            if part.isalpha() and part not in known:
                known[part] = size
            expected = 1
            for factor in part.split("*"):
                expected *= int(factor) if factor.isdigit() else known.get(factor, size)
            if expected != size:
                raise ValueError(
                    f"{name} has shape {shape}, but {letters!r} means {part} = {expected}"
                )
        written = f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        here = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
        rows.append((name, *(s.replace(" ", "\u00a0") for s in (written, here)), meaning))
    shown = table(rows, ("array", "shape", "here", "meaning"))
    return Html(shown.html, shown.text.replace("\u00a0", " "))
