"""Checkpoints: round trip; every kind of damage is one clear error; a crash leaves the old one."""

import json
import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from minillm.files import written_atomically
from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Trainer, load_checkpoint, load_model, save_checkpoint

CONFIG = GPTConfig(vocab_size=20, context=8, layers=1, heads=2, width=16)


@pytest.fixture
def saved(tmp_path):
    model = GPT(CONFIG, seed=0)
    path = tmp_path / "model.npz"
    save_checkpoint(path, model, AdamW(model), {"step": 3})
    return path


def rewrite(path, **members):
    """Replace members of the archive; None removes one."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    for name, value in members.items():
        content[name + ".npy"] = value
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in content.items():
            if value is not None:
                archive.writestr(name, value)


def npy(array, **options):
    import io

    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def header(**changes):
    content = {"format": 1, "config": dict(vocab_size=20, context=8, layers=1, heads=2, width=16),
               "state": {}} | changes
    return npy(np.frombuffer(json.dumps(content).encode(), np.uint8))


def test_round_trip(saved):
    found = load_checkpoint(saved)
    assert found.config == CONFIG
    assert found.state == {"step": 3, "optimizer_steps": 0}
    assert np.array_equal(found.weights, GPT(CONFIG, seed=0).weights)
    assert np.array_equal(load_model(saved).weights, found.weights)


def test_half_precision(tmp_path):
    model = GPT(CONFIG, seed=0)
    save_checkpoint(tmp_path / "half.npz", model, dtype=np.float16)
    loaded = load_model(tmp_path / "half.npz")
    assert loaded.weights.dtype == np.float32
    np.testing.assert_allclose(loaded.weights, model.weights, rtol=1e-3, atol=1e-6)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        load_checkpoint(tmp_path / "none.npz")


def test_every_truncation_is_reported(saved):
    whole = saved.read_bytes()
    for length in [0, 1, 10, 100, *range(1000, len(whole), len(whole) // 40), len(whole) - 1]:
        saved.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"model\.npz is not a complete minillm checkpoint"):
            load_checkpoint(saved)


def test_altered_bytes_never_give_other_weights(saved):
    """A changed byte is reported, or lies where nothing is read from (padding, time stamps)."""
    whole = bytearray(saved.read_bytes())
    good = load_checkpoint(saved)
    rng = np.random.default_rng(0)
    reported = 0
    for place in rng.integers(0, len(whole), 300):
        altered = whole.copy()
        altered[place] ^= 1 << rng.integers(8)
        saved.write_bytes(altered)
        try:
            found = load_checkpoint(saved)
        except ValueError as error:
            reported += "model.npz" in str(error)
        else:
            assert np.array_equal(found.weights, good.weights)
            assert found.config == good.config
    assert reported > 250


@pytest.mark.parametrize(("members", "message"), [
    (dict(weights=None), "weights"),
    (dict(header=None), "header"),
    (dict(weights=npy(np.zeros(5, np.float32))), r"shape \(5,\)"),
    (dict(weights=npy(np.zeros(4000, np.int64))), "int64"),
    (dict(weights=npy(np.array([{}], object), allow_pickle=True)), "object"),
    (dict(header=npy(np.frombuffer(b"{not json", np.uint8))), "not a complete"),
    (dict(header=npy(np.frombuffer(b"[1]", np.uint8))), "format"),
    (dict(header=npy(np.frombuffer(b"[" * 100_000, np.uint8))), "not a complete"),
    (dict(header=header(format=99)), "format 1"),
    (dict(header=header(state=[1])), "no state"),
    (dict(header=header(config={"vocab_size": 20})), "missing"),
    (dict(header=header(config=dict(vocab_size=10**12, context=8, layers=1, heads=2, width=16))),
     "shape"),
    (dict(header=header(optimizer_steps="many")), "optimizer_steps"),
])
def test_damaged_content(saved, members, message):
    rewrite(saved, **members)
    with pytest.raises(ValueError, match=message):
        load_checkpoint(saved)


def test_nan_weights_are_refused(tmp_path):
    model = GPT(CONFIG)
    model.weights[7] = np.nan
    save_checkpoint(tmp_path / "nan.npz", model)
    with pytest.raises(ValueError, match="NaN"):
        load_checkpoint(tmp_path / "nan.npz")


def test_a_promised_size_takes_no_memory(saved):
    """A file of a few kB that claims terabytes is refused before anything is allocated."""
    shape = (2**42,)
    head = npy(np.zeros(0, np.float32)).replace(b"(0,)", str(shape).encode())
    rewrite(saved, weights=head)
    with pytest.raises(ValueError, match="shape"):
        load_checkpoint(saved)


def test_resume_refuses_another_model(saved):
    other = GPT(GPTConfig(vocab_size=20, context=8, layers=2, heads=2, width=16))
    with pytest.raises(ValueError, match="layers=1"):
        Trainer(other, AdamW(other), loader=None).resume(saved)


def test_resume_refuses_a_bare_model(tmp_path):
    model = GPT(CONFIG)
    save_checkpoint(tmp_path / "bare.npz", model)
    with pytest.raises(ValueError, match="a model only"):
        Trainer(model, AdamW(model), loader=None).resume(tmp_path / "bare.npz")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail():
        with written_atomically(path) as file:
            file.write(b"half of the n")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, a disk that is full")
def test_a_full_disk(monkeypatch, saved):
    before = saved.read_bytes()
    opened = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda handle, mode: opened(
        os.dup2(os.open("/dev/full", os.O_WRONLY), handle), mode))
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(saved, GPT(CONFIG, seed=5))
    monkeypatch.undo()
    assert saved.read_bytes() == before
    assert len(os.listdir(saved.parent)) == 1


KILLED = """
import os, signal, sys
import numpy as np
from minillm.files import written_atomically
from minillm.models import GPT, GPTConfig
from minillm.training import save_checkpoint
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)  # in the middle of writing
config = GPTConfig(vocab_size=20, context=8, layers=1, heads=2, width=16)
save_checkpoint(sys.argv[1], GPT(config, seed=9))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_process_leaves_the_old_checkpoint(saved):
    before = saved.read_bytes()
    run = subprocess.run([sys.executable, "-c", KILLED, str(saved)])
    assert run.returncode == -signal.SIGKILL
    assert saved.read_bytes() == before
    assert np.array_equal(load_model(saved).weights, GPT(CONFIG, seed=0).weights)
