"""The source of functions as the book shows it, and the plots."""

import io
import subprocess
import sys

import numpy as np
import pytest

from minillm import show
from minillm.backends import TWINS, active_backend, twin
from minillm.show.plots import LARGEST_FILE


def example(x: int) -> int:
    """A docstring with <markup>."""
    return x << 1  # shifted


def test_source_names_the_file_and_shows_the_code() -> None:
    """The file is given from the package on, never with a path of the machine."""
    shown = show.source(active_backend)
    assert repr(shown).startswith("minillm/backends.py\ndef active_backend()")
    html = shown._repr_html_()
    assert "minillm/backends.py" in html
    assert "highlight" in html
    outside = repr(show.source(example))
    assert outside.startswith("test_source_and_plots.py\n")


def test_source_is_escaped() -> None:
    """Code is shown, never interpreted."""
    html = show.source(example)._repr_html_()
    assert "<markup>" not in html
    assert "&lt;markup&gt;" in html


def test_source_without_docstring() -> None:
    """doc=False leaves out the docstring and nothing else."""
    text = repr(show.source(example, doc=False))
    assert "docstring" not in text
    assert "return x << 1  # shifted" in text


def test_source_of_an_operation_is_its_definition() -> None:
    """A twin shows the NumPy definition, not the switch around it."""
    op = twin(example)
    TWINS.remove(op)  # no operation of the package
    assert repr(show.source(op)) == repr(show.source(example))
    assert "def op(" not in repr(show.source(op))


def test_source_refuses_what_has_none() -> None:
    """Built-in functions have no Python source; a function without twin has no kernel."""
    with pytest.raises(TypeError, match="no Python source"):
        show.source(len)
    with pytest.raises(ValueError, match="no Numba twin"):
        show.source(example, kernel=True)


def picture(plot: show.Plot):
    """The plot as an image."""
    from PIL import Image

    data = plot._repr_png_()
    assert len(data) <= LARGEST_FILE
    return Image.open(io.BytesIO(data))


def test_plots_are_small_sharp_and_repeatable() -> None:
    """Double resolution, at most 80 kB, the same bytes twice, a printed form without address."""

    def draw() -> show.Plot:
        steps = np.arange(300)
        noise = np.random.default_rng(0).normal(size=300) / 20
        return show.curves({"train": np.exp(-steps / 90) + noise, "test": (steps, steps / 300)},
                           levels={"entropy": 0.1}, log="y", title="loss")

    assert picture(draw()).size[0] == 1280
    assert draw()._repr_png_() == draw()._repr_png_()
    assert repr(draw()) == "curves of train, test: loss by step"


def test_crowded_plots_stay_small() -> None:
    """Even an image of noise fits into 80 kB."""
    plot, axes = show.figure()
    axes.plot(np.random.default_rng(0).normal(size=(2000, 4)))
    picture(plot)


def test_curves_differ_by_more_than_colour() -> None:
    """Six curves have six dash patterns."""
    plot = show.curves({str(i): [0, i] for i in range(6)})
    lines = plot.figure.axes[0].get_lines()
    assert len({str(line._dash_pattern) + str(line.get_linestyle()) for line in lines}) == 6


def test_image_shows_a_large_matrix() -> None:
    """Any size of matrix, but only a matrix."""
    picture(show.image(np.arange(10_000).reshape(100, 100), label="value"))
    with pytest.raises(ValueError, match="expected"):
        show.image(np.zeros(3))


def test_matplotlib_is_imported_when_needed() -> None:
    """Importing minillm.show alone must stay cheap."""
    code = "import minillm.show, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_source_of_a_decorated_method_names_its_own_file() -> None:
    """Not the file of the decorator."""
    from minillm.models import GPT

    shown = repr(show.source(GPT.backward))
    assert shown.startswith("minillm/models/model.py\n@alone\ndef backward(")
