"""The object behind everything shown as HTML or SVG, and the few styles all of it shares."""

from __future__ import annotations

import re
from html import escape

SANS = (
    "font-family:system-ui,'Segoe UI',Roboto,'Noto Sans','PingFang SC','Microsoft YaHei',"
    "'Noto Sans CJK SC',sans-serif"
)
MONO = (
    "font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC',"
    "'PingFang SC','Microsoft YaHei',monospace"
)
LINE = "rgba(127,127,127,.55)"
# Okabe and Ito's colours for colour-blind readers, used translucent behind the page's text colour.
COLOURS = ("0,114,178", "213,94,0", "0,158,115", "204,121,167", "230,159,0", "86,180,233")
MARKS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽", "\u3000": "□", "\u200b": "∅"}


class Html:
    """A piece of HTML for a notebook.

    html: the markup; every text in it must already be escaped.
    text: what is printed where no HTML can be shown, the same in every run.
    """

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def beside(*drawings: Html) -> Html:
    """Drawings side by side, or below one another where the page is narrow."""
    each = "".join(f'<div style="flex:1 1 300px;min-width:0">{drawing.html}</div>'
                   for drawing in drawings)
    return Html(f'<div style="display:flex;flex-wrap:wrap;gap:1rem">{each}</div>',
                "\n".join(drawing.text for drawing in drawings))


def decoded(text: str | bytes) -> tuple[str, bool]:
    """Text and True; for bytes that are not whole characters their hexadecimal form and False."""
    if isinstance(text, str):
        return text, True
    try:
        return text.decode("utf-8"), True
    except UnicodeDecodeError:
        return text.hex(" ").upper(), False


def visible(text: str | bytes) -> str:
    """Escaped text with visible marks for white space and control characters; bytes as hex."""
    text, is_text = decoded(text)
    if not is_text:
        return f'<i title="bytes">{text}</i>'
    shown = []
    for letter in text:
        if letter in MARKS:
            shown.append(f'<span style="opacity:.7">{MARKS[letter]}</span>')
        elif "\ud800" <= letter <= "\udfff" or not letter.isprintable():
            shown.append(f'<span style="opacity:.6">U+{ord(letter):04X}</span>')
        else:
            shown.append(escape(letter))
    return "".join(shown) or '<span style="opacity:.6">empty</span>'


def label(text: str | bytes) -> str:
    """Escaped text of a row or column: as `visible`, but single spaces between words stay."""
    text, is_text = decoded(text)
    if not is_text:
        return visible(text)
    words = re.split(r"(?<=[^\s]) (?=[^\s])", text)
    return " ".join(map(visible, words))


def plain(text: str | bytes) -> str:
    """The same text for places that hold no markup, such as titles and printed forms."""
    text, is_text = decoded(text)
    if not is_text:
        return text
    return "".join(MARKS.get(c, c if c.isprintable() else f"U+{ord(c):04X}") for c in text)


def svg_text(x: float, y: float, text: str, size: int, font: str, bold: bool = False) -> str:
    """Text of an SVG, centred on x."""
    weight = ";font-weight:700" if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="currentColor" '
        f'style="font-size:{size}px;{font}{weight}">{escape(text)}</text>'
    )


def scrolling(body: str, label: str) -> str:
    """A block that scrolls sideways on a narrow page instead of widening it."""
    name = escape(label, quote=True)
    return (
        f'<div role="group" aria-label="{name}" tabindex="0" '
        f'style="overflow-x:auto;padding:.35em 0;{SANS}">{body}</div>'
    )
