"""Safetensors files, whole and broken."""

import json

import numpy as np

NAMES = {"float32": "F32", "float16": "F16", "int64": "I64", "float64": "F64"}


def content(arrays):
    """The header's entries and the bytes of arrays by name."""
    header, data = {}, b""
    for name, array in arrays.items():
        array = np.asarray(array, order="C")
        header[name] = {"dtype": NAMES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    return header, data


def write(path, arrays=None, header=None, data=None, text=None, length=None):
    """A file of these arrays, or of a header and bytes as given, whatever they claim."""
    made = content(arrays or {})
    header, data = made[0] if header is None else header, made[1] if data is None else data
    text = json.dumps(header).encode() if text is None else text
    length = len(text) if length is None else length
    path.write_bytes(length.to_bytes(8, "little") + text + data)
    return path
