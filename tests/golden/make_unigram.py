"""Make unigram.json: what Hugging Face tokenizers 0.23.3 and sentencepiece 0.2.3 make of text.

Run ``python tests/golden/make_unigram.py``. Models are random ones over few characters, so that
ties and unknown characters are frequent; vocabularies are trained on the sentences below.
"""

import io
import json
import random
import struct
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CORPUS = [
    "the cat sat on the mat and the other cat ran after the rat",
    "low lower lowest new newer newest wide wider widest low low new",
    "小猫坐在垫子上。 另一只小猫追着老鼠跑， 老鼠跑回了家。",
    "the story of a cat who sat and a rat who ran and ran",
    "she sells sea shells by the sea shore and the shells she sells are sea shells",
    "a tokenizer cuts a text into tokens and a token is a piece of text",
    "training begins with many pieces and ends with few pieces",
    "the more often a piece is used the better it is to keep the piece",
    "walking walked walker talking talked talker playing played player",
    "小猫喜欢老鼠， 老鼠不喜欢小猫。 小猫在家， 老鼠不在家。",
    "under the table the cat waited and waited until the rat came out again",
    "nothing is better than something and something is better than anything",
    "unhappy unkind unable unlike kind able like happily kindly likely",
    "one after another the tokens stand in a row and the row stands for the text",
]
LETTERS = "abcé中▁"




def varint(number: int) -> bytes:
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def block(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def model_file(pieces: list, fallback: bool) -> bytes:
    """A .model file with no normalization at all."""
    data = b""
    for piece, score, kind in pieces:
        entry = block(1, piece.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18"
        data += block(1, entry + bytes([kind]))
    spec = b"\x18\x01" + (varint(35 << 3) + b"\x01" if fallback else b"")
    return data + block(2, spec) + block(3, block(1, b"identity") + b"\x18\0\x20\0\x28\x01")


def random_pieces(rng: random.Random, kinds: list[int], fallback: bool) -> list:
    texts = {"".join(rng.choices(LETTERS, k=rng.randint(1, 4))) for _ in range(rng.randint(4, 14))}
    pieces = [("<unk>", 0.0, 2), ("a", -2.0, 1)]
    for text in sorted(texts - {"a"}):
        score = rng.choice([-1.0, -2.0, -3.0, -2.5, round(rng.uniform(-9, 0), 2)])
        pieces.append((text, score, rng.choice(kinds)))
    return pieces + [(f"<0x{b:02X}>", 0.0, 6) for b in range(256) if fallback]


def samples(rng: random.Random) -> list[str]:
    return ["".join(rng.choices(LETTERS + "axz", k=rng.choice([3, 12, 60]))) for _ in range(4)]


def encodings(rng: random.Random) -> list[dict]:
    rows = []
    for k in range(24):
        fallback, theirs = k % 3 == 0, k % 2
        pieces = random_pieces(rng, [1, 1, 1, 4, 5] if theirs else [1], fallback)
        texts = samples(rng)
        if theirs:
            processor = sentencepiece.SentencePieceProcessor(
                model_proto=model_file(pieces, fallback)
            )
            ids, offsets = [processor.encode(text) for text in texts], None
        else:
            model = models.Unigram([piece[:2] for piece in pieces], 0, fallback)
            found = [Tokenizer(model).encode(text) for text in texts]
            ids, offsets = [row.ids for row in found], [row.offsets for row in found]
        rows.append({
            "variant": "sentencepiece" if theirs else "huggingface", "fallback": fallback,
            "pieces": [piece for piece in pieces if piece[2] != 6], "texts": texts, "ids": ids,
            "offsets": offsets,
        })
    return rows


def train_huggingface(size: int) -> list:
    theirs = Tokenizer(models.Unigram())
    theirs.pre_tokenizer = pre_tokenizers.Metaspace()
    theirs.train_from_iterator(CORPUS, trainers.UnigramTrainer(
        vocab_size=size, show_progress=False, special_tokens=["<unk>"], unk_token="<unk>"
    ))
    return json.loads(theirs.to_str())["model"]["vocab"]


def train_sentencepiece(size: int) -> list:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=out, vocab_size=size, num_threads=1,
        normalization_rule_name="identity", split_by_unicode_script=False, split_by_number=False,
        character_coverage=1.0, minloglevel=2,
    )
    theirs = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    return [[theirs.id_to_piece(k), theirs.get_score(k)] for k in range(3, size)]


def main() -> None:
    value = {
        "corpus": CORPUS, "encodings": encodings(random.Random(4)),
        "huggingface": {size: train_huggingface(size) for size in (90, 120)},
        "sentencepiece": {size: train_sentencepiece(size) for size in (90, 120)},
    }
    target = Path(__file__).with_name("unigram.json")
    target.write_text(json.dumps(value, ensure_ascii=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
