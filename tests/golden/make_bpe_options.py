"""Make bpe_options.json: what the options of Hugging Face's BPE trainer do, from tokenizers 0.23.

Run ``python tests/golden/make_bpe_options.py``.
"""

import json
from pathlib import Path

from make_tokenizers import CORPUS
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

OPTIONS = [
    {},
    {"max_token_length": 3},
    {"max_token_length": 8},
    {"limit_alphabet": 12},
    {"limit_alphabet": 15, "initial_alphabet": ["z", "\u4e2d"]},
    {"initial_alphabet": ["z", "\u4e2d", "x"]},
    {"min_frequency": 4},
]


def main() -> None:
    made = []
    for options in OPTIONS:
        tok = Tokenizer(models.BPE())
        tok.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tok.train_from_iterator(
            CORPUS, trainers.BpeTrainer(vocab_size=200, show_progress=False, **options))
        model = json.loads(tok.to_str())["model"]
        made.append([options, sorted(model["vocab"], key=model["vocab"].get), model["merges"]])
    value = {"corpus": CORPUS, "trained": made}
    path = Path(__file__).with_name("bpe_options.json")
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n", "ascii")


if __name__ == "__main__":
    main()
