"""Checkpoints: .npz files with the weights, the optimizer's memory and the place in the data.

A file holds arrays and one JSON text; nothing in it is code. It is written under another name
and renamed when complete, so a crash leaves the previous checkpoint as it was.
"""

from __future__ import annotations

import io
import json
import tokenize
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..files import written_atomically
from ..models.gpt import GPT, GPTConfig

FORMAT = 1
MOST = 1_000_000  # bytes of the header


@dataclass
class Checkpoint:
    """What a file holds: the model's sizes and weights, and what training needs to go on."""

    config: GPTConfig
    weights: np.ndarray
    moments: tuple[np.ndarray, np.ndarray] | None = None
    state: dict[str, Any] = field(default_factory=dict)

    def model(self) -> GPT:
        """A new model with these weights."""
        model = GPT(self.config, dtype=np.float32 if self.weights.itemsize < 8 else np.float64)
        model.weights[:] = self.weights
        return model


def save_checkpoint(path, model: GPT, optimizer=None, state: dict | None = None,
                    dtype=None) -> None:
    """Write ``model`` (and an AdamW's memory, and a JSON-able ``state``) to ``path``, atomically.

    ``path`` may be a file open for writing bytes instead. ``dtype=np.float16`` halves a file that
    is only meant for generation. Raises ValueError for what ``load_checkpoint`` would refuse, such
    as weights with NaN, before the file is touched.
    """
    dtype = model.weights.dtype if dtype is None else np.dtype(dtype)
    if dtype not in (np.float16, np.float32, np.float64):
        raise ValueError(f"dtype={dtype.name}: expected float16, float32 or float64")
    with np.errstate(over="ignore"):  # found below
        arrays = {"weights": model.weights.astype(dtype, copy=False)}
    header: dict[str, Any] = {"format": FORMAT, "config": asdict(model.config),
                              "state": {} if state is None else state}
    if optimizer is not None:
        header["optimizer_steps"] = optimizer.steps
        arrays |= {"m": optimizer.m, "v": optimizer.v}
    for name, array in arrays.items():
        check_numbers(name, array, model)
    arrays["header"] = np.frombuffer(header_text(header), np.uint8)
    if hasattr(path, "write"):
        if isinstance(path, io.TextIOBase):
            raise TypeError("path is a file open for text; open it for bytes, with mode 'wb'")
        np.savez(path, allow_pickle=False, **arrays)
        return
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_atomically(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def check_numbers(name: str, array: np.ndarray, model: GPT) -> None:
    """Raise a ValueError that names the parameter unless ``array`` holds finite numbers for it."""
    if array.shape != model.weights.shape:
        raise ValueError(f"optimizer has {array.size} numbers in {name}, but the model "
                         f"{model.weights.size} weights; it was made for another model")
    if np.isfinite(array).all():
        return
    place = int(np.flatnonzero(~np.isfinite(array))[0])
    parameter = next(n for n, p in model.named_parameters()
                     if p.start <= place < p.start + p.value.size)
    what = "" if name == "weights" else f"the optimizer's {name} of "
    mend = "go on from the last good checkpoint with a lower learning rate"
    if name == "weights" and np.isfinite(model.weights[place]):
        mend = f"it is too large for {array.dtype.name}; save with a wider dtype"
    raise ValueError(f"{what}parameter {parameter} holds {array[place]}, so nothing was saved, and "
                     f"what was saved before is as it was; {mend}")


def header_text(header: dict[str, Any]) -> bytes:
    """The header as JSON that can be read again; NumPy's numbers become plain ones."""
    if not isinstance(header["state"], dict):
        raise TypeError(f"state={header['state']!r}: expected a dict, or None")
    text = json.dumps(header, default=plain).encode()
    if len(text) >= MOST:
        raise ValueError(f"state takes {len(text):,} bytes as JSON; expected less than {MOST:,}: "
                         "keep long lists in a file of their own")
    return text


def plain(value: Any) -> Any:
    """What JSON can hold for a NumPy number or array."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"state holds {value!r} of type {type(value).__name__}; expected numbers, "
                    "texts, lists and dicts, which JSON can hold")


def load_checkpoint(path) -> Checkpoint:
    """Read a checkpoint: a file's path, or a file open for reading bytes that ends with it.

    The sizes it claims are checked before memory is taken. Raises FileNotFoundError, or ValueError
    naming the file and what is wrong with it.
    """
    if hasattr(path, "read"):
        if isinstance(path, io.TextIOBase) or not path.seekable():
            raise TypeError("path is a file that cannot be read as bytes from any place; open it "
                            "with mode 'rb', or put its bytes into an io.BytesIO")
    else:
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            header = _json(archive)
            config = GPTConfig(**header["config"])
            names = {"weights"} | ({"m", "v"} if "optimizer_steps" in header else set())
            size = parameter_count(config)
            arrays = {name: _array(archive, name, size) for name in sorted(names)}
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, EOFError,
            NotImplementedError, RecursionError, zlib.error, tokenize.TokenError) as problem:
        name = getattr(path, "name", "the file") if hasattr(path, "read") else path
        raise ValueError(f"{name} is not a complete minillm checkpoint: {problem}") from problem
    state = dict(header["state"])
    if "m" not in arrays:
        return Checkpoint(config, arrays["weights"], None, state)
    state["optimizer_steps"] = header["optimizer_steps"]
    return Checkpoint(config, arrays["weights"], (arrays["m"], arrays["v"]), state)


def load_model(path) -> GPT:
    """The model in a checkpoint, ready to generate or to be evaluated."""
    return load_checkpoint(path).model()


def parameter_count(config: GPTConfig) -> int:
    """Number of weights of a GPT with these sizes, without making one."""
    C, F = config.width, config.hidden or 4 * config.width
    block = (C * 3 * C + 3 * C) + (C * C + C) + (C * F + F) + (F * C + C) + 4 * C
    last = 2 * C if config.norm_first else 0
    return (config.vocab_size + config.context) * C + config.layers * block + last


def _json(archive: zipfile.ZipFile) -> dict:
    """The header, read from a member that may be at most 1 MB."""
    info = archive.getinfo("header.npy")
    if info.file_size > MOST + 128:  # of the array around the text
        raise ValueError(f"its header claims {info.file_size:,} bytes")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if version != (1, 0) or dtype != np.uint8 or shape != (info.file_size - file.tell(),):
            raise ValueError(f"its header claims the shape {shape} and type {dtype}")
        header = json.loads(file.read())
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"its header is not of format {FORMAT}")
    if not isinstance(header.get("state"), dict):
        raise ValueError("its header holds no state")
    steps = header.get("optimizer_steps", 0)
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 0:
        raise ValueError(f"its optimizer_steps is {steps!r:.40}, not a number of steps")
    return header


def _array(archive: zipfile.ZipFile, name: str, size: int) -> np.ndarray:
    """One vector of ``size`` finite numbers; shape and type are checked before it is read."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{name} is stored as .npy version {version}; expected (1, 0)")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if shape != (size,) or dtype not in (np.float16, np.float32, np.float64):
            raise ValueError(f"{name} has shape {shape} and type {dtype}; these sizes of model "
                             f"need ({size},) floating-point numbers")
        if archive.getinfo(f"{name}.npy").file_size - file.tell() != size * dtype.itemsize:
            raise ValueError(f"{name} is shorter or longer than its {size} numbers")
        content = file.read()  # of known length; reaching the end checks the checksum
    array = np.frombuffer(content, dtype).copy()
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
    return array
