"""DataLoader: what is in the batches, order, resuming."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import copies, equal

from minillm.data import DataLoader, TokenDataset

NUMBERS = TokenDataset.from_ids(np.arange(1000))


def test_stream_windows_cover_the_text_once_per_epoch():
    loader = DataLoader(NUMBERS, batch_size=3, context=10, drop_last=False)
    batches = list(loader)
    assert len(batches) == len(loader) == 34
    assert all(x.dtype == y.dtype == np.int64 for x, y in batches)
    assert all(((y == x + 1) | (y == -100)).all() for x, y in batches)
    seen = np.sort(np.concatenate([y.ravel() for _, y in batches]))
    assert seen.tolist() == [-100, *range(1, 1000)]  # 99 whole windows and one of 9
    whole = list(DataLoader(NUMBERS, batch_size=3, context=10))
    assert len(whole) == 33
    seen = np.sort(np.concatenate([x.ravel() for x, _ in whole]))
    assert seen.tolist() == list(range(990))
    first = batches[0][0]
    assert first.shape == (3, 10)
    assert not np.array_equal(first[:, 0], [0, 10, 20])
    plain = next(iter(DataLoader(NUMBERS, 3, 10, shuffle=False)))[0]
    assert plain[:, 0].tolist() == [0, 10, 20]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 60),
    batch_size=st.integers(1, 5),
    context=st.integers(1, 9),
    stride=st.integers(1, 9),
    drop_last=st.booleans(),
)
def test_every_window_once(n, batch_size, context, stride, drop_last):
    dataset = TokenDataset.from_ids(np.arange(n))
    windows = [list(range(at, at + context)) for at in range(1, n - context + 1, stride)]
    missed = set(range(1, n)) - {target for window in windows for target in window}
    begins = len(windows) * stride + 1
    if not drop_last and any(target >= begins for target in missed):
        windows.append(list(range(begins, n)))
    batches = len(windows) // batch_size if drop_last else -(-len(windows) // batch_size)
    if batches == 0:
        with pytest.raises(ValueError, match="too few"):
            DataLoader(dataset, batch_size, context, stride, drop_last=drop_last)
        return
    loader = DataLoader(dataset, batch_size, context, stride, drop_last=drop_last)
    assert len(loader) == batches
    found = []
    for x, y in loader:
        for row, targets in zip(x.tolist(), y.tolist(), strict=True):
            length = targets.index(-100) if -100 in targets else context
            assert row[:length] == [target - 1 for target in targets[:length]]
            assert set(targets[length:]) <= {-100}
            found.append(targets[:length])
    if drop_last:
        assert len(found) == batches * batch_size
        assert all(window in windows for window in found)
        assert len({window[0] for window in found}) == len(found)
    else:
        assert sorted(found) == windows
        assert stride > context or sorted({t for w in found for t in w}) == list(range(1, n))


def test_epochs_differ_and_seeds_repeat():
    loader = DataLoader(NUMBERS, 4, 8, seed=3)
    one, two = copies(loader), copies(loader)
    assert loader.epoch == 2
    assert not equal(one, two)
    again = DataLoader(NUMBERS, 4, 8, seed=3)
    assert equal(one + two, copies(again) + copies(again))
    assert not equal(one, copies(DataLoader(NUMBERS, 4, 8, seed=4)))


@pytest.mark.parametrize("taken", [0, 1, 17, 30, 31, 32, 62, 70])
@pytest.mark.parametrize("drop_last", [True, False])
def test_resuming_gives_exactly_the_batches_that_would_have_come(taken, drop_last):
    def make():
        return DataLoader(NUMBERS, 4, 8, seed=9, drop_last=drop_last)

    straight = make().forever()
    expected = copies(next(straight) for _ in range(taken + 80))[taken:]
    loader = make()
    stream = loader.forever()
    for _ in range(taken):
        next(stream)
    state = json.loads(json.dumps(loader.state()))
    fresh = make()
    fresh.resume(state)
    after = fresh.forever()
    assert equal(copies(next(after) for _ in range(80)), expected)


def test_resume_refuses_the_state_of_another_loader():
    state = DataLoader(NUMBERS, 4, 8).state()
    for change in ({"batch_size": 5}, {"context": 9}, {"seed": 1}, {"shuffle": False}):
        other = DataLoader(NUMBERS, **({"batch_size": 4, "context": 8} | change))
        with pytest.raises(ValueError, match=next(iter(change))):
            other.resume(state)
    with pytest.raises(ValueError, match="batch 999"):
        DataLoader(NUMBERS, 4, 8).resume(state | {"batch": 999})


def test_reused_buffers_are_the_same_arrays():
    loader = DataLoader(NUMBERS, 4, 8, reuse=True)
    stream = iter(loader)
    x, y = next(stream)
    before = x.copy()
    x2, y2 = next(stream)
    assert x2 is x
    assert y2 is y
    assert not np.array_equal(x, before)
    fresh = list(DataLoader(NUMBERS, 4, 8))
    assert fresh[0][0] is not fresh[1][0]


DOCUMENTS = TokenDataset.from_ids([1, 2, 3, 0, 4, 0, 5, 6, 0, 7, 8, 9, 10, 11, 12, 0], end_token=0)


def test_one_document_per_row():
    loader = DataLoader(DOCUMENTS, 4, 5, shuffle=False, windows="documents")
    x, y = next(iter(loader))
    pad = -100
    assert x.tolist() == [[0, 1, 2, 3, 0], [0, 4, 0, 0, 0], [0, 5, 6, 0, 0], [0, 7, 8, 9, 10]]
    assert y.tolist() == [
        [1, 2, 3, 0, pad], [4, 0, pad, pad, pad], [5, 6, 0, pad, pad], [7, 8, 9, 10, 11]
    ]  # fmt: skip
    assert loader.truncated == 1


def test_packed_rows_hold_whole_documents():
    loader = DataLoader(DOCUMENTS, 3, 6, shuffle=False, windows="packed")
    x, y = next(iter(loader))
    assert x.tolist() == [[0, 1, 2, 3, 0, 4], [0, 5, 6, 0, 0, 0], [0, 7, 8, 9, 10, 11]]
    assert y.tolist() == [[1, 2, 3, 0, 4, 0], [5, 6, 0, -100, -100, -100], [7, 8, 9, 10, 11, 12]]


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 8), min_size=1, max_size=15),
    context=st.integers(1, 12),
    windows=st.sampled_from(["documents", "packed"]),
)
def test_each_document_is_predicted_once_from_its_beginning(lengths, context, windows):
    documents, ids = [], []
    for length in lengths:
        documents.append([*range(len(ids) + 1, len(ids) + 1 + length), 0])
        ids += documents[-1]
    dataset = TokenDataset.from_ids(ids, vocab_size=200, end_token=0)
    loader = DataLoader(dataset, 1, context, windows=windows)
    assert loader.truncated == sum(len(d) > context for d in documents)
    found = []
    for x, y in loader:
        kept = y[0][y[0] != -100]
        assert x[0, 0] == 0
        assert x[0, 1 : len(kept)].tolist() == kept[:-1].tolist()
        assert (y[0, len(kept) :] == -100).all()
        found.append(kept.tolist())
    expected = sorted(t for d in documents for t in d[:context])
    assert sorted(t for row in found for t in row) == expected
    if windows == "documents":
        assert sorted(found) == sorted(d[:context] for d in documents)


def test_wrong_arguments_are_named():
    for wrong in ({"batch_size": 0}, {"context": 0}, {"context": 2.5}, {"stride": 0}):
        name = next(iter(wrong))
        with pytest.raises(ValueError, match=f"{name}={wrong[name]}"):
            DataLoader(NUMBERS, **({"batch_size": 4, "context": 8} | wrong))
    with pytest.raises(ValueError, match="windows='rows'"):
        DataLoader(NUMBERS, 4, 8, windows="rows")
    with pytest.raises(ValueError, match="stride=3"):
        DataLoader(DOCUMENTS, 1, 8, stride=3, windows="packed")
    with pytest.raises(ValueError, match="end_token is None"):
        DataLoader(NUMBERS, 1, 8, windows="documents")
    with pytest.raises(ValueError, match="1000 tokens, which give 0 rows of context=1000"):
        DataLoader(NUMBERS, 1, 1000)
    assert len(DataLoader(NUMBERS, 1, 999)) == 1


def test_an_exception_costs_no_batch():
    class Flaky(DataLoader):
        calls = 0

        def fill(self, rows):
            self.calls += 1
            if self.calls in (3, 4, 17):
                raise KeyboardInterrupt
            return super().fill(rows)

    expected = list(DataLoader(NUMBERS, 4, 8))
    loader, found = Flaky(NUMBERS, 4, 8), []
    while len(found) < len(expected):
        before = loader.state()
        try:
            for batch in loader:
                found.append(batch)
                before = loader.state()
        except KeyboardInterrupt:
            assert loader.state() == before
    assert loader.calls == len(expected) + 3
    assert equal(found, expected)


def test_numpy_numbers_as_settings_and_seeds():
    loader = DataLoader(NUMBERS, np.int64(4), np.int32(8), np.int16(5), np.bool_(True),
                        np.uint8(3), np.bool_(False))
    assert json.loads(json.dumps(loader.state())) == loader.state()
    assert equal(list(loader), list(DataLoader(NUMBERS, 4, 8, 5, True, 3, False)))
    for wrong in (None, -1, 1.0, True, "1"):
        with pytest.raises(ValueError, match=f"seed={wrong!r}"):
            DataLoader(NUMBERS, 4, 8, seed=wrong)


def test_a_loader_with_another_tail_is_another_loader():
    loader = DataLoader(NUMBERS, 4, 8, drop_last=False)
    old = {name: value for name, value in loader.state().items() if name != "rows"}
    with pytest.raises(ValueError, match="rows"):
        loader.resume(old)


@pytest.mark.parametrize("wrong", [
    {"epoch": "x"}, {"batch": None}, {"epoch": 1.5}, {"batch": True}, {"epoch": -1}, {"batch": 99},
])
def test_states_of_no_place_are_refused(wrong):
    loader = DataLoader(TokenDataset.from_ids(np.arange(40)), 2, 4)
    with pytest.raises(ValueError, match="state names epoch"):
        loader.resume(loader.state() | wrong)
    with pytest.raises(ValueError, match="state names epoch"):
        loader.resume({name: each for name, each in loader.state().items() if name not in wrong})
    with pytest.raises(TypeError, match="state=None"):
        loader.resume(None)
    assert (loader.epoch, loader.batch) == (0, 0)
