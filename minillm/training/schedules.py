"""Learning-rate schedules: functions from the step, counted from 0, to the rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..generation.sampling import is_number
from .optimizers import check

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same rate at every step."""
    check("lr", lr, is_number(lr) and lr > 0, "a positive number")
    return lambda step: lr


def linear(peak: float, warmup: int, steps: int, floor: float = 0.0,
           from_zero: bool = False) -> Schedule:
    """Rise to ``peak`` over ``warmup`` steps, then fall on a straight line to ``floor``.

    The first of W steps of warm-up has the rate peak / W and the last has peak; ``from_zero``
    begins at 0, where a step changes nothing, and comes to peak just after the warm-up.
    """
    return _after_warmup(peak, warmup, steps, floor, from_zero, lambda progress: 1 - progress)


def cosine(peak: float, warmup: int, steps: int, floor: float = 0.0,
           from_zero: bool = False) -> Schedule:
    """Rise to ``peak`` over ``warmup`` steps, then fall along half a cosine to ``floor``.

    ``from_zero`` as in linear. Source: Loshchilov & Hutter (2017), equation 5, without restarts.
    """
    return _after_warmup(peak, warmup, steps, floor, from_zero,
                         lambda progress: (1 + math.cos(math.pi * progress)) / 2)


def _after_warmup(peak: float, warmup: int, steps: int, floor: float, from_zero: bool,
                  shape: Callable[[float], float]) -> Schedule:
    """Warm up in a straight line, then go from peak to floor as ``shape`` goes from 1 to 0."""
    check("peak", peak, is_number(peak) and peak > 0, "a positive number")
    check("steps", steps, is_number(steps) and steps >= 1, "a number of steps of at least 1")
    check("warmup", warmup, is_number(warmup) and 0 <= warmup < steps,
          f"a number of steps in [0, {steps})")
    check("floor", floor, is_number(floor) and 0 <= floor <= peak, f"a rate in [0, {peak}]")

    def rate(step: int) -> float:
        if step < warmup:
            return peak * (step if from_zero else step + 1) / warmup
        progress = min((step - warmup) / max(steps - 1 - warmup, 1), 1.0)
        return floor + (peak - floor) * shape(progress)

    return rate
