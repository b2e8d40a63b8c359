"""The book's plots: one quiet Matplotlib style."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .plot_drawings import AXIS, COLOURS, GRID, INK, svg

NARROW = 4.0  # inches: text of 10.5 points has 12 pixels on a phone


def _style() -> Any:
    from cycler import cycler

    dashes = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2))]
    return {
        "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
        "figure.constrained_layout.use": True, "figure.constrained_layout.w_pad": 0.12,
        "font.family": "DejaVu Sans", "font.size": 10.5, "mathtext.fontset": "dejavusans",
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.edgecolor": AXIS, "axes.linewidth": 0.8, "axes.titlesize": 11.5,
        "axes.titleweight": "bold", "axes.titlelocation": "left",
        "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True,
        "lines.linewidth": 1.8, "lines.markersize": 4, "legend.frameon": False,
        "image.cmap": "cividis", "axes.unicode_minus": True,
        "axes.prop_cycle": cycler(color=list(COLOURS)) + cycler(linestyle=dashes),
    }


class Plot:
    """A Matplotlib figure that a notebook shows as SVG: a drawing for a wide page, one for a phone.

    figure: the Matplotlib figure. text: what is printed, the same in every run.
    """

    def __init__(self, figure: Any, text: str) -> None:
        self.figure, self.text = figure, text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        """Both drawings. The book shows the one that fits; elsewhere only the first is seen."""
        width, height = self.figure.get_size_inches()
        wide = svg(self.figure, self.text, "wide")
        self.figure.set_size_inches(NARROW, height * min(1, 1.4 * NARROW / width))
        narrow = svg(self.figure, self.text, "narrow")
        self.figure.set_size_inches(width, height)
        return f'<div class="minillm-plot">{wide}{narrow}</div>'


def figure(
    width: float = 6.4, height: float = 3.4, rows: int = 1, columns: int = 1, text: str = "plot"
) -> tuple[Plot, Any]:
    """An empty plot in the book's style and its axes (an array of axes if there are several).

    width, height: in inches. text: the printed form of the plot. End the cell with the plot.
    Text is measured in a font without Chinese: keep Chinese words in a plot short.
    """
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(_style())
    picture = Figure(figsize=(width, height))
    return Plot(picture, text), picture.subplots(rows, columns)


def curves(
    lines: Mapping[str, Any],
    xlabel: str = "step",
    ylabel: str = "loss",
    title: str = "",
    levels: Mapping[str, float] | None = None,
    log: str = "",
    height: float = 3.2,
) -> Plot:
    """Draw curves, each with a dash pattern of its own, named in a legend.

    lines: name -> y values, or (x values, y values). levels: name -> height of a horizontal
    reference line, such as the entropy a loss cannot go below. log: axes with a logarithmic
    scale, of "x", "y" or "xy".
    """
    plot, axes = figure(height=height, text=f"curves of {', '.join(lines)}: {ylabel} by {xlabel}")
    places: set[float] = set()
    for name, values in lines.items():
        x, y = values if isinstance(values, tuple) else (np.arange(len(values)), values)
        axes.plot(x, y, label=name)
        places.update(np.asarray(x, dtype=float).tolist())
    for name, level in (levels or {}).items():
        axes.axhline(level, color=INK, linestyle=(0, (2, 2)), linewidth=1.2, label=name)
    if "x" in log:
        axes.set_xscale("log")
        _plain_ticks(axes.xaxis, places)
    if "y" in log:
        axes.set_yscale("log")
        _plain_ticks(axes.yaxis)
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "linear" and max(axis.get_view_interval()) >= 1000:
            axis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    names = [*lines, *(levels or {})]
    if len(names) > 1:  # above the axes, where it covers no curve
        columns = 2 if sum(sorted(map(len, names))[-2:]) <= 30 else 1  # what a phone has room for
        plot.figure.legend(loc="outside upper left", ncols=columns, handlelength=3,
                           labelspacing=0.3)
    return plot


def _plain_ticks(axis: Any, values: Collection[float] = ()) -> None:
    """Numbers such as 0.5 and 1,000 on a logarithmic axis; the values alone if they are few."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    low, high = axis.get_view_interval()
    if 1 < len(values) <= 8:
        axis.set_major_locator(FixedLocator(sorted(values)))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(LogLocator(subs=(1,) if high / low > 200 else (1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter("")


def image(
    matrix: np.ndarray,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    label: str = "",
    height: float = 3.8,
    ticks: Sequence[str] | None = None,
) -> Plot:
    """Draw a large matrix as an image with a colour bar, row 0 on top.

    label: what the colour bar measures. ticks: names of rows and columns (Latin script only).
    """
    values = np.asarray(matrix)
    if values.ndim != 2:
        raise ValueError(f"matrix has shape {values.shape}, expected (n, m)")
    plot, axes = figure(height=height, text=f"image of a {values.shape} matrix: {title or label}")
    axes.grid(False)
    shown = axes.imshow(values, aspect="auto", interpolation="nearest")
    plot.figure.colorbar(shown, ax=axes, label=label)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if ticks is not None:
        axes.set_xticks(range(values.shape[1]), ticks[: values.shape[1]])
        axes.set_yticks(range(values.shape[0]), ticks[: values.shape[0]])
    return plot
