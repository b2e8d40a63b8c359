"""The book's plots: one quiet Matplotlib style, on a light card that reads in both themes."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

CARD = "#fdfdfb"
INK = "#2b2b2b"
COLOURS = ("#0072B2", "#D55E00", "#00795A", "#A8487E", "#8A6100", "#3A7CA5")
LARGEST_FILE = 80_000


def _style() -> Any:
    from cycler import cycler

    dashes = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2))]
    return {
        "figure.facecolor": CARD, "axes.facecolor": CARD, "savefig.facecolor": CARD,
        "figure.dpi": 200, "savefig.dpi": 200, "figure.constrained_layout.use": True,
        "font.family": "DejaVu Sans", "font.size": 10.5, "mathtext.fontset": "dejavusans",
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.edgecolor": "#777777", "axes.linewidth": 0.8, "axes.titlesize": 11.5,
        "axes.titleweight": "bold", "axes.titlelocation": "left",
        "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.axisbelow": True,
        "lines.linewidth": 1.8, "lines.markersize": 4, "legend.frameon": False,
        "image.cmap": "cividis", "axes.unicode_minus": True,
        "axes.prop_cycle": cycler(color=list(COLOURS)) + cycler(linestyle=dashes),
    }


class Plot:
    """A Matplotlib figure that a notebook shows as a PNG of double resolution.

    figure: the Matplotlib figure. text: what is printed, the same in every run.
    """

    def __init__(self, figure: Any, text: str) -> None:
        self.figure, self.text = figure, text

    def __repr__(self) -> str:
        return self.text

    def _repr_png_(self) -> bytes:
        """The picture, at most 80 kB: with fewer colours if it would be larger."""
        import matplotlib
        from PIL import Image

        buffer = io.BytesIO()
        with matplotlib.rc_context(_style()):
            self.figure.savefig(buffer, format="png", metadata={"Software": None})
        picture = Image.open(buffer).convert("RGB")
        for colours in (256, 64, 16, 8, 4):
            small = io.BytesIO()
            picture.quantize(colours, dither=Image.Dither.NONE).save(small, "png", optimize=True)
            if small.tell() <= LARGEST_FILE:
                break
        return small.getvalue()


def figure(
    width: float = 6.4, height: float = 3.4, rows: int = 1, columns: int = 1, text: str = "plot"
) -> tuple[Plot, Any]:
    """An empty plot in the book's style and its axes (an array of axes if there are several).

    width, height: in inches. text: the printed form of the plot. End the cell with the plot.
    Chinese text does not belong in a plot (the font lacks it): use the HTML functions.
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
        axes.axhline(level, color="#555555", linestyle=(0, (2, 2)), linewidth=1.2, label=name)
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
    if len(lines) + len(levels or {}) > 1:
        axes.legend(handlelength=3, labelspacing=0.3)
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
