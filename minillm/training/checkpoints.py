"""Checkpoints: .npz files with the weights, the optimizer's memory and the place in the data.

A file holds arrays and one JSON text; nothing in it is code. It is written under another name
and renamed when complete, so a crash leaves the previous checkpoint as it was.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..files import written_atomically
from ..models.gpt import GPT, GPTConfig

FORMAT = 1


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

    ``dtype=np.float16`` halves a file that is only meant for generation.
    """
    header = {"format": FORMAT, "config": asdict(model.config), "state": state or {}}
    arrays = {"weights": model.weights.astype(dtype or model.weights.dtype, copy=False)}
    if optimizer is not None:
        header["optimizer_steps"] = optimizer.steps
        arrays |= {"m": optimizer.m, "v": optimizer.v}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_atomically(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_checkpoint(path) -> Checkpoint:
    """Read a checkpoint. The sizes it claims are checked before memory is taken.

    Raises FileNotFoundError, or ValueError naming the file and what is wrong with it.
    """
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
            NotImplementedError, RecursionError) as problem:
        raise ValueError(f"{path} is not a complete minillm checkpoint: {problem}") from problem
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
    if info.file_size > 1_000_000:
        raise ValueError(f"its header claims {info.file_size:,} bytes")
    with archive.open(info) as file:
        header = json.loads(np.lib.format.read_array(file, allow_pickle=False).tobytes())
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"its header is not of format {FORMAT}")
    if not isinstance(header.get("state"), dict):
        raise ValueError("its header holds no state")
    if not isinstance(header.get("optimizer_steps", 0), int):
        raise ValueError("its optimizer_steps is not a number")
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
