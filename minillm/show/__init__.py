"""What the notebooks use to show things: plots, token strips, attention maps, tables, source.

Everything returned is an object that a notebook displays and whose text form never changes from
run to run. Text is always escaped. Anything that may hold Chinese text is HTML or SVG, drawn with
translucent colours and the page's own text colour, so that it reads on a light and a dark page;
colour never carries a meaning alone. Plots are Matplotlib, imported when the first one is made.
"""

from .attention import attention
from .dump import dump
from .html import Html
from .lattice import lattice
from .matrices import bars, heatmap
from .plots import Plot, curves, figure, image
from .source import source
from .tables import shapes, table
from .tokens import strips, tokens
from .trees import trees

__all__ = [
    "Html", "Plot", "attention", "bars", "curves", "dump", "figure", "heatmap", "image", "lattice",
    "shapes", "source", "strips", "table", "tokens", "trees",
]
