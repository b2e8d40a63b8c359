"""Ask every model for a little, so that all kernels of the page are compiled and kept on disk.

    python -m minillm.demo.first_visit

An image is built with it; whoever visits the page then waits for no compiler.
"""

from __future__ import annotations

from ..models import gap_filler, storyteller, translator
from .answers import GapFiller, Settings, Translator, Writer


def visit() -> None:
    """One answer of each kind, in each language."""
    for language, prompt in (("en", "One sunny day, Jack"), ("zh", "一天，")):
        writer, settings = Writer(*storyteller(language)), Settings(8)
        ids = writer.begin("", prompt)
        for _ in writer.write(ids, settings):
            pass
        writer.next_token(ids, settings)
        writer.attention(ids, 0, 0)
    Translator(*translator()).translate("My mother bought a book.", 4)
    for language, text in (("en", "Emma saw a ___ of soap ."), ("zh", "小红 看见 了 这 ___ 鞋 。")):
        GapFiller(*gap_filler(language)).fill(text)


if __name__ == "__main__":
    visit()
    print("All models have answered; their kernels are compiled.")
