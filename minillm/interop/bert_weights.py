"""BERTs as Hugging Face's transformers stores them: config.json and model.safetensors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..models import BERT, BERTClassifier, BERTClassifierConfig, BERTConfig, BERTEncoder
from ..nn import Parameter
from ..tokenizers.formats.untrusted import BrokenFileError, item, read_json, unsupported
from .safetensors_file import SafeTensorsFile

SIZES = {"vocab_size": "vocab_size", "context": "max_position_embeddings",
         "layers": "num_hidden_layers", "heads": "num_attention_heads", "width": "hidden_size",
         "hidden": "intermediate_size", "types": "type_vocab_size"}
TABLES = {"tokens": "word_embeddings", "positions": "position_embeddings",
          "types": "token_type_embeddings"}
BLOCK = {"attention.proj": "attention.output.dense", "norm1": "attention.output.LayerNorm",
         "feed_forward.expand": "intermediate.dense", "feed_forward.contract": "output.dense",
         "norm2": "output.LayerNorm"}
HEAD = {"dense": "cls.predictions.transform.dense",
        "head_norm": "cls.predictions.transform.LayerNorm"}
OLD = {".weight": ".gamma", ".bias": ".beta"}  # of norms, in files made from TensorFlow's


def read_bert(folder: str | os.PathLike[str], kind: type[BERTEncoder] = BERTEncoder) -> Any:
    """The model in a folder with ``config.json`` and ``model.safetensors``, in float32.

    kind: BERTEncoder for vectors alone, as of all-MiniLM-L6-v2; BERT with the head for masked
    tokens, as of bert-base-uncased; or BERTClassifier with the pooler and the classes. The file
    must hold all of its weights, in float32 or float16; more are passed over. Nothing is dropped
    in training. Raises FileNotFoundError, or ValueError naming the file and what is wrong.
    Source of the names: transformers, models/bert/modeling_bert.py.
    """
    path = Path(folder) / "config.json"
    file = SafeTensorsFile(Path(folder) / "model.safetensors")
    config = config_of(path, file, kind)
    try:
        parameters = kind.shapes(config, most=len(file.entries))
    except ValueError as problem:
        raise BrokenFileError(f"{path} claims sizes that {file.path} does not hold: {problem}"
                              ) from None
    found = {name: sources(name, p, file, kind) for name, p in parameters.items()}
    for parts in found.values():
        for part, shape in parts:
            file.check(part, shape)  # so that no more memory is taken than the file has
    model = kind(config)
    values = dict(model.named_parameters())
    for name, parts in found.items():
        arrays = [file.read(part, shape) for part, shape in parts]
        if name.split(".")[0] not in TABLES:
            arrays = [array.T for array in arrays]  # theirs are (outputs, inputs)
        values[name].value = np.concatenate(arrays, axis=-1)
    return model


def config_of(path: Path, file: SafeTensorsFile, kind: type[BERTEncoder]) -> BERTConfig:
    """The sizes that config.json gives, if this project has such a model."""
    stored = read_json(path)
    for key, needed in (("model_type", "bert"), ("hidden_act", "gelu"),
                        ("position_embedding_type", "absolute"), ("is_decoder", False),
                        ("tie_word_embeddings", True)):
        if stored.get(key, needed) != needed:
            raise unsupported(path, key, stored[key])
    sizes: dict[str, Any] = {mine: item(path, stored, theirs, int)
                             for mine, theirs in SIZES.items()}
    sizes["eps"] = item(path, stored, "layer_norm_eps", float, 1e-12)
    try:
        if issubclass(kind, BERTClassifier):
            shape = file.entries["classifier.weight"].shape
            return BERTClassifierConfig(**sizes, classes=(*shape, 0)[0])
        return BERTConfig(**sizes)
    except KeyError:
        raise BrokenFileError(f"{file.path} holds no 'classifier.weight', so no classes; read "
                              "BERTEncoder and let a new BERTClassifier take it") from None
    except ValueError as problem:
        raise BrokenFileError(f"{path}: {problem}") from None


def sources(name: str, p: Parameter, file: SafeTensorsFile, kind: type[BERTEncoder]
            ) -> list[tuple[str, tuple[int, ...]]]:
    """The arrays that make a parameter, and the shapes they must have."""
    *parts, leaf = name.split(".")
    module, ending = ".".join(parts), {"w": ".weight", "b": ".bias"}[leaf]
    inside = "bert." if any(entry.startswith("bert.") for entry in file.entries) else ""
    if module in TABLES:
        return [(f"{inside}embeddings.{TABLES[module]}.weight", p.shape)]
    if module == "norm":
        theirs = [inside + "embeddings.LayerNorm"]
    elif module == "pooler":
        theirs = [inside + "pooler.dense"]
    elif module == "output":
        theirs = ["cls.predictions" if issubclass(kind, BERT) else "classifier"]
    elif module in HEAD:
        theirs = [HEAD[module]]
    else:
        _, number, *part = parts
        layer, mine = f"{inside}encoder.layer.{number}.", ".".join(part)
        theirs = [layer + BLOCK[mine]] if mine in BLOCK else [
            f"{layer}attention.self.{each}" for each in ("query", "key", "value")]
    if theirs[0] + ending not in file.entries and theirs[0] + OLD[ending] in file.entries:
        ending = OLD[ending]
    shape = (*p.shape[:-1], p.shape[-1] // len(theirs))[::-1]
    return [(each + ending, shape) for each in theirs]
