"""Windows that slide over each document: none reaches into the next, short tails are counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.data import IGNORE_INDEX, DataLoader, TokenDataset

END = 0


def windows_of(document, size, stride, shortest):
    """(first, tokens) of each window of one document, and how many tokens are in none."""
    found, first = [], 0
    while True:
        found.append((first, document[first:first + size]))
        if first + size >= len(document):
            break
        first += stride
    dropped = 0
    if len(found) > 1 and len(found[-1][1]) < shortest:
        reached = found[-2][0] + size
        dropped = len(document) - reached
        found.pop()
    return found, dropped


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 6), st.data())
def test_equals_cutting_each_document_by_itself(lengths, size, data):
    stride, shortest = data.draw(st.integers(1, size)), data.draw(st.integers(1, size))
    rng = np.random.default_rng(1)
    documents = [[*rng.integers(1, 9, n).tolist(), END] for n in lengths]
    dataset = TokenDataset.from_ids([i for d in documents for i in d], 9, END)
    loader = DataLoader(dataset, 2, size, stride, shuffle=False, drop_last=False,
                        windows="sliding", shortest=shortest)
    rows = [(x.tolist(), y.tolist()) for batch in loader for x, y in zip(*batch, strict=True)]
    expected, dropped = [], 0
    for document in documents:
        found, lost = windows_of(document, size, stride, shortest)
        dropped += lost
        for first, window in found:
            before = document[first - 1] if first else END
            padding = size - len(window)
            expected.append(([before, *window[:-1], *[END] * padding],
                             [*window, *[IGNORE_INDEX] * padding]))
    assert rows == expected
    assert loader.dropped == dropped


def test_a_whole_epoch_predicts_every_token_at_stride_context():
    dataset = TokenDataset.from_ids([1, 2, 3, 4, 0, 5, 0, 6, 7, 8, 0], 9, END)
    loader = DataLoader(dataset, 2, 3, windows="sliding", seed=4, drop_last=False)
    labels = np.concatenate([y.ravel() for _, y in loader])
    assert sorted(labels[labels != IGNORE_INDEX].tolist()) == sorted(dataset.ids.tolist())


def test_it_resumes_and_refuses_another_rule():
    dataset = TokenDataset.from_ids([*range(1, 40), END], 40, END)
    loader, again = (DataLoader(dataset, 2, 8, 3, windows="sliding", shortest=4) for _ in range(2))
    batches = iter(loader)
    next(batches)
    again.resume(loader.state())
    for (a, b), (c, d) in zip(batches, again, strict=True):
        assert np.array_equal(a, c)
        assert np.array_equal(b, d)
    other = DataLoader(dataset, 2, 8, 3, windows="sliding", shortest=5)
    with pytest.raises(ValueError, match=r"state\['shortest'\]=4"):
        other.resume(loader.state())


@pytest.mark.parametrize(("options", "named"), [
    (dict(stride=9), "stride=9: expected at most context=8"),
    (dict(shortest=9), "shortest=9: expected a number of tokens from 1 to context=8"),
    (dict(shortest=0), "shortest=0"), (dict(stride=0), "stride"),
    (dict(windows="stream", shortest=2), "shortest=2: expected 1 unless windows='sliding'")])
def test_rules_that_make_no_sense_are_refused(options, named):
    dataset = TokenDataset.from_ids([*range(1, 40), END], 40, END)
    with pytest.raises(ValueError, match=named):
        DataLoader(dataset, 2, 8, **{"windows": "sliding", **options})
