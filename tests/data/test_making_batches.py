"""DataLoader on files of tokens: mapped, pickled, made by other processes, packed documents."""

import os
import pickle
import signal
import time

import numpy as np
import pytest
from letters import Letters
from loading import copies, equal

from minillm.data import DataLoader, TokenDataset


@pytest.fixture(scope="module")
def stories_file(tmp_path_factory):
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcdef"), rng.integers(1, 9))) for _ in range(200)]
    path = tmp_path_factory.mktemp("tokens") / "stories.tokens"
    TokenDataset.build(path, texts, Letters("\0abcdef", 128), end_token=0, progress=False)
    return path


def test_mapped_and_in_memory_give_the_same_samples(stories_file):
    mapped = TokenDataset.open(stories_file)
    memory = TokenDataset.from_ids(np.array(mapped.ids), 128, 0)
    for windows in ("stream", "documents", "packed"):
        loaders = [DataLoader(data, 4, 12, windows=windows, seed=5) for data in (mapped, memory)]
        assert equal(*map(copies, loaders))


def test_a_mapped_dataset_is_pickled_by_its_place(stories_file):
    """Not by its ids; a part of it too."""
    _, held = TokenDataset.open(stories_file).split(0.3)
    content = pickle.dumps(held)
    assert len(content) < 500
    again = pickle.loads(content)
    assert np.array_equal(again.ids, held.ids)
    assert np.array_equal(again.document_bounds, held.document_bounds)


@pytest.mark.parametrize("mapped", [True, False])
def test_processes_give_the_batches_of_none(stories_file, mapped):
    """Two epochs, and resuming in the middle of one, with processes or without."""
    data = TokenDataset.open(stories_file)
    if not mapped:
        data = TokenDataset.from_ids(np.array(data.ids), 128, 0)
    options = {"windows": "packed", "documents": True, "seed": 3, "drop_last": False}
    alone, helped = (DataLoader(data, 4, 16, workers=n, **options) for n in (0, 2))
    expected, found = [list(alone), list(alone)], [list(helped), list(helped)]
    for one, other in zip(expected, found, strict=True):
        assert equal([tuple(b) for b in one], [tuple(b) for b in other])
    assert not equal(expected[0], expected[1])
    third = [batch for _, batch in zip(range(3), helped, strict=False)]
    other = DataLoader(data, 4, 16, workers=1, **options)
    other.resume(helped.state())
    rest = [*third, *other]
    assert equal(rest, list(alone))


def test_a_process_that_dies_is_reported_and_costs_no_batch(stories_file):
    data = TokenDataset.open(stories_file)
    loader = DataLoader(data, 4, 12, workers=1, windows="documents", seed=1)
    batches = iter(loader)
    got = [next(batches)]
    for process in loader._makers.pool._processes.values():
        process.kill()
    with pytest.raises(RuntimeError, match="has ended before its time"):
        got.extend(batches)
    got.extend(loader)
    assert equal(got, list(DataLoader(data, 4, 12, windows="documents", seed=1)))


def test_ctrl_c_is_for_the_process_that_trains(stories_file, capfd):
    """A terminal sends it to all: those that make batches go on, and print nothing."""
    data = TokenDataset.open(stories_file)
    loader = DataLoader(data, 4, 12, workers=1, windows="documents", seed=1)
    batches = iter(loader)
    got = [next(batches)]
    time.sleep(0.3)  # the process has made all that it may make ahead, and waits
    for process in loader._makers.pool._processes.values():
        os.kill(process.pid, signal.SIGINT)
    got.extend(batches)
    assert equal(got, list(DataLoader(data, 4, 12, windows="documents", seed=1)))
    del batches, loader
    assert capfd.readouterr().err == ""


def test_documents_of_packed_rows(stories_file):
    """Numbers from 1, a new one at each document, 0 at padding."""
    data = TokenDataset.open(stories_file)
    loader = DataLoader(data, 4, 20, windows="packed", documents=True, shuffle=False)
    for x, documents, y in loader:
        for row in range(len(x)):
            lengths = [len(part) + 1 for part in
                       bytes(y[row][y[row] >= 0].astype(np.uint8)).split(b"\0")[:-1]]
            expected = np.repeat(np.arange(len(lengths)) + 1, lengths)
            assert documents[row, :len(expected)].tolist() == expected.tolist()
            assert (documents[row, len(expected):] == 0).all()
    with pytest.raises(ValueError, match="documents=True: expected False unless windows='packed'"):
        DataLoader(data, 4, 20, documents=True)
    with pytest.raises(ValueError, match="workers=-1"):
        DataLoader(data, 4, 20, workers=-1)
