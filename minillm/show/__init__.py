"""What the notebooks use to show things: plots, token strips, attention maps, tables, source.

Everything returned is an object that a notebook displays and whose text form never changes from
run to run. Text is always escaped. Anything that may hold Chinese text is HTML or SVG, drawn with
translucent colours and the page's own text colour, so that it reads on a light and a dark page;
colour never carries a meaning alone. Plots are Matplotlib, imported when the first one is made.
"""

from .attention_maps import attention
from .diagrams import arrays, flow
from .hex_dumps import dump
from .html import Html, beside
from .lattices import lattice
from .matrices import bars, heatmap
from .merge_trees import trees
from .plots import Plot, curves, figure, image
from .races import race
from .source_code import source
from .tables import shapes, table
from .token_strips import strips, tokens

__all__ = [
    "Html", "Plot", "arrays", "attention", "bars", "beside", "curves", "dump", "figure", "flow",
    "heatmap", "image", "lattice", "race", "shapes", "source", "strips", "table", "tokens", "trees",
]
