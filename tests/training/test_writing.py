"""A crash, a full disk or another writer leaves the old file or a new one, whole, and no rest."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from minillm.files import written_atomically
from minillm.models import GPT
from minillm.training import load_checkpoint, load_model, save_checkpoint

from .test_checkpoints import CONFIG


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.npz"
    save_checkpoint(path, GPT(CONFIG, seed=0))
    return path


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


def test_errors_name_the_file_that_was_asked_for(tmp_path):
    (tmp_path / "folder").mkdir()
    for path, error in ((tmp_path / "none" / "file", FileNotFoundError),
                        (tmp_path / "folder", OSError)):
        with pytest.raises(error) as found, written_atomically(path) as file:
            file.write(b"text")
        assert found.value.filename == str(path)
        assert "partial" not in str(found.value)
    assert os.listdir(tmp_path) == ["folder"]


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
    assert len(os.listdir(saved.parent)) == 2  # what it was writing
    beside = [saved.with_name(name) for name in (
        "model.npz.bak", "model.npz.v2.partial", "model.npz.run.minillm-partial",
        "other.npz.abcdefgh.minillm-partial")]
    for file in beside:
        file.write_bytes(b"not ours")
    with written_atomically(saved):
        with written_atomically(saved) as second:  # at the same moment as the first
            second.write(b"second")
        assert saved.read_bytes() == b"second"
    assert saved.read_bytes() == b""
    assert sorted(os.listdir(saved.parent)) == sorted([saved.name, *(f.name for f in beside)])


TWO = """
import sys
import numpy as np
from minillm.models import GPT, GPTConfig
from minillm.training import save_checkpoint
config = GPTConfig(vocab_size=20, context=8, layers=1, heads=2, width=16)
model = GPT(config)
model.weights[:] = int(sys.argv[2])
for _ in range(100):
    save_checkpoint(sys.argv[1], model)
"""


def test_two_processes_save_to_one_path(saved):
    """Every moment finds one whole model or the other, and nothing is left at the end."""
    both = [subprocess.Popen([sys.executable, "-c", TWO, str(saved), str(i)]) for i in (3, 4)]
    first = load_model(saved).weights
    while any(process.poll() is None for process in both):
        weights = load_model(saved).weights
        assert any(np.array_equal(weights, np.broadcast_to(whole, weights.shape))
                   for whole in (first, 3, 4))
    assert [process.wait() for process in both] == [0, 0]
    assert load_model(saved).weights[0] in (3, 4)
    assert os.listdir(saved.parent) == [saved.name]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_a_file_taken_away_before_it_was_locked_is_made_again(tmp_path, monkeypatch):
    import fcntl

    from minillm import files

    real, removed = fcntl.flock, []

    def late(handle, kind):
        if not removed:  # another process comes first
            removed.extend(os.listdir(tmp_path))
            os.unlink(tmp_path / removed[0])
        real(handle, kind)

    monkeypatch.setattr(files.fcntl, "flock", late)
    with written_atomically(tmp_path / "file") as file:
        file.write(b"whole")
    assert removed
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"whole"


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_gives_one_kind_of_error(tmp_path, seed):
    """A file with a few bytes changed is read whole, or refused as no complete checkpoint."""
    path, rng = tmp_path / "m.npz", np.random.default_rng(seed)
    save_checkpoint(path, GPT(CONFIG))
    with zipfile.ZipFile(path) as stored, zipfile.ZipFile(tmp_path / "d", "w", 8) as deflated:
        for name in stored.namelist():
            deflated.writestr(name, stored.read(name))
    data = bytearray((tmp_path / "d").read_bytes())
    for _ in range(3):
        data[rng.integers(len(data))] = rng.integers(256)
    with contextlib.suppress(ValueError):
        load_checkpoint(io.BytesIO(bytes(data)))
    huge = io.BytesIO()
    with zipfile.ZipFile(huge, "w") as archive:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False,
                                                    "shape": (10**15,)})
        archive.writestr("header.npy", head.getvalue() + b"{}")
    with pytest.raises(ValueError, match="not a complete minillm checkpoint"):
        load_checkpoint(huge)
