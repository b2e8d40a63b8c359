"""The storyteller from nothing: time, loss against the grammar's entropy, stories that parse.

``python -m benchmarks.storyteller`` prints the rows. There is no peer; each figure stands beside
the one that was asked for.
"""

import os
import time

from minillm import storyteller

from .row import Row, print_rows

STEPS = 7200  # fewer than the shipped model has, to keep to the time asked for
MINUTES, RATIO, PARSED = 4.0, 1.05, 80.0  # asked for: at most, at most, at least


def rows() -> list[Row]:
    """Train once from fixed seeds, then measure on stories the model has not seen."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    started = time.perf_counter()
    model, tokenizer, trainer = storyteller.train(STEPS, progress=False)
    minutes = (time.perf_counter() - started) / 60
    found = storyteller.measure(model, tokenizer)
    sizes = (f"{model.weights.size:,} weights, {trainer.step:,} steps, {trainer.tokens:,} tokens; "
             f"load before: {load:.1f}")
    return [
        Row("storyteller from nothing", "the time asked for", minutes, MINUTES, "min",
            MINUTES / minutes, sizes),
        Row("its loss over the grammar's entropy", "the ratio asked for", found.ratio, RATIO, "",
            RATIO / found.ratio, f"{found.loss:.4f} of {found.floor:.4f} nats per token, "
            f"{found.stories} new stories"),
        Row("sampled stories that parse whole", "the share asked for", 100 * found.parsed, PARSED,
            "%", 100 * found.parsed / PARSED, f"{found.samples} samples at temperature 1"),
    ]


if __name__ == "__main__":
    print_rows(rows())
