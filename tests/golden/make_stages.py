"""Make stages.json: what Hugging Face tokenizers 0.23 gives for stages in unusual company.

Run ``python tests/golden/make_stages.py``. Each entry holds a tokenizer.json, and for each text the
ids, the character offsets, the ids and type ids of the text with another one, and what the ids
decode to. None: the library refuses. Models are made here, not trained, so that runs agree.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer

PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
ORDER = PRINTABLE + [byte for byte in range(256) if byte not in PRINTABLE]
LETTERS = [chr(byte if k < 188 else 68 + k) for k, byte in enumerate(ORDER)]
LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
WHOLE = {**LEVEL, "use_regex": False}
PREFIXED = {**LEVEL, "add_prefix_space": True}
WORDS = ["Ġthe", "Ġa", "the", "ab", "in", "Ġin", "12", "Ã©", "ä¸", "ĠĠ", "ing", "Ċ"]
MERGES = [["t", "h"], ["th", "e"], ["Ġ", "the"], ["Ġ", "a"], ["i", "n"], ["in", "g"], ["1", "2"],
          ["Ã", "©"], ["ä", "¸"], ["Ġ", "Ġ"], ["a", "b"]]
ODD = [
    " ", "  ", "\n", "\t", "é", "中文", "ー", "カ", "123", "1", "½", "Ⅷ", "!", "...", "'s", "the",
    " the", "ing", "ab", "[CLS]", " [X] ", "\u0301", "\u200d", "👍🏽", "\x1c", "\x85", "\0",
    "\u200b", "\ufeff", "\u3000", "한글", "\ufffd", "\x7f", "é中", "Ġ", "▁", "🙂", "\U00016ec0",
    "a b", "x", "ĳ", "ſ",
]


def sequence(*steps: Any, kind: str = "pretokenizers") -> dict[str, Any]:
    return {"type": "Sequence", kind: list(steps)}


def split(pattern: str, behavior: str = "Isolated", invert: bool = False) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert}


def merged(pairs: list[list[str]], end: str = "") -> dict[str, int]:
    names = [*LETTERS, *(letter + end for letter in LETTERS if end)]
    return {name: id for id, name in enumerate(dict.fromkeys(
        [*names, *("".join(pair) for pair in pairs)]))}


def bpe(**options: Any) -> dict[str, Any]:
    merges = options.pop("merges", MERGES)
    vocabulary = merged(merges, options.get("end_of_word_suffix") or "")
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "ignore_merges": False, **options, "vocab": options.pop("vocab", vocabulary),
            "merges": merges}


def unigram(pieces: list[str]) -> dict[str, Any]:
    rows = [["<unk>", 0.0]] + [[p, -4.5 + 0.25 * len(p)] for p in dict.fromkeys(pieces)]
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": rows}


def wordpiece() -> dict[str, Any]:
    names = ["[UNK]", *LETTERS, *("##" + letter for letter in LETTERS), *WORDS]
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 12,
            "vocab": {name: id for id, name in enumerate(dict.fromkeys(names))}}


def wordlevel() -> dict[str, Any]:
    return {"type": "WordLevel", "unk_token": "[UNK]",
            "vocab": {name: id for id, name in enumerate(["[UNK]", *WORDS, "a", "x"])}}


def token(content: str, id: int, **flags: bool) -> dict[str, Any]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": id, "content": content, **plain, "special": True, **flags}


def template(pair: bool = True) -> dict[str, Any]:
    text = {"Sequence": {"id": "A", "type_id": 0}}
    mark = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
    other = [{"Sequence": {"id": "B", "type_id": 1}}, mark] if pair else []
    return {"type": "TemplateProcessing", "single": [mark, text, mark],
            "pair": [mark, text, *other],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [900], "tokens": ["[CLS]"]}}}


def file_of(model: dict[str, Any], pre: Any = LEVEL, **parts: Any) -> dict[str, Any]:
    """A tokenizer.json; the tokens [CLS] and [X] come after the vocabulary."""
    size = len(model["vocab"])
    value = {"version": "1.0", "truncation": None, "padding": None,
             "added_tokens": [token("[CLS]", size), token("[X]", size + 1, lstrip=True)],
             "normalizer": None, "pre_tokenizer": pre, "post_processor": None, "decoder": LEVEL,
             "model": model, **parts}
    text = json.dumps(value).replace('"ids": [900]', f'"ids": [{size}]')
    return json.loads(text)


def cut_to(length: int, stride: int = 0, strategy: str = "LongestFirst",
           direction: str = "Right") -> dict[str, Any]:
    return {"direction": direction, "max_length": length, "strategy": strategy, "stride": stride}


def filled(strategy: Any, direction: str = "Right", multiple: int | None = None) -> dict[str, Any]:
    return {"strategy": strategy, "direction": direction, "pad_to_multiple_of": multiple,
            "pad_id": 3, "pad_type_id": 1, "pad_token": "$"}


CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
FALCON = sequence({"type": "Punctuation", "behavior": "Contiguous"}, LEVEL,
                  {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]"))
MARKS = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
PIECES = ["▁", "a", "b", "▁a", "the", "▁the", "1", "2", "x", "é", "!", "in", "g", "▁in"]
WHITE = {"type": "WhitespaceSplit"}
ROBERTA = {"type": "RobertaProcessing", "sep": ["[CLS]", 900], "cls": ["[CLS]", 900]}


def files() -> dict[str, dict[str, Any]]:
    """The tokenizers, by name."""
    size = len(merged(MERGES))
    roberta = json.loads(json.dumps(ROBERTA).replace("900", str(size)))
    ends = [["a", "b</w>"], ["t", "h"], ["th", "e</w>"], ["i", "n"], ["in", "g</w>"]]
    chain = {"type": "Sequence", "decoders": [LEVEL, {"type": "Strip", "content": " ", "start": 1,
                                                      "stop": 0}]}
    ctc = {"type": "CTC", "pad_token": "t", "word_delimiter_token": "Ġ", "cleanup": True}
    found = {
        "falcon": file_of(bpe(), FALCON),
        "clip": file_of(bpe(merges=ends, end_of_word_suffix="</w>", continuing_subword_prefix=""),
                        sequence(split(CLIP, "Removed", True), WHOLE)),
        "bytes unigram": file_of(unigram([*LETTERS, *WORDS])),
        "bytes unigram prefixed": file_of(unigram(WORDS), PREFIXED),
        "bytes wordpiece": file_of(wordpiece()),
        "bytes words": file_of(wordlevel()),
        "bytes twice": file_of(bpe(), sequence(LEVEL, WHOLE)),
        "no decoder": file_of(bpe(), decoder=None),
        "decoder in turn": file_of(bpe(), decoder=chain),
        "ctc": file_of(bpe(), decoder=ctc),
        "no pre-tokenizer": file_of(bpe(), None),
        "few bytes": file_of(bpe(vocab={"a": 0, "b": 1, "Ġ": 2, "?": 3}, merges=[])),
        "few bytes, unknown": file_of(
            bpe(vocab={"a": 0, "b": 1, "Ġ": 2, "?": 3}, merges=[], unk_token="?", fuse_unk=True)),
        "missing unknown": file_of(bpe(vocab={"a": 0, "b": 1}, merges=[], unk_token="?"), None),
        "byte as token": file_of(bpe(), added_tokens=[
            token("é", LETTERS.index("é")), token("ä", LETTERS.index("ä")), token("[CLS]", size)]),
        "one letter as token": file_of(bpe(), added_tokens=[token("x", LETTERS.index("x"))]),
        "normalizer": file_of(bpe(), None, normalizer={"type": "ByteLevel"}),
        "normalizer and split": file_of(
            bpe(), split("Ġ?[a-z]+"), normalizer=sequence(
                {"type": "NFC"}, {"type": "ByteLevel"}, kind="normalizers")),
        "nmt": file_of(bpe(), normalizer={"type": "Nmt"}),
        "scripts": file_of(bpe(), sequence({"type": "UnicodeScripts"}, LEVEL)),
        "fixed length": file_of(bpe(), sequence({"type": "FixedLength", "length": 3}, PREFIXED)),
        "first of several": file_of(unigram(PIECES), sequence(WHITE, MARKS), decoder=MARKS),
        "first, prepended": file_of(
            unigram(PIECES), sequence({"type": "Digits", "individual_digits": True}, MARKS),
            normalizer={"type": "Prepend", "prepend": "1"}, decoder=MARKS),
        "first, stripped": file_of(
            unigram(PIECES), sequence(WHITE, MARKS), decoder=MARKS, normalizer=sequence(
                {"type": "Strip", "strip_left": True, "strip_right": False}, {"type": "NFD"},
                kind="normalizers")),
        "trimmed": file_of(bpe(), post_processor=PREFIXED),
        "trimmed, prefixed": file_of(bpe(), PREFIXED, post_processor=PREFIXED),
        "trimmed, no prefix": file_of(bpe(), PREFIXED, post_processor=LEVEL),
        "trimmed unigram": file_of(unigram([*LETTERS, *WORDS, "ĠĠa"]), post_processor=LEVEL),
        "trimmed, then template": file_of(bpe(), post_processor=sequence(
            PREFIXED, template(), kind="processors")),
        "template, then trimmed": file_of(bpe(), post_processor=sequence(
            template(), PREFIXED, kind="processors")),
        "roberta": file_of(bpe(), PREFIXED, post_processor={**roberta, "trim_offsets": True,
                                                            "add_prefix_space": True}),
        "roberta, whole": file_of(bpe(), post_processor={**roberta, "trim_offsets": False,
                                                         "add_prefix_space": False}),
        "filled to the longest": file_of(bpe(), padding=filled("BatchLongest", "Left", 8)),
        "filled to 9": file_of(bpe(), padding=filled({"Fixed": 9}), post_processor=template()),
    }
    for length, stride, strategy, direction in [
        (7, 0, "LongestFirst", "Right"), (6, 1, "LongestFirst", "Left"),
        (5, 0, "OnlyFirst", "Left"), (9, 2, "OnlySecond", "Right"), (4, 0, "LongestFirst", "Right"),
    ]:
        name = f"cut to {length}, {strategy}, {direction}"
        found[name] = file_of(bpe(), truncation=cut_to(length, stride, strategy, direction),
                              post_processor=template(), padding=filled({"Fixed": 6}, direction))
    found["cut, no template"] = file_of(bpe(), truncation=cut_to(3, 1), padding=None)
    return found


def sample(rng: random.Random) -> str:
    return "".join(
        rng.choice(ODD) if rng.random() < 0.9 else chr(rng.choice([
            rng.randrange(1, 0x300), rng.randrange(0x300, 0x3100), rng.randrange(0xA000, 0xD7FF),
            rng.randrange(0x10000, 0x1FFFF)]))
        for _ in range(rng.randrange(12))
    )


def answer(tok: Tokenizer, text: str, other: str) -> dict[str, Any]:
    """What the library makes of a text, and of it with another one."""
    row: dict[str, Any] = {"text": text, "other": other, "whole": None, "pair": None}
    try:
        whole = tok.encode(text)
        row["whole"] = [whole.ids, whole.offsets]
        row["decoded"] = tok.decode(whole.ids, skip_special_tokens=False)
        pair = tok.encode(text, other)
        row["pair"] = [pair.ids, pair.type_ids]
    except BaseException as error:  # a panic of the library is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
    return row


def entries(seed: int, texts: int) -> list[dict[str, Any]]:
    made = []
    for name, value in files().items():
        rng, tok = random.Random(f"{seed} {name}"), Tokenizer.from_str(json.dumps(value))
        rows = [answer(tok, sample(rng), sample(rng)) for _ in range(texts)]
        made.append({"name": name, "json": value, "rows": rows})
    return made


if __name__ == "__main__":
    path = Path(__file__).with_name("stages.json")
    path.write_text(json.dumps(entries(0, 12), separators=(",", ":")) + "\n", "ascii")
