"""Checkpoints: round trip; every kind of damage is one clear error; nothing broken is saved."""

import io
import json
import os
import tempfile
import zipfile

import numpy as np
import pytest

from minillm.models import GPT, GPTConfig
from minillm.training import AdamW, Trainer, load_checkpoint, load_model, save_checkpoint

from .test_training import trainer

CONFIG = GPTConfig(vocab_size=20, context=8, layers=1, heads=2, width=16)


@pytest.fixture
def saved(tmp_path):
    model = GPT(CONFIG, seed=0)
    path = tmp_path / "model.npz"
    save_checkpoint(path, model, AdamW(model), {"step": 3})
    return path


def rewrite(path, members):
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
    content = {"format": 2, "kind": "GPT",
               "config": dict(vocab_size=20, context=8, layers=1, heads=2, width=16),
               "state": {}} | changes
    return npy(np.frombuffer(json.dumps(content).encode(), np.uint8))


def test_round_trip(saved):
    found = load_checkpoint(saved)
    assert found.config == CONFIG
    assert found.state == {"step": 3, "optimizer": "AdamW", "optimizer_steps": 0}
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
    ({"weights/norm.b": None}, "weights/norm.b"),
    ({"header": None}, "header"),
    ({"weights/norm.b": npy(np.zeros(5, np.float32))}, r"shape \(5,\)"),
    ({"weights/norm.b": npy(np.zeros(16, np.int64))}, "int64"),
    ({"weights/norm.b": npy(np.zeros(16))}, "another type"),
    ({"weights/tokens.w": npy(np.asfortranarray(np.ones((20, 16), np.float32)))}, "shape"),
    ({"weights/norm.b": npy(np.array([{}] * 16, object), allow_pickle=True)}, "object"),
    ({"header": npy(np.frombuffer(b"{not json", np.uint8))}, "not a complete"),
    ({"header": npy(np.frombuffer(b"[1]", np.uint8))}, "format"),
    ({"header": npy(np.frombuffer(b"[" * 100_000, np.uint8))}, "not a complete"),
    ({"header": header(format=99)}, "format 2"),
    ({"header": header(state=[1])}, "no state"),
    ({"header": header(config={"vocab_size": 20})}, "missing"),
    ({"header": header(config=dict(vocab_size=10**12, context=8, layers=1, heads=2, width=16))},
     "shape"),
    ({"header": header(config=dict(vocab_size=20, context=8, layers=10**12, heads=2, width=16))},
     "more parameters"),
    ({"header": header(kind="Oracle")}, "kind of model is 'Oracle'; expected one of GPT"),
    ({"header": header(kind=["GPT"])}, "kind of model"),
    ({"header": header(optimizer_steps="many")}, "optimizer_steps"),
])
def test_damaged_content(saved, members, message):
    rewrite(saved, members)
    with pytest.raises(ValueError, match=message):
        load_checkpoint(saved)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["weights", "m", "v"])
def test_a_file_with_nan_is_refused(saved, name, wrong):
    array = np.zeros((8, 16), np.float32)
    array[3, 7] = wrong
    rewrite(saved, {f"{name}/positions.w": npy(array)})
    with pytest.raises(ValueError, match=f"{name}/positions.w holds NaN or infinity"):
        load_checkpoint(saved)


def broken(part, index, wrong):
    model = GPT(CONFIG)
    optimizer = AdamW(model)
    {"weights": model.weights, "m": optimizer.m, "v": optimizer.v}[part][index] = wrong
    return model, optimizer


