"""The bytes of a file in hexadecimal, cut into parts, with what each part means."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .html import COLOURS, LINE, MONO, SANS, Html


def dump(data: bytes, parts: Sequence[tuple[int, str]], title: str = "") -> Html:
    """Show bytes part by part, each in a box: its place, its bytes, and below what they mean.

    parts: (number of bytes, meaning) one after another; together they must be all of `data`.
    """
    total = sum(size for size, _ in parts)
    if total != len(data):
        raise ValueError(f"parts cover {total} bytes of {len(data)}; they must cover all")
    boxes, lines, start = [], [], 0
    for k, (size, meaning) in enumerate(parts):
        digits = data[start : start + size].hex(" ")
        colour = COLOURS[k % len(COLOURS)]
        boxes.append(
            f'<div style="border:1px solid {LINE};border-left:4px solid rgb({colour});'
            f"border-radius:4px;background:rgba({colour},.1);padding:2px 8px;min-width:7em;"
            f'max-width:100%"><span style="font-size:.72em;opacity:.75">{start}</span> '
            f'<span style="{MONO};overflow-wrap:anywhere">{digits}</span>'
            f'<div style="font-size:.82em">{escape(meaning)}</div></div>'
        )
        lines.append(f"{start:4d}  {digits}  {meaning}")
        start += size
    head = f"<b>{escape(title)}</b> · {len(data)} bytes" if title else f"{len(data)} bytes"
    body = (
        f'<div style="{SANS};padding:.35em 0"><div style="font-size:.85em;opacity:.85;'
        f'margin-bottom:3px">{head}</div><div style="display:flex;flex-wrap:wrap;gap:5px">'
        f'{"".join(boxes)}</div></div>'
    )
    return Html(body, "\n".join(lines))
