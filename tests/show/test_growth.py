"""The picture of benchmarks/results.md, which no other test draws."""

from pathlib import Path

from PIL import Image

from benchmarks.run import RESULTS
from benchmarks.worst_cases import draw_growth


def test_growth_is_drawn_from_the_results(tmp_path: Path) -> None:
    """The stored results give a picture on a white ground."""
    picture = tmp_path / "growth.png"
    draw_growth(RESULTS.read_text(encoding="utf-8"), picture)
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 900
        assert drawn.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
