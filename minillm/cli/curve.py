"""The loss curve of a run, as a picture that can be looked at while it runs."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

WINDOW = 50  # steps whose mean the thick line shows


def draw(log: Path, picture: Path) -> bool:
    """Draw the losses in a log; False where Matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure

    from ..files import written_atomically

    with open(log, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    steps, losses = [int(row["step"]) for row in rows], [float(row["loss"]) for row in rows]
    held = [(int(row["step"]), float(row["valid_loss"])) for row in rows if row["valid_loss"]]
    figure = Figure(figsize=(7, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, color="C0", linewidth=0.6, alpha=0.4)
    smooth = [sum(part) / len(part) for part in
              (losses[max(i - WINDOW, 0):i] for i in range(1, len(losses) + 1))]
    axes.plot(steps, smooth, color="C0", label=f"training, mean of {WINDOW} steps")
    if held:
        axes.plot(*zip(*held, strict=True), "o-", color="C1", label="held back")
    axes.set(xlabel="step", ylabel="loss, nats per token")
    axes.grid(alpha=0.3)
    axes.legend()
    with written_atomically(picture) as file:
        figure.savefig(file, format="png")
    return True
