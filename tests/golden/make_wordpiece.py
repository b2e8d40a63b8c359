"""Make wordpiece.json: BERT's text steps, WordPiece training and encoding, from tokenizers 0.23.

Run ``python tests/golden/make_wordpiece.py``. The library's trainer gives the characters inside a
word ids in the order of a hash; here they are special tokens in a fixed order, so that its result
can be compared.
"""

import json
from pathlib import Path

from make_tokenizers import CORPUS
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TEXTS = [
    "Ca\u25cc\u0301\tx\u200by\xffz\x85w", "中文a", "한", "İstanbul", "Don't pay $5—ok",
    "unaffable  naïve CAFÉ", "a" * 101, "小猫跑回家。\U0002b820\U0002b920", "the cats won't ∑ 12½",
    "e\u0301\u0327 \ud7a3 ㎏ ﬁ", "", " ", "...", "x\x00\ufffd\ue000\u0378y", "ΑΣ ΣΑΣ",
]
OPTIONS = [
    {}, {"lowercase": False}, {"clean_text": False}, {"handle_chinese_chars": False},
    {"strip_accents": False}, {"strip_accents": True, "lowercase": False},
]


def main() -> None:
    cut = pre_tokenizers.BertPreTokenizer()
    steps = []
    for options in OPTIONS:
        normalizer = normalizers.BertNormalizer(**options)
        for text in TEXTS:
            normal = normalizer.normalize_str(text)
            steps.append([options, text, normal, [p for p, _ in cut.pre_tokenize_str(normal)]])
    normalizer = normalizers.BertNormalizer()
    words = [w for line in CORPUS for w, _ in cut.pre_tokenize_str(normalizer.normalize_str(line))]
    inner = sorted({"##" + character for word in words for character in word[1:]})
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer, tok.pre_tokenizer, tok.decoder = normalizer, cut, decoders.WordPiece()
    alphabet = sorted({character for word in words for character in word})
    tok.train_from_iterator(CORPUS, trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[UNK]", *alphabet, *inner], show_progress=False))
    value = json.loads(tok.to_str())
    value["added_tokens"] = value["added_tokens"][:1]
    tok = Tokenizer.from_str(json.dumps(value))
    encoded = []
    for text in TEXTS + CORPUS[:6]:
        found = tok.encode(text)
        decoded = tok.decode(found.ids, skip_special_tokens=False)
        encoded.append([text, found.ids, found.offsets, decoded])
    made = {
        "corpus": CORPUS, "steps": steps, "encoded": encoded,
        "vocab": sorted(value["model"]["vocab"], key=value["model"]["vocab"].get),
    }
    path = Path(__file__).with_name("wordpiece.json")
    path.write_text(json.dumps(made, separators=(",", ":")) + "\n", "ascii")


if __name__ == "__main__":
    main()
