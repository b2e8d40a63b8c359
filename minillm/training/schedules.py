"""Learning-rate schedules: functions from the step, counted from 0, to the rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..checks import check, is_number, is_positive

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same rate at every step."""
    check("lr", lr, is_positive(lr), "a positive number")
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


def inverse_sqrt(peak: float, warmup: int) -> Schedule:
    """Rise to ``peak`` over ``warmup`` steps, then fall as one over the root of the step.

    It has no end: training may go on as long as it likes. The original Transformer's rates are
    those of peak = 1 / √(C · warmup) for a width of C. Source: Vaswani et al. (2017), equation 3.
    """
    check("peak", peak, is_positive(peak), "a positive number")
    check("warmup", warmup, is_number(warmup) and warmup >= 1, "a number of steps of at least 1")
    return lambda step: peak * min((step + 1) / warmup, (warmup / (step + 1)) ** 0.5)


def warmup_stable_decay(peak: float, warmup: int, decay: int, steps: int, floor: float = 0.0,
                        from_zero: bool = False) -> Schedule:
    """Rise to ``peak`` over ``warmup`` steps, stay, and fall in a line over the last ``decay``.

    Source: Hu et al. (2024), MiniCPM, section 4.2.
    """
    check("decay", decay, is_number(decay) and 1 <= decay <= steps - warmup,
          f"a number of steps from 1 to steps - warmup = {steps - warmup}")
    stay = 1 - decay / max(steps - 1 - warmup, 1)  # share of the progress without a fall
    return _after_warmup(peak, warmup, steps, floor, from_zero,
                         lambda progress: min(1.0, (1 - progress) / (1 - stay)))


def _after_warmup(peak: float, warmup: int, steps: int, floor: float, from_zero: bool,
                  shape: Callable[[float], float]) -> Schedule:
    """Warm up in a straight line, then go from peak to floor as ``shape`` goes from 1 to 0."""
    check("peak", peak, is_positive(peak), "a positive number")
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
