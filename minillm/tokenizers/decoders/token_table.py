"""The table of what each token becomes, for ``by_table`` and its kernels."""

from typing import NamedTuple

import numpy as np

UNSEEN, WAITS, NO_ID = -1, -2, -3
MORE = bytes(8)  # behind bytes that are copied by eights


class Table(NamedTuple):
    """What tokens become behind others: data[places[id] : places[id] + sizes[id]].

    places (V,) int64: UNSEEN of tokens that were not met yet, WAITS of those that have no place,
    NO_ID of numbers that are not used. MORE stands at the end of `data`.
    """

    places: np.ndarray
    sizes: np.ndarray
    data: np.ndarray
