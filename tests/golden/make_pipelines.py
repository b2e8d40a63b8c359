"""Make pipelines.json: what Hugging Face tokenizers 0.23 gives for many combinations of stages.

Run ``python tests/golden/make_pipelines.py``. Each entry holds a tokenizer.json, texts, and for
each text the ids, the character offsets without the template, and what the ids decode to.
"""

import json
import os
import random
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LINES = """
    the cat sat on a mat hat he she low lower lowest newest 小猫 老鼠 don't it's naïve café
    Straße Ωμέγα ΑΣ İstanbul 12345 x_y foo(bar) ##ing # — … 한글 한국 𝟘 ½ Ⅷ e\u0301 Ａ１ ﬁ
"""
WORDS = LINES.split()
ODD = [
    " ", "  ", "\n", "\r\n", "\t", "'", "'s", "é", "ſ", "1", "23", "²", "½", "中", "文字", "ǅ",
    "\u0301", "\u0903", "!", "/", "...", "\u00a0", "\u3000", "\u200d", "👍🏽", "\x1c", "\x85", "\0",
    "\u200b", "ß", "K", "\U0001d7d8", "xyz", "HelloWorld", "\ufffd", "\u2028", "-", "_",
    "\U00016ec0", "한글", "é" * 9, "\u2e42\u2e43", "\U00011938", "[MASK]", " [MASK] ",
    "low", "a low b", "ΩΜΈΓΑ", "Ωμε\u0301γα", " Ωμέγα ", "ﬁ\u0301", "a B", "ﬁx", "fix", "ΑΣ", "ασ",
]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]

NORMALIZERS = {
    "none": lambda: None,
    "bert": normalizers.BertNormalizer,
    "nfc": normalizers.NFC,
    "nfkc": normalizers.NFKC,
    "strip accents": lambda: normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]),
    "replace": lambda: normalizers.Sequence(
        [normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()]),
    "llama": lambda: normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
}
PRE_TOKENIZERS = {
    "bert": pre_tokenizers.BertPreTokenizer,
    "words": pre_tokenizers.Whitespace,
    "metaspace": pre_tokenizers.Metaspace,
    "metaspace first": lambda: pre_tokenizers.Metaspace(prepend_scheme="first"),
    "metaspace whole": lambda: pre_tokenizers.Metaspace(prepend_scheme="never", split=False),
    "digits": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(True)]),
    "contiguous": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(False), pre_tokenizers.Punctuation("contiguous")]),
    "previous": lambda: pre_tokenizers.Punctuation("merged_with_previous"),
    "next": lambda: pre_tokenizers.Split(Regex("[aeiou]+"), "merged_with_next", invert=True),
    "t5": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
}
MODELS = {
    "wordpiece": (lambda: models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer, 250, {}),
    "words": (lambda: models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer, 60, {}),
    "bpe": (lambda: models.BPE(unk_token="[UNK]", fuse_unk=True), trainers.BpeTrainer, 250, {}),
    "bpe marks": (
        lambda: models.BPE(continuing_subword_prefix="@@", end_of_word_suffix="</w>",
                           unk_token="[UNK]"),
        trainers.BpeTrainer, 300, {"continuing_subword_prefix": "@@", "end_of_word_suffix": "</w>"},
    ),
    "bpe bytes": (
        lambda: models.BPE(byte_fallback=True, unk_token="[UNK]", ignore_merges=True),
        trainers.BpeTrainer, 500, {"special_tokens": SPECIAL + BYTES},
    ),
    "bpe dropping": (models.BPE, trainers.BpeTrainer, 120, {"limit_alphabet": 30}),
    "unigram": (models.Unigram, trainers.UnigramTrainer, 200, {"unk_token": "[UNK]"}),
    "byte level": (
        models.BPE, trainers.BpeTrainer, 400,
        {"initial_alphabet": pre_tokenizers.ByteLevel.alphabet()},
    ),
}
DECODERS = [
    lambda: None, decoders.WordPiece, lambda: decoders.WordPiece("##", False), decoders.Metaspace,
    decoders.BPEDecoder, decoders.Fuse,
    lambda: decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                               decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
]


