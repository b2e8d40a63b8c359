"""Checkpoints: .npz files with the weights, the optimizer's memory and the place in the data.

A file says what kind of model it holds and of which sizes, and has an array for each parameter,
by its name: ``weights/tokens.w``, and such as ``m/tokens.w`` and ``v/tokens.w`` for the
optimizer's memory. Nothing in it is code. It is written under another name and renamed when
complete, so a crash leaves the previous checkpoint as it was.
"""

from __future__ import annotations

import io
import json
import os
import tokenize
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..files import written_atomically
from ..nn import Parameter, parameters_of
from .model import KINDS, Model

FORMAT = 2
MOST = 1_000_000  # bytes of the header
MEMORIES = ("m", "v")  # that an optimizer may have


@dataclass
class Checkpoint:
    """What a file holds: the model's kind, sizes and weights, and what training needs to go on.

    weights and the optimizer's memory, by name, are vectors in the order of ``model.weights``.
    """

    kind: str
    config: Any
    weights: np.ndarray
    memory: dict[str, np.ndarray] | None = None
    state: dict[str, Any] = field(default_factory=dict)

    def model(self) -> Any:
        """A new model with these weights."""
        dtype = np.float32 if self.weights.itemsize < 8 else np.float64
        model = KINDS[self.kind](self.config, dtype=dtype)
        model.weights[:] = self.weights
        return model


