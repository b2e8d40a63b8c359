"""Decimal numbers as the reference library's JSON reader reads them, and writing for it.

Hugging Face's library (serde_json without its exact mode) takes the digits as one whole number of
64 bits, rounds that to a float64, and multiplies or divides it by a power of ten: two or three
roundings where there should be one. One score in seven comes out one place off, and that decides
between segmentations whose scores would be equal.
"""

import math

MOST = (1 << 64) - 1
LARGEST_POWER = 308


def read_number(text: str) -> float:
    """The float64 that the library makes of a JSON number with a point or an exponent.

    >>> read_number("-11.821905921350673"), float("-11.821905921350673")
    (-11.821905921350671, -11.821905921350673)
    """
    mantissa, _, exponent = text.lower().removeprefix("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    number, left_out = leading_digits(0, whole)
    number, too_long = leading_digits(number, fraction)
    power = int(exponent or 0) + left_out - (len(fraction) - too_long)
    value = scaled(float(number), power)
    return -value if text.startswith("-") else value


def leading_digits(number: int, digits: str) -> tuple[int, int]:
    """(`number` with as many of the digits behind it as 64 bits hold, how many are left out)."""
    for k, digit in enumerate(digits):
        if 10 * number + int(digit) > MOST:
            return number, len(digits) - k
        number = 10 * number + int(digit)
    return number, 0


def scaled(value: float, power: int) -> float:
    """value · 10^power, rounded after each of the few steps of the library."""
    if value == 0.0:
        return value
    while power < -LARGEST_POWER:
        value /= 1e308
        power += LARGEST_POWER
        if value == 0.0:
            return value
    if power > LARGEST_POWER:
        return math.inf
    return value * float(f"1e{power}") if power >= 0 else value / float(f"1e{-power}")


def write_number(value: float) -> str:
    """The shortest decimal number, of those near `value`, that ``read_number`` reads as it.

    One float64 in 600 is out of its reach; that is written as Python writes it.
    """
    shortest = repr(value)
    if read_number(shortest) == value:
        return shortest
    for digits in range(15, 20):
        for near in neighbours(value):
            text = f"{near:.{digits}e}"
            if read_number(text) == value:
                return text
    return shortest


def neighbours(value: float) -> list[float]:
    """The float64 numbers next to a value, the value itself first."""
    below, above = (math.nextafter(value, end) for end in (-math.inf, math.inf))
    return [value, below, above, math.nextafter(below, -math.inf), math.nextafter(above, math.inf)]
