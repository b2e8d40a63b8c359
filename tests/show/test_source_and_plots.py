"""The source of functions as the book shows it, and the plots."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from minillm import show
from minillm.backends import TWINS, active_backend, twin
from minillm.show.plot_drawings import LARGEST


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


def drawings(plot: show.Plot) -> list[ET.Element]:
    """Both drawings of the plot, read as XML."""
    html = plot._repr_html_()
    found = list(ET.fromstring(html))
    assert [drawing.get("class") for drawing in found] == ["wide", "narrow"]
    assert all(len(part) <= LARGEST for part in html.split("<svg")[1:])
    return found


def noisy() -> show.Plot:
    """Two curves and a level."""
    steps = np.arange(300)
    noise = np.random.default_rng(0).normal(size=300) / 20
    return show.curves({"train": np.exp(-steps / 90) + noise, "test": (steps, steps / 300)},
                       levels={"entropy": 0.1}, log="y", title="loss <1>")


def test_plots_are_text_and_repeatable() -> None:
    """Words stand as words, escaped; the same drawing twice; a printed form without address."""
    for drawing in drawings(noisy()):
        words = ["".join(text.itertext()) for text in drawing.iter("text")]
        assert {"train", "test", "entropy", "step", "loss", "loss <1>"} <= set(words)
        assert drawing.get("aria-label") == repr(noisy())
    assert noisy()._repr_html_() == noisy()._repr_html_()
    assert repr(noisy()) == "curves of train, test: loss by step"


def test_plots_read_on_a_phone() -> None:
    """Drawn for a phone, no text has less than 11 pixels on a page 358 pixels wide."""
    wide, narrow = drawings(noisy())
    scale = 358 / float(narrow.get("viewBox").split()[2])
    found = re.findall(r"font-size: ([\d.]+)px", ET.tostring(narrow).decode())
    sizes = {float(size) for size in found}
    assert sizes
    assert min(sizes) * scale >= 11
    assert float(wide.get("viewBox").split()[2]) > float(narrow.get("viewBox").split()[2])


def test_plots_follow_the_theme() -> None:
    """No colour is fixed: ink is the page's, curves may be set by the page, nothing is filled."""
    html = noisy()._repr_html_()
    outside = re.sub(r"var\([^)]*\)", "", html)
    assert not re.findall(r"#[0-9a-f]{6}", outside)
    assert "currentColor" in html
    assert "var(--plot-1," in html


def test_coordinates_are_rounded_and_labels_are_not() -> None:
    """Places have one decimal at most; a number that is text stays as it is."""
    wide, _ = drawings(show.curves({"small": ([0, 1], [0.01, 0.05])}, title="0.125 of it"))
    words = ["".join(text.itertext()) for text in wide.iter("text")]
    assert "0.125 of it" in words
    assert {"0.02", "0.04"} <= set(words)
    assert not [path for path in wide.iter("path") if re.search(r"\d\.\d{2}", path.get("d"))]


def test_plots_name_nothing_twice() -> None:
    """Plots of one page share no id, except where they hold the same thing."""
    one, other = (set(re.findall(r" id='([^']*)'", ET.tostring(d).decode().replace('"', "'")))
                  for d in drawings(noisy()))
    assert one
    assert not one & other


def test_crowded_plots_are_refused() -> None:
    """A drawing too large for a page is an error that says how to mend it."""
    plot, axes = show.figure()
    axes.plot(np.random.default_rng(0).normal(size=(20_000, 4)), "o")
    with pytest.raises(ValueError, match="plot fewer points"):
        plot._repr_html_()


def test_curves_differ_by_more_than_colour() -> None:
    """Six curves have six dash patterns."""
    plot = show.curves({str(i): [0, i] for i in range(6)})
    lines = plot.figure.axes[0].get_lines()
    assert len({str(line._dash_pattern) + str(line.get_linestyle()) for line in lines}) == 6


def test_image_shows_a_large_matrix() -> None:
    """Any size of matrix, but only a matrix."""
    drawings(show.image(np.arange(10_000).reshape(100, 100), label="value"))
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
