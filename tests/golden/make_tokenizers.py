"""Make tokenizers.json: merges, ids and offsets of Hugging Face tokenizers 0.23 and tiktoken 0.14.

Run ``python tests/golden/make_tokenizers.py``. The vocabulary is trained on the sentences below.
"""

import json
import os
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tiktoken
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CORPUS = [
    "The cat sat on the mat. The other cat ran after the rat, and the rat ran home.",
    "low lower lowest new newer newest wide wider widest low low new",
    "小猫坐在垫子上。另一只小猫追着老鼠跑，老鼠跑回了家。",
    "def add(a, b):\n    return a + b\n\n\nfor i in range(100):\n    print(add(i, i))\n",
    "Don't they say it's what we'll see? I'M SURE THEY'VE SEEN 12345 of 67890!",
    "naïve café, Straße, Ωμέγα, 👍🏽 and 👩‍👩‍👧\t\ttabs\r\nand lines",
] * 3
SAMPLES = [
    "Hello world", "the cat's hat", "I'll  don't\n\n x", " \t\n  a  ", "a\n  ", "\tfoo(bar)",
    "HTTPServer's 中A", "12345 /\n", "小猫跑回家。", "naïve 👍🏽 Ωμέγα", "''s 's", "I'M x\u017f 'ſ",
    "e\u0301 \u0903 \u200b \x00 \x85 \u3000x", "x" * 200, " " * 150 + "y", "", "\r\n\r\n",
    "don'T 'LL",
    "if x:\n        return  1\n", "ʰªǅ ½Ⅷ²", "#" + "-" * 70 + "\n", "ab" * 100,
]
SPLITS = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "cl100k_original": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": "|".join([
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+",
    ]),
}


def main() -> None:
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = decoders.ByteLevel()
    theirs.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"], show_progress=False,
    ))
    model = json.loads(theirs.to_str())["model"]
    encoded = [theirs.encode(sample) for sample in SAMPLES]
    from minillm.tokenizers.text.byte_alphabet import BYTE_OF_CHARACTER

    ranks = {
        bytes(BYTE_OF_CHARACTER[c] for c in token): id
        for token, id in model["vocab"].items() if token != "<|endoftext|>"
    }
    by_rule = {
        name: [tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
               .encode_ordinary(sample) for sample in SAMPLES]
        for name, pattern in SPLITS.items()
    }
    value = {
        "corpus": CORPUS, "samples": SAMPLES, "vocab": model["vocab"], "merges": model["merges"],
        "ids": [e.ids for e in encoded], "offsets": [e.offsets for e in encoded],
        "tiktoken": by_rule,
    }
    target = Path(__file__).with_name("tokenizers.json")
    target.write_text(json.dumps(value, ensure_ascii=True, indent=None) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
