"""Attention between tokens: as a matrix of numbers, or as lines from queries to keys."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from .html import COLOURS, SANS, Html, plain, scrolling
from .matrices import heatmap, number


def attention(
    weights: np.ndarray,
    queries: Sequence[str | bytes],
    keys: Sequence[str | bytes] | None = None,
    kind: str = "cells",
    digits: int = 2,
    title: str = "",
) -> Html:
    """Show attention weights between tokens.

    weights: (T_q, T_k), row i belongs to query i. queries, keys: the tokens; keys=None means that
    they are the queries. kind: "cells" writes every weight into a shaded cell, "lines" joins each
    query on the left with the keys on the right, wider lines for larger weights.
    """
    keys = queries if keys is None else keys
    values = np.asarray(weights, dtype=float)
    if values.shape != (len(queries), len(keys)):
        raise ValueError(
            f"weights has shape {values.shape}, but there are {len(queries)} queries and "
            f"{len(keys)} keys; give one row per query and one column per key"
        )
    if kind == "cells":
        return heatmap(values, queries, keys, digits, title, "query", "key", limit=1.0)
    if kind != "lines":
        raise ValueError(f"kind={kind!r} is unknown; use 'cells' or 'lines'")
    return _lines(np.round(values, digits), [plain(q) for q in queries], [plain(k) for k in keys],
                  digits, title)


def _width(text: str) -> int:
    """Rough width of a label in pixels; Chinese characters and emoji take twice a letter's."""
    return sum(9 if ord(letter) < 0x1100 else 16 for letter in text)


def _lines(
    values: np.ndarray, queries: list[str], keys: list[str], digits: int, title: str
) -> Html:
    step, top = 30, 46
    left = 8 + max([60, *map(_width, queries)])
    right = left + 170
    width = right + 8 + max([40, *map(_width, keys)])
    height = top + step * max(len(queries), len(keys))
    name = escape(title or "attention from queries to keys", quote=True)
    svg = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{name}" style="max-width:100%;height:auto;{SANS}" fill="currentColor">',
        f'<g font-size="13" opacity=".85"><text x="{left}" y="24" text-anchor="end">queries</text>'
        f'<text x="{right}" y="24">keys</text></g>',
    ]
    for i, row in enumerate(values):
        for j, weight in enumerate(row):
            if not weight > 0:
                continue
            y1, y2 = top + step * i, top + step * j
            hint = f"{queries[i]} → {keys[j]}: {number(weight, digits)}"
            svg.append(
                f'<path d="M{left + 6} {y1}C{left + 80} {y1} {right - 80} {y2} {right - 6} {y2}" '
                f'fill="none" stroke="rgb({COLOURS[i % len(COLOURS)]})" '
                f'stroke-width="{0.5 + 9 * weight:.2f}" stroke-opacity="{0.25 + 0.6 * weight:.2f}">'
                f"<title>{escape(hint)}</title></path>"
            )
    for i, text in enumerate(queries):
        best = int(np.nanargmax(values[i])) if len(keys) else 0
        note = f"{number(values[i, best], digits)} to {keys[best]}" if len(keys) else ""
        svg.append(
            f'<text x="{left}" y="{top + step * i + 5}" text-anchor="end" font-size="15">'
            f"{escape(text)}<title>largest weight: {escape(note)}</title></text>"
        )
    for j, text in enumerate(keys):
        y = top + step * j + 5
        svg.append(f'<text x="{right}" y="{y}" font-size="15">{escape(text)}</text>')
    svg.append("</svg>")
    rows = [f"{q}: " + " ".join(number(v, digits) for v in row) for q, row in zip(queries, values)]
    return Html(scrolling("".join(svg), title or "attention"), "\n".join(rows))
