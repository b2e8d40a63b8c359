"""Token strips: a text cut into tokens, with their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from .html import COLOURS, LINE, MONO, SANS, Html, plain, visible


def tokens(
    pieces: Sequence[str | bytes], ids: Sequence[int] | None = None, title: str = "",
    unit: str = "token",
) -> Html:
    """Show tokens side by side, each in a box of its own, with its id below.

    pieces: the tokens, str or bytes; bytes that are not whole characters are shown in hexadecimal.
    ids: as many integers, or None. title: a short label in front of the strip. unit: what one of
    them is called, such as piece.
    Spaces show as ␣, newlines as ↵, tabs as ⇥. Raises ValueError if the lengths differ.
    """
    if ids is not None and len(ids) != len(pieces):
        raise ValueError(f"ids has {len(ids)} entries for {len(pieces)} pieces; give one for each")
    boxes = []
    for i, piece in enumerate(pieces):
        below = (
            f'<span style="display:block;font-size:.72em;opacity:.8;text-align:center">'
            f"{int(ids[i])}</span>"
            if ids is not None
            else ""
        )
        boxes.append(
            f'<span style="display:inline-block;vertical-align:top;margin:0 3px 5px 0;'
            f"padding:1px 5px;border:1px solid {LINE};border-bottom:3px solid "
            f"rgb({COLOURS[i % len(COLOURS)]});border-radius:4px;"
            f"background:rgba({COLOURS[i % len(COLOURS)]},.17);line-height:1.45;"
            f'overflow-wrap:anywhere">{visible(piece)}{below}</span>'
        )
    name = f"<b>{escape(title)}</b> · " if title else ""
    noun = unit if len(pieces) == 1 else unit + "s"
    head = (
        f'<div style="font-size:.85em;opacity:.85;margin-bottom:3px;{SANS}">'
        f"{name}{len(pieces)} {noun}</div>"
    )
    body = f'<div style="{MONO};padding:.35em 0">{head}<div>{"".join(boxes)}</div></div>'
    text = " | ".join(plain(piece) for piece in pieces)
    if ids is not None:
        text += "\n" + " ".join(str(int(i)) for i in ids)
    return Html(body, text)


def strips(rows: Mapping[str, Sequence[str | bytes]], unit: str = "token") -> Html:
    """Several strips of tokens, one under the other, each with its name in front."""
    made = {name: tokens(pieces, title=name, unit=unit) for name, pieces in rows.items()}
    return Html(
        "".join(strip.html for strip in made.values()),
        "\n".join(f"{name}: {strip.text}" for name, strip in made.items()),
    )
