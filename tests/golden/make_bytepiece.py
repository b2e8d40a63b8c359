"""Make bytepiece.json: vocabularies and ids of bytepiece 0.6.3.

Run ``python tests/golden/make_bytepiece.py``. bytepiece needs a pyahocorasick that was built with
AHOCORASICK_BYTES=1.
"""

import contextlib
import io
import json
from pathlib import Path

import ahocorasick
import bytepiece

from minillm.data import stories

assert not ahocorasick.unicode, "pyahocorasick works on str; build it with AHOCORASICK_BYTES=1"
CORPUS = [
    "\n".join(stories.corpus(count, seed=0, language=language))
    for language, count in (("en", 12), ("zh", 16))
] + [
    "for i in range(10):\n    total += i  # 求和\n\n\n\nprint(total)\n" * 3,
    "naïve café, e\u0301tude, 👍🏽 and 👩‍👩‍👧\t\ttabs\r\nand lines" * 2, "一次 é",
]
SAMPLES = [
    "Hello world", "the cat's hat\n\n\nand more", "小猫跑回家。", "a1\n\nb2", "", "\n", "\n\n x",
    "for i in range(3):\n    print(i)\n", "e\u0301\u0301 naïve 👍🏽", "aaaaaaaaaaaaaaaaaaaa",
    "\x00\x01",
    "结婚的和尚未结婚的", "   ", "ÿ", "Ωμέγα ½ ǅ \u200d",
]
OPTIONS = [
    {"max_vocab_size": [900, 500]},
    {"max_vocab_size": 700, "order": 3, "min_count": 3, "max_piece_length": 9},
    {"max_vocab_size": 600, "isolate_digits": True, "ensure_unicode": False},
]
SMALL = {"YQ==": [3, "a", 1], "Yg==": [4, "b", 1], "YWI=": [5, "ab", 1], "YmM=": [6, "bc", 1],
         "Yw==": [7, "c", 1]}


def main() -> None:
    trained, encoded = [], []
    for options in OPTIONS:
        trainer = bytepiece.Trainer(**options)
        with contextlib.redirect_stderr(io.StringIO()):
            trainer.train(CORPUS)
        files = [trainer.dump(pieces) for pieces in trainer.pieces]
        trained.append([{key: row[2] for key, row in file.items()} for file in files])
        encoded.append([
            [bytepiece.Tokenizer(file).encode(sample) for sample in SAMPLES] for file in files
        ])
    small = bytepiece.Tokenizer(SMALL)
    value = {
        "corpus": CORPUS, "samples": SAMPLES, "options": OPTIONS, "counts": trained, "ids": encoded,
        "small": SMALL, "abc": small.encode("abc", add_bos=True, add_eos=True),
        "isolated": [
            part.decode() for part in bytepiece.normalize("a1\n\nb2", 10_000, isolate_digits=True)
        ],
        "broken": small.decode([3, 1, 6]),
    }
    target = Path(__file__).with_name("bytepiece.json")
    target.write_text(json.dumps(value, ensure_ascii=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