@pytest.mark.parametrize(("arguments", "message"), [
    ((*broken("weights", 0, np.nan), {}), r"parameter tokens\.w holds nan.*learning rate"),
    ((*broken("weights", -1, np.inf), {}), r"parameter norm\.b holds inf"),
    ((*broken("m", 20 * 16, -np.inf), {}), r"optimizer's m of parameter positions\.w holds -inf"),
    ((*broken("v", 450, np.nan), {}), r"optimizer's v of parameter blocks\.0\.attention\.qkv\.w"),
    ((*broken("weights", 3, 7e4), {}, np.float16), r"tokens\.w holds inf.*too large for float16"),
    ((GPT(CONFIG), None, {}, np.int32), "dtype=int32"),
    ((GPT(CONFIG), AdamW(GPT(GPTConfig(20, 8, 2, 2, 16))), {}), "made for another model"),
    ((GPT(CONFIG), None, {"long": "x" * 1_000_000}), "state takes 1,000,"),
    ((GPT(CONFIG), None, [1]), "expected a dict"),
    ((GPT(CONFIG), None, {"what": {1, 2}}), "of type set"),
])
def test_what_could_not_be_loaded_is_not_saved(saved, arguments, message):
    before = saved.read_bytes()
    with pytest.raises((ValueError, TypeError), match=message):
        save_checkpoint(saved, *arguments)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_a_trainer_with_nan_keeps_the_good_checkpoint(tmp_path):
    from .test_training import trainer

    run = trainer(checkpoint=tmp_path / "run.npz")
    run.fit(2)
    run.model.weights[5] = np.nan
    with pytest.raises(ValueError, match=r"parameter tokens\.w holds nan"):
        run.save(tmp_path / "run.npz")
    assert load_checkpoint(tmp_path / "run.npz").state["step"] == 2


def test_numpy_numbers_can_be_saved(tmp_path):
    sizes = (np.int64(20), np.int32(8), np.uint8(1), np.int64(2), np.int16(16), np.int64(64))
    model = GPT(GPTConfig(*sizes, norm_first=np.bool_(True)))
    state = {"step": np.int64(3), "loss": np.float32(0.5), "ids": np.arange(2), "on": np.bool_(1)}
    save_checkpoint(tmp_path / "m.npz", model, state=state)
    found = load_checkpoint(tmp_path / "m.npz")
    assert found.config == GPTConfig(20, 8, 1, 2, 16, 64)
    assert [type(value) for value in vars(found.config).values()][:7] == [int] * 6 + [bool]
    assert found.state == {"step": 3, "loss": 0.5, "ids": [0, 1], "on": True}


def test_files_instead_of_paths(tmp_path, saved):
    model = GPT(CONFIG, seed=4)
    optimizer = AdamW(model)
    optimizer.m[:] = 2
    for make in (io.BytesIO, tempfile.TemporaryFile):
        with make() as file:
            file.write(b"something before")
            save_checkpoint(file, model, optimizer, {"step": 9})
            assert not file.closed
            file.seek(0)
            found = load_checkpoint(file)
            assert np.array_equal(load_model(file).weights, model.weights)
            assert np.array_equal(list(found.memory.values()), [optimizer.m, optimizer.v])
            assert found.state == {"step": 9, "optimizer": "AdamW", "optimizer_steps": 0}
    with pytest.raises(ValueError, match=r"^the file is not a complete minillm checkpoint"):
        load_checkpoint(io.BytesIO(saved.read_bytes()[:-30]))
    with open(saved) as text:
        for wrong in (io.StringIO(), text):
            with pytest.raises(TypeError, match="bytes"):
                load_checkpoint(wrong)
    with pytest.raises(TypeError, match="'wb'"):
        save_checkpoint(io.StringIO(), model)


def test_a_promised_size_takes_no_memory(saved):
    """A file of a few kB that claims terabytes is refused before anything is allocated."""
    shape = (2**42,)
    head = npy(np.zeros(0, np.float32)).replace(b"(0,)", str(shape).encode())
    rewrite(saved, {"weights/tokens.w": head})
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


class Writes:
    """Something that can be written to, and nothing else."""

    def write(self, data):
        return len(data)


@pytest.mark.parametrize("path", [Writes(), 5, None, b"name"])
def test_what_is_no_file_is_refused(path):
    with pytest.raises(TypeError, match=r"^path="):
        save_checkpoint(path, GPT(CONFIG))
    with pytest.raises(TypeError, match=r"^path="):
        load_checkpoint(path)


@pytest.mark.parametrize("seconds", ["1", None, True, -1.0, [1], float("nan"), float("inf")])
def test_a_run_of_no_duration_is_refused(tmp_path, seconds):
    run = trainer()
    state = {"step": 1, "tokens": 1, "seconds": seconds, "loader": run.loader.state()}
    save_checkpoint(tmp_path / "run", run.model, run.optimizer, state)
    with pytest.raises(ValueError, match="its seconds is"):
        run.resume(tmp_path / "run")
    assert (run.step, run.seconds) == (0, 0.0)
