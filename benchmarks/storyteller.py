"""The storyteller from nothing: time, loss against the grammar's entropy, stories that parse.

``python -m benchmarks.storyteller`` prints the rows. There is no peer; each figure stands beside
the one that was asked for.
"""

import os
import time

from minillm import storyteller
from minillm.data import stories

from .row import Row, print_rows

STEPS = 10_000  # fewer than the shipped model has, to keep to the time asked for
TOP_P = 0.95
MINUTES, RATIO, PARSED = 4.0, 1.05, 80.0  # asked for: at most, at most, at least


def rows() -> list[Row]:
    """Train once from fixed seeds, then measure on stories the model has not seen."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    started = time.perf_counter()
    model, tokenizer, trainer = storyteller.train(STEPS, progress=False)
    minutes = (time.perf_counter() - started) / 60
    found = storyteller.measure(model, tokenizer)
    grammar = stories.grammar("en", storyteller.SIZE)
    likely = storyteller.told(model, tokenizer, found.samples, top_p=TOP_P)
    parsed = 100 * sum(grammar.parse(text).ok for text in likely) / found.samples
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
        Row(f"the same with top-p {TOP_P}", "the share asked for", parsed, PARSED, "%",
            parsed / PARSED, "without the unlikely tokens that together have a probability of "
            f"{1 - TOP_P:.2f}"),
    ]


if __name__ == "__main__":
    print_rows(rows())
