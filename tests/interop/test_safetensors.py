"""The safetensors reader: what the library writes, and files that lie."""

import random

import numpy as np
import pytest

from minillm.interop import SafeTensorsFile

from .files import content, write

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b.c": np.float16([0.5, -2]),
          "n": np.arange(3), "one": np.float32(7), "none": np.zeros((0, 4), np.float32)}


def test_reading(tmp_path):
    file = SafeTensorsFile(write(tmp_path / "x", ARRAYS))
    assert set(file.entries) == set(ARRAYS)
    for name in ("a", "b.c", "one", "none"):
        found = file.read(name, ARRAYS[name].shape)
        assert found.dtype == np.float32
        assert np.array_equal(found, ARRAYS[name])
    with pytest.raises(ValueError, match="'n' has dtype I64; expected one of F16, F32"):
        file.read("n", (3,))
    with pytest.raises(ValueError, match=r"'a' has shape \(2, 3\).*need \(3, 2\)"):
        file.read("a", (3, 2))
    with pytest.raises(ValueError, match="holds no 'z'"):
        file.read("z", ())
    assert not SafeTensorsFile(write(tmp_path / "y")).entries


@pytest.mark.parity
def test_parity_with_the_library(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    library.save_file({k: np.asarray(v) for k, v in ARRAYS.items()}, tmp_path / "x",
                      metadata={"format": "np"})
    file = SafeTensorsFile(tmp_path / "x")
    for name in ("a", "b.c", "one", "none"):
        assert np.array_equal(file.read(name, ARRAYS[name].shape), ARRAYS[name])


def entry(**changed):
    return {"a": dict(dtype="F32", shape=[2], data_offsets=[0, 8]) | changed}


@pytest.mark.parametrize(("made", "message"), [
    (dict(length=2**63), "its header claims 9223372036854775808"),
    (dict(length=3), "not valid JSON"), (dict(text=b""), "not valid JSON"),
    (dict(text=b"\xff{}"), "not valid JSON"), (dict(text=b"[" * 100_000), "not valid JSON"),
    (dict(text=b"[]"), "expected an object"),
    (dict(text=b'{"a": 1, "a": 2}'), "stands there twice"),
    (dict(header={"a": 3}), "expected dtype, shape and data_offsets"),
    (dict(header={"a": {"dtype": "F32"}}), "expected dtype, shape and data_offsets"),
    (dict(header=entry(dtype="F31")), "dtype 'F31'"), (dict(header=entry(dtype=[])), "dtype"),
    (dict(header=entry(shape=2)), "shape 2"), (dict(header=entry(shape=[-2])), "at least 0"),
    (dict(header=entry(shape=[2.0])), "at least 0"), (dict(header=entry(shape=[True])), "at least"),
    (dict(header=entry(shape=[1] * 99)), "shape"), (dict(header=entry(shape=[3])), "need 12 bytes"),
    (dict(header=entry(shape=[2**62, 2**62])), "need"),
    (dict(header=entry(data_offsets=[0])), "need 8 bytes"),
    (dict(header=entry(data_offsets=[8, 0])), "need 8 bytes"),
    (dict(header=entry(data_offsets=[4, 12])), "expected"),
    (dict(header=entry(), data=bytes(7)), "its arrays end at byte"),
    (dict(header=entry(), data=bytes(9)), "its arrays end at byte"),
    (dict(header=entry() | {"b": entry()["a"]}), "begins at byte"),
])
def test_files_that_lie(tmp_path, made, message):
    with pytest.raises(ValueError, match=message):
        SafeTensorsFile(write(tmp_path / "x", **({"data": bytes(8)} | made)))


def test_short_files(tmp_path):
    whole = write(tmp_path / "x", ARRAYS).read_bytes()
    for size in (*range(12), 100, len(whole) - 1):
        (tmp_path / "x").write_bytes(whole[:size])
        with pytest.raises(ValueError, match="x"):
            SafeTensorsFile(tmp_path / "x")
    with pytest.raises(FileNotFoundError):
        SafeTensorsFile(tmp_path / "none")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none(tmp_path, bad):
    file = SafeTensorsFile(write(tmp_path / "x", {"a": np.float32([1, bad])}))
    with pytest.raises(ValueError, match="'a' holds NaN or infinity"):
        file.read("a", (2,))


def test_bytes_changed_at_random_give_an_error_or_arrays(tmp_path):
    readable = {name: array for name, array in ARRAYS.items() if name != "n"}
    rng, whole = random.Random(0), bytearray(write(tmp_path / "x", readable).read_bytes())
    refused = 0
    for _ in range(500):
        damaged = whole.copy()
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        (tmp_path / "x").write_bytes(damaged)
        try:
            file = SafeTensorsFile(tmp_path / "x")
            for name, found in file.entries.items():
                file.read(name, found.shape)
        except ValueError:
            refused += 1
    assert 0 < refused < 500  # a changed number in an array is not an error


def test_headers_have_a_limit(tmp_path):
    header, data = content(ARRAYS)
    header["__metadata__"] = {"much": "x" * 10_000_000}
    with pytest.raises(ValueError, match="expected at most 10000000"):
        SafeTensorsFile(write(tmp_path / "x", header=header, data=data))
