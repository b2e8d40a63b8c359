"""Which file is it? Reading and writing tokenizers in the formats of every ecosystem."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..special_tokens import check_special_ids
from ..stages import Stages
from ..vocabulary import Vocabulary
from .untrusted import BrokenFileError


def read_tokenizer(path: str | os.PathLike | bytes, *options: Any) -> Stages:
    """The stages of the tokenizer in a file, or in the content of one.

    options: as in ``Tokenizer.load``.
    """
    if not isinstance(path, bytes):
        stages = read_file(Path(path), *options)
        try:
            check_special_ids(stages.special_tokens, stages.model.vocabulary)
        except ValueError as error:
            raise BrokenFileError(f"{path}: {error}") from None
        return stages
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "data" + suffix_of(path))
        file.write_bytes(path)
        try:
            return read_tokenizer(file, *options)
        except ValueError as error:
            raise BrokenFileError(str(error).replace(str(file), "data")) from None


def read_file(
    path: Path, merges: str | os.PathLike | None, pattern: str,
    special_tokens: Mapping[str, int] | None, lowercase: bool | None = None,
) -> Stages:
    """The stages of the tokenizer in a file."""
    from .bert_vocabulary import read_bert_vocabulary
    from .bytepiece_file import is_bytepiece, read_bytepiece
    from .rank_files import is_minbpe, read_minbpe, read_tiktoken, read_vocab_and_merges
    from .sentencepiece_file import is_sentencepiece, read_sentencepiece
    from .tokenizer_json_reading import read_tokenizer_json

    if lowercase is not None and (merges is not None or path.suffix != ".txt"):
        raise ValueError(
            f"lowercase={lowercase} is for BERT's vocab.txt, which does not say it; {path} does or "
            "is of another kind, so leave it out"
        )
    if merges is not None:
        return read_vocab_and_merges(path, Path(merges), pattern, special_tokens)
    if path.suffix == ".tiktoken":
        return read_tiktoken(path, pattern, special_tokens)
    if path.suffix == ".txt":
        return read_bert_vocabulary(path, special_tokens, lowercase)
    if is_minbpe(path):
        return read_minbpe(path, special_tokens)
    if is_bytepiece(path):
        return read_bytepiece(path, special_tokens)
    if is_sentencepiece(path):
        return read_sentencepiece(path, special_tokens)
    stages = read_tokenizer_json(path)
    stages.special_tokens.update(special_tokens or {})
    return stages


def suffix_of(data: bytes) -> str:
    """How the name of a file with this content ends, where that tells its kind."""
    first = data.lstrip().split(b"\n", 1)[0].split()
    if data.lstrip()[:1] in (b"{", b"") or b"\0" in data[:64] or data.startswith(b"minbpe"):
        return ".model"  # the content itself says which
    return ".tiktoken" if len(first) == 2 and first[1].isdigit() else ".txt"


def write_tokenizer(tok: Vocabulary, path: Path) -> None:
    """Write a tokenizer; the file is replaced at once or not at all."""
    from ..bytepiece.best_cut import BytePiece
    from ..sentencepiece.model_file import ModelFile
    from .bytepiece_file import write_bytepiece
    from .sentencepiece_file import write_model_file
    from .tokenizer_json_writing import write_tokenizer_json

    if isinstance(getattr(tok.model, "file", None), ModelFile):
        return write_model_file(tok.model.file, path)
    if isinstance(tok.model, BytePiece):
        return write_bytepiece(tok, path)
    write_tokenizer_json(tok, path)
