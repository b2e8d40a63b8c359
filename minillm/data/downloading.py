"""Two files from the network, checked by their SHA-256 and kept in a cache.

Nothing in the book needs them; where there is no network, the error says what to do instead.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from minillm.files import written_atomically


@dataclass(frozen=True)
class Source:
    """Where a file comes from, how long it is and what it must hash to."""

    url: str
    size: int
    sha256: str


GPT2 = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/"
SOURCES = {
    "tinyshakespeare.txt": Source(
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        1_115_394,
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ),
    "gpt2/encoder.json": Source(
        GPT2 + "encoder.json",
        1_042_301,
        "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    ),
    "gpt2/vocab.bpe": Source(
        GPT2 + "vocab.bpe",
        456_318,
        "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    ),
}


def cache_folder() -> Path:
    """``$MINILLM_CACHE``, or ``~/.cache/minillm``."""
    return Path(os.environ.get("MINILLM_CACHE") or Path.home() / ".cache" / "minillm")


def download(name: str, cache: str | os.PathLike[str] | None = None, timeout: float = 20) -> Path:
    """The path of a known file, fetched if the cache does not hold it.

    ``name`` is a key of ``SOURCES``. ``timeout`` is in seconds. Raises ValueError for an unknown
    name or a wrong checksum, OSError (with the address and the place to put the file by hand)
    when it cannot be fetched.
    """
    if name not in SOURCES:
        raise ValueError(f"name={name!r} is not known; use one of {sorted(SOURCES)}")
    source = SOURCES[name]
    path = Path(cache if cache is not None else cache_folder()) / name
    if path.is_file() and matches(path.read_bytes(), source):
        return path
    import urllib.error  # here, because it takes a tenth of a second to import
    import urllib.request

    try:
        with urllib.request.urlopen(source.url, timeout=timeout) as response:
            data = response.read(source.size + 1)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise OSError(
            f"{name} could not be fetched from {source.url} ({reason}). Without a network, put the "
            f"file at {path}, or use what needs none: minillm.data.stories, python_documentation()"
        ) from error
    if not matches(data, source):
        found = hashlib.sha256(data).hexdigest()
        raise ValueError(
            f"{source.url} gave {len(data)} bytes with SHA-256 {found}, expected {source.sha256}; "
            "the file is damaged or was changed, and is not used"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_atomically(path) as file:
        file.write(data)
    return path


def matches(data: bytes, source: Source) -> bool:
    """Whether ``data`` is the file that ``source`` describes."""
    return len(data) == source.size and hashlib.sha256(data).hexdigest() == source.sha256
