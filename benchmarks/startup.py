"""Time until work begins: compiling every kernel once, and importing the package."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from .row import Row, print_rows

EVERYTHING = """
import numpy as np
from minillm import ops
from minillm.models import GPT, GPTConfig
from minillm.tokenizers import Tokenizer
from minillm.training import AdamW

model = GPT(GPTConfig(vocab_size=300, context=32, layers=1, heads=2, width=16))
optimizer = AdamW(model)
ids = np.arange(32).reshape(2, 16)
model.loss(ids, ids)
model.backward()
optimizer.clip(1.0)
optimizer.step()
model.generate([[1, 2], [3]], 3)
model.generate([1, 2], 3)
ops.cross_entropy(model.forward(ids), ids)
scores = model.forward(ids)
ops.log_softmax_backward(scores, ops.log_softmax(scores))
ops.softmax_backward(scores, ops.softmax(scores))
for pattern in ("gpt2", "cl100k", "o200k"):
    tok = Tokenizer.train(["hello world, 你好 123\\n"] * 9, "byte_bpe", vocab_size=260,
                          pattern=pattern)
    tok.encode_batch(["hello", "world"])
    tok.encode("hello")
"""
FAMILIES = """
from minillm.tokenizers import Tokenizer

texts = ["hello world, 你好 123", "the hello of the world"] * 9
for model, options in (
    ("wordpiece", dict()), ("wordpiece", dict(score="likelihood")), ("unigram", dict()),
    ("sentencepiece", dict(hard_vocab_limit=False)), ("bytepiece", dict()),
    ("sentencepiece", dict(model_type="bpe", byte_fallback=True)),
):
    tok = Tokenizer.train(texts, model, 280, **options)
    tok.encode_batch(["hello world", "the 世界"])
    tok.encode_with_offsets("hello world")
"""


def run(code: str, **environment: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | environment)
    return time.perf_counter() - started


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        cold = run(EVERYTHING, NUMBA_CACHE_DIR=folder)
        warm = run(EVERYTHING, NUMBA_CACHE_DIR=folder)
        families = run(FAMILIES, NUMBA_CACHE_DIR=folder)
        again = run(FAMILIES, NUMBA_CACHE_DIR=folder)
    yield Row("kernels of the model and of byte-level BPE compiled from a cold cache",
              "the same from a warm cache", cold, warm, "s", warm / cold,
              "the figure asked for is the first")
    yield Row("then the kernels of the other tokenizers", "the same from a warm cache", families,
              again, "s", again / families, "WordPiece, unigram, SentencePiece, BytePiece")
    nothing = statistics.median(run("pass") for _ in range(9))
    package = statistics.median(run("import minillm") for _ in range(9))
    yield Row("import minillm", "an empty Python process", package, nothing, "s",
              nothing / package, f"the import itself takes {package - nothing:.2f} s")


if __name__ == "__main__":
    print_rows(rows())