def tokenizer(rng: random.Random, model: str, normalizer: str, pre_tokenizer: str) -> Tokenizer:
    """A small trained tokenizer with these stages, the others drawn."""
    make, trainer, size, options = MODELS[model]
    tok = Tokenizer(make())
    if normalizer != "none":
        tok.normalizer = NORMALIZERS[normalizer]()
    if model == "byte level":
        level = pre_tokenizers.ByteLevel(add_prefix_space=rng.random() < 0.5)
        tok.pre_tokenizer = level if rng.random() < 0.5 else pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(True), level])
        tok.decoder = decoders.ByteLevel()
    else:
        tok.pre_tokenizer = PRE_TOKENIZERS[pre_tokenizer]()
        decoder = rng.choice(DECODERS)()
        if decoder is not None:
            tok.decoder = decoder
    corpus = [" ".join(rng.choices(WORDS, k=30)) for _ in range(60)]
    options = {"special_tokens": SPECIAL, **options}
    tok.train_from_iterator(corpus, trainer(vocab_size=size, show_progress=False, **options))
    value = json.loads(tok.to_str())
    value["added_tokens"] = [a for a in value["added_tokens"] if a["content"] not in BYTES]
    tok = Tokenizer.from_str(json.dumps(value))
    tok.add_special_tokens([AddedToken(
        "[MASK]", lstrip=rng.random() < 0.5, rstrip=rng.random() < 0.3,
        single_word=rng.random() < 0.3)])
    tok.add_tokens([AddedToken("low", single_word=True, normalized=False)])
    # looked for in normalized text; no two have the same normalized form, where chance decides
    for token in rng.sample(["Ωμέγα", "a  B", "ﬁx", "ΑΣ", "[UNK]"], rng.randrange(5)):
        tok.add_tokens([AddedToken(
            token, normalized=True, single_word=rng.random() < 0.3, lstrip=rng.random() < 0.3,
            rstrip=rng.random() < 0.3, special=rng.random() < 0.3)])
    if rng.random() < 0.5:
        tok.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[(name, tok.token_to_id(name)) for name in ("[CLS]", "[SEP]")])
    return tok


def text(rng: random.Random) -> str:
    return "".join(
        rng.choice(ODD) if rng.random() < 0.5 else rng.choice(WORDS) if rng.random() < 0.8
        else chr(rng.choice([rng.randrange(32, 0x3000), rng.randrange(0x4E00, 0x9FFF),
                             rng.randrange(0x1F300, 0x1F9FF)]))
        for _ in range(rng.randrange(14))
    )


def entries(seed: int, texts: int, rounds: int) -> list[dict]:
    """Every model, each with `rounds` pairs of other stages, and what it makes of texts."""
    rng = random.Random(seed)
    made = []
    for model in MODELS:
        for _ in range(rounds):
            names = model, rng.choice(list(NORMALIZERS)), rng.choice(list(PRE_TOKENIZERS))
            tok = tokenizer(rng, *names)
            rows = []
            for sample in [text(rng) for _ in range(texts)]:
                whole, bare = tok.encode(sample), tok.encode(sample, add_special_tokens=False)
                pair = tok.encode(sample, "the cat")
                rows.append([sample, whole.ids, bare.offsets, pair.ids, pair.type_ids,
                             tok.decode(whole.ids, skip_special_tokens=False)])
            made.append({"stages": names, "json": json.loads(tok.to_str()), "rows": rows})
    return made


if __name__ == "__main__":
    path = Path(__file__).with_name("pipelines.json")
    path.write_text(json.dumps(entries(0, 20, 2), separators=(",", ":")) + "\n", "ascii")
