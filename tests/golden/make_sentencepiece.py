"""Make sentencepiece.json: tables, pieces, ids and texts of the sentencepiece library 0.2.3.

Run ``python tests/golden/make_sentencepiece.py``.
"""

import base64
import hashlib
import io
import json
from pathlib import Path

import sentencepiece

from minillm.tokenizers.formats.sentencepiece_file import model_bytes, parse_model
from minillm.tokenizers.normalizers.charsmap import Charsmap
from minillm.tokenizers.sentencepiece.model_file import ModelFile, NormalizerSpec, Piece

CORPUS = [
    "The cat sat on the mat. The other cat ran after the rat, and the rat ran home.",
    "low lower lowest new newer newest wide wider widest low low new",
    "小猫坐在垫子上。另一只小猫追着老鼠跑，老鼠跑回了家。",
    "for i in range(100): print(add(i, i)) # 12 and 345",
    "naïve café, Straße, Ωμέγα, カタカナ ガ and ひらがな",
] * 3
SAMPLES = [
    "the cat's hat", "  two  spaces ", "\ttab\nline\r\n", "小猫跑回家。",
    "ﬁne ½ ① Ⅷ ＡＢＣ ｶﾞ ㍿", "",
    "e\u0301 か\u3099 A\u030a\u0327", "zero\u200bwidth\u200d\ufeff soft\u00adhyphen", "～ ~ 〜 …",
    "한 \u1112\u1161\u11ab", "👍🏽 👩‍👩‍👧", "\x00\x01\x7f\x85\xa0\u3000x",
    "▁ a▁b ▁▁", "unknown ☃☃ ☃x☃",
    "<sep>a<sep><sep> the<c>", "lowest 12345 widest", "Σίσυφος ΑΣ İI ß ẞ", "\ufffd\ufdfa",
]
TRAININGS = {
    "bpe": {"model_type": "bpe", "vocab_size": 200},
    "bpe bytes": {"model_type": "bpe", "vocab_size": 420, "byte_fallback": True},
    "bpe identity": {
        "model_type": "bpe", "vocab_size": 200, "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False, "split_digits": True,
        "allow_whitespace_only_pieces": True,
    },
    "bpe symbols": {
        "model_type": "bpe", "vocab_size": 200, "user_defined_symbols": ["<sep>", "at"],
        "control_symbols": ["<c>"], "pad_id": 3, "split_by_whitespace": False,
        "treat_whitespace_as_suffix": True, "character_coverage": 0.98,
    },
    "char": {"model_type": "char", "vocab_size": 60},
    "word": {"model_type": "word", "vocab_size": 30, "add_dummy_prefix": False},
    "unigram": {"model_type": "unigram", "vocab_size": 90},
    "unigram bytes": {"model_type": "unigram", "vocab_size": 340, "byte_fallback": True},
    "unigram suffix": {
        "model_type": "unigram", "vocab_size": 90, "treat_whitespace_as_suffix": True,
    },
    "unigram lines": {
        "model_type": "unigram", "vocab_size": 95, "treat_whitespace_as_suffix": True,
        "split_by_whitespace": False, "split_by_unicode_script": False,
    },
}
VECTOR = [
    ("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("▁", -1.0, 1), ("a", -1.0, 1),
    ("b", -1.0, 1), ("ab", -2.0, 1), ("c", -2.0, 1), ("bc", -3.0, 1), ("abc", -4.0, 1),
    ("▁a", -2.5, 1), ("USR", 0.0, 4),
]
VECTOR_TEXTS = ["  a  b ", "xyab", "aUSRb", "abc", "ab", "<s>", "a b c  abc x"]


def train(lines: list[str], **options) -> bytes:
    result = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=result, minloglevel=2, **options
    )
    return result.getvalue()


def rule_table(name: str) -> dict:
    """How many rules a normalization has, and a digest of them all."""
    data = train(["a b c d e f g h"], model_type="char", vocab_size=20,
                 normalization_rule_name=name)
    rules = sorted(Charsmap(parse_model(data).normalizer.charsmap).rules())
    digest = hashlib.sha256(b"".join(old + b"\0" + new + b"\0" for old, new in rules))
    processor = sentencepiece.SentencePieceProcessor(model_proto=data)
    return {
        "rules": len(rules), "sha256": digest.hexdigest(),
        "texts": [processor.normalize(text) for text in SAMPLES],
    }


def training(options: dict) -> dict:
    data = train(CORPUS, **options)
    processor = sentencepiece.SentencePieceProcessor(model_proto=data)
    pieces = parse_model(data).pieces
    ids = [processor.encode(text) for text in SAMPLES]
    return {
        "options": options, "pieces": [list(piece) for piece in pieces], "ids": ids,
        "texts": [processor.decode(row) for row in ids],
    }


def main() -> None:
    vector = model_bytes(ModelFile(
        [Piece(*piece) for piece in VECTOR], normalizer=NormalizerSpec(name="identity")
    ))
    processor = sentencepiece.SentencePieceProcessor(model_proto=vector)
    small = train(
        ["ab ab", "cd", "aaa aaaa"], model_type="bpe", vocab_size=20,
        normalization_rule_name="identity",
    )
    ids = [processor.encode(text) for text in VECTOR_TEXTS]
    value = {
        "corpus": CORPUS, "samples": SAMPLES,
        "tables": {
            name: rule_table(name) for name in ("nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf")
        },
        "trainings": {name: training(options) for name, options in TRAININGS.items()},
        "vector": {
            "pieces": VECTOR, "texts": VECTOR_TEXTS, "ids": ids,
            "decoded": [processor.decode(row) for row in ids],
        },
        "small": base64.b64encode(small).decode(),
    }
    target = Path(__file__).with_name("sentencepiece.json")
    target.write_text(json.dumps(value, ensure_ascii=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