def save_checkpoint(path, model: Model, optimizer=None, state: dict | None = None,
                    dtype=None) -> None:
    """Write ``model`` (and an optimizer's memory, and a JSON-able ``state``) to ``path``, at once.

    ``path`` may be a file open for writing bytes instead. ``dtype=np.float16`` halves a file that
    is only meant for generation. Raises ValueError for what ``load_checkpoint`` would refuse, such
    as weights with NaN, before the file is touched.
    """
    dtype = model.weights.dtype if dtype is None else np.dtype(dtype)
    if dtype not in (np.float16, np.float32, np.float64):
        raise ValueError(f"dtype={dtype.name}: expected float16, float32 or float64")
    with np.errstate(over="ignore"):  # found below
        vectors = {"weights": model.weights.astype(dtype, copy=False)}
    header: dict[str, Any] = {"format": FORMAT, "kind": model.kind(),
                              "config": asdict(model.config),
                              "state": {} if state is None else state}
    if optimizer is not None:
        header |= {"optimizer": type(optimizer).__name__, "optimizer_steps": optimizer.steps,
                   "memory": optimizer.memory}
        vectors |= {name: getattr(optimizer, name) for name in optimizer.memory}
    parameters = parameters_of(model)
    arrays: dict[str, np.ndarray] = {}
    for name, vector in vectors.items():
        check_numbers(name, vector, model)
        arrays |= {f"{name}/{part}": p.part(vector) for part, p in stored(parameters, name)}
    arrays["header"] = np.frombuffer(header_text(header), np.uint8)
    if hasattr(path, "write"):
        if isinstance(path, io.TextIOBase):
            raise TypeError("path is a file open for text; open it for bytes, with mode 'wb'")
        for method in ("read", "flush"):  # that archives are written with, read by its name only
            if not hasattr(path, method):
                raise TypeError(f"path={path!r:.60} has write but no {method}; expected a file "
                                "open for bytes: save into an io.BytesIO and write its content")
        np.savez(path, allow_pickle=False, **arrays)
        return
    path = path_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_atomically(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def path_of(path) -> Path:
    """``path``, or a TypeError that says what it should be."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path={path!r:.60}: expected the name of a file, or a file open for bytes")
    return Path(path)


def stored(parameters: dict[str, Parameter], name: str) -> list[tuple[str, Parameter]]:
    """The parameters that have a part in the vector: all have weights, the trained ones memory."""
    return [(part, p) for part, p in parameters.items() if name == "weights" or p.trainable]


def check_numbers(name: str, array: np.ndarray, model: Model) -> None:
    """Raise a ValueError that names the parameter unless ``array`` holds finite numbers for it."""
    size = model.weights.size if name == "weights" else model.learned
    if array.shape != (size,):
        raise ValueError(f"optimizer has {array.size} numbers in {name}, but the model {size} "
                         "weights; it was made for another model")
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
        path = path_of(path)
        if not path.exists():
            raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            header = _json(archive)
            kind = KINDS[header["kind"]]
            config = kind.Config(**header["config"])
            parameters = kind.shapes(config, most=len(archive.namelist()))
            memory = header.get("memory", MEMORIES) if "optimizer_steps" in header else []
            vectors = {name: _vector(archive, name, parameters) for name in ["weights", *memory]}
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, EOFError,
            NotImplementedError, RecursionError, zlib.error, tokenize.TokenError) as problem:
        name = getattr(path, "name", "the file") if hasattr(path, "read") else path
        raise ValueError(f"{name} is not a complete minillm checkpoint: {problem}") from problem
    state = dict(header["state"])
    found = Checkpoint(header["kind"], config, vectors.pop("weights"), None, state)
    if "optimizer_steps" in header:
        state["optimizer_steps"] = header["optimizer_steps"]
        state["optimizer"] = header.get("optimizer", "AdamW")  # older files do not say
        found.memory = vectors
    return found


def load_model(path) -> Any:
    """The model in a checkpoint, ready to generate or to be evaluated."""
    return load_checkpoint(path).model()


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
    if not isinstance(header.get("kind"), str) or header["kind"] not in KINDS:
        raise ValueError(f"its kind of model is {header.get('kind')!r:.40}; expected one of "
                         f"{', '.join(KINDS)}")
    if not isinstance(header.get("state"), dict):
        raise ValueError("its header holds no state")
    steps = header.get("optimizer_steps", 0)
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 0:
        raise ValueError(f"its optimizer_steps is {steps!r:.40}, not a number of steps")
    memory = header.get("memory", [])
    if not isinstance(memory, list) or not all(name in MEMORIES for name in memory):
        raise ValueError(f"its memory is {memory!r:.40}; expected names of {MEMORIES}")
    return header


def _vector(archive: zipfile.ZipFile, name: str, parameters: dict[str, Parameter]) -> np.ndarray:
    """The arrays of all parameters as one vector, in the order of a model's weights.

    The shapes and types that the file claims are checked before memory is taken.
    """
    wanted = stored(parameters, name)
    members = {part: f"{name}/{part}.npy" for part, _ in wanted}
    dtype = _head(archive, members[wanted[0][0]], wanted[0][1].shape)
    for part, p in wanted:
        if _head(archive, members[part], p.shape) != dtype:
            raise ValueError(f"{name}/{part} has another type than the arrays before it")
    vector = np.empty(sum(p.value.size for _, p in wanted), dtype)
    for part, p in wanted:
        with archive.open(members[part]) as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            content = file.read()  # of known length; reaching the end checks the checksum
        array = np.frombuffer(content, dtype)
        if not np.isfinite(array).all():
            raise ValueError(f"{name}/{part} holds NaN or infinity")
        p.part(vector)[...] = array.reshape(p.shape)
    return vector


def _head(archive: zipfile.ZipFile, member: str, expected: tuple[int, ...]) -> np.dtype:
    """The type of an array in the file, whose shape and length are as they must be."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{member} is stored as .npy version {version}; expected (1, 0)")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if shape != expected or fortran or dtype not in (np.float16, np.float32, np.float64):
            raise ValueError(f"{member} has shape {shape} and type {dtype}; these sizes of model "
                             f"need {expected} floating-point numbers")
        numbers = int(np.prod(shape, dtype=object))
        if archive.getinfo(member).file_size - file.tell() != numbers * dtype.itemsize:
            raise ValueError(f"{member} is shorter or longer than its {numbers} numbers")
    return dtype
