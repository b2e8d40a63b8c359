"""Small matrices and probabilities, as tables with a number in every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from .html import COLOURS, LINE, MONO, Html, label, plain, scrolling

LARGEST = 24


def number(value: float, digits: int) -> str:
    """A number with a fixed count of decimals and a true minus sign; -0.00 becomes 0.00."""
    if not np.isfinite(value):
        return {True: "∞", False: "−∞"}[bool(value > 0)] if np.isinf(value) else "NaN"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"
    return text.replace("-", "−")


def shade(value: float, limit: float) -> str:
    """Background for a value: blue above zero, orange below, stronger when larger."""
    if not np.isfinite(value) or limit <= 0 or value == 0:
        return "transparent"
    strength = round(0.55 * min(1.0, abs(value) / limit), 2)
    return f"rgba({COLOURS[0] if value > 0 else COLOURS[1]},{strength})"


def heatmap(
    matrix: np.ndarray,
    rows: Sequence[str | bytes] | None = None,
    columns: Sequence[str | bytes] | None = None,
    digits: int = 2,
    title: str = "",
    row_title: str = "",
    column_title: str = "",
    limit: float | None = None,
) -> Html:
    """Show a matrix with its numbers in shaded cells: blue above zero, orange below.

    matrix: (n, m), at most 24 × 24; larger ones: ``image``. rows, columns: labels, any text.
    limit: the absolute value with the strongest shade; None takes the largest in the matrix.
    """
    values = np.asarray(matrix, dtype=float)
    if values.ndim != 2 or max(values.shape) > LARGEST:
        raise ValueError(
            f"matrix has shape {values.shape}; heatmap shows (n, m) up to {LARGEST} × {LARGEST}, "
            "use show.image for larger ones"
        )
    n, m = values.shape
    for name, labels, size in (("rows", rows, n), ("columns", columns, m)):
        if labels is not None and len(labels) != size:
            raise ValueError(f"{name} has {len(labels)} labels, the matrix needs {size}")
    values = np.round(values, digits)
    finite = np.abs(values[np.isfinite(values)])
    top = limit if limit is not None else float(finite.max(initial=0.0))
    cell = f"padding:3px 7px;border:1px solid {LINE};text-align:right;white-space:nowrap;{MONO}"
    head = "padding:3px 7px;font-weight:600;white-space:nowrap;border:0"
    html = ['<table style="border-collapse:collapse;width:auto;margin:0;font-size:.86em">']
    if title:
        html.append(f'<caption style="caption-side:top;text-align:left">{escape(title)}</caption>')
    if column_title:
        html.append(
            f'<tr><td style="border:0"></td><td colspan="{values.shape[1]}" '
            f'style="border:0;text-align:center;opacity:.85">{escape(column_title)} →</td></tr>'
        )
    if columns is not None:
        corner = f"{escape(row_title)} ↓" if row_title else ""
        labels = "".join(
            f'<th scope="col" style="{head};text-align:center">{label(c)}</th>' for c in columns
        )
        html.append(f'<tr><td style="border:0;opacity:.85">{corner}</td>{labels}</tr>')
    for i, row in enumerate(values):
        name = label(rows[i]) if rows is not None else ""
        cells = "".join(
            f'<td style="{cell};background:{shade(v, top)}">{number(v, digits)}</td>' for v in row
        )
        html.append(f'<tr><th scope="row" style="{head};text-align:right">{name}</th>{cells}</tr>')
    html.append("</table>")
    lines = [" ".join(number(v, digits) for v in row) for row in values]
    text = "\n".join([title, *lines] if title else lines)
    return Html(scrolling("".join(html), title or "matrix"), text)


def bars(
    values: Mapping[str | bytes, float], digits: int = 2, title: str = "", unit: str = ""
) -> Html:
    """Show named numbers as horizontal bars with the number at the end of each.

    values: label -> number, not negative. Labels may be tokens in any script.
    """
    rounded = {name: round(float(value), digits) for name, value in values.items()}
    if any(not value >= 0 for value in rounded.values()):
        raise ValueError(f"values must not be negative or NaN, got {rounded}; use heatmap instead")
    top = max(rounded.values(), default=0.0) or 1.0
    html = ['<table style="border-collapse:collapse;width:100%;max-width:34em;margin:0">']
    if title:
        html.append(f'<caption style="caption-side:top;text-align:left">{escape(title)}</caption>')
    # The number stands in the cell's padding, so that the longest bar leaves it enough room.
    numbers = {name: number(value, digits) + unit for name, value in rounded.items()}
    room = round(0.5 + 0.64 * max(map(len, numbers.values()), default=0), 2)
    for name, value in rounded.items():
        width = round(100 * value / top, 1)
        html.append(
            f'<tr><th scope="row" style="border:0;padding:2px 8px 2px 0;text-align:right;'
            f'white-space:nowrap;width:1%;font-weight:500;{MONO}">{label(name)}</th>'
            f'<td style="border:0;padding:2px {room}em 2px 0;white-space:nowrap">'
            f'<span style="display:inline-block;height:1em;box-sizing:border-box;'
            f"vertical-align:-.12em;width:calc({width}%);min-width:1px;"
            f'background:rgba({COLOURS[0]},.6);border:1px solid rgb({COLOURS[0]})"></span>'
            f' <span style="font-variant-numeric:tabular-nums">{escape(numbers[name])}</span>'
            "</td></tr>"
        )
    html.append("</table>")
    lines = [f"{plain(name)} {value}" for name, value in numbers.items()]
    text = "\n".join([title, *lines] if title else lines)
    return Html(scrolling("".join(html), title or "bars"), text)
