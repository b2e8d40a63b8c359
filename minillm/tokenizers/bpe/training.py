"""Training vocabularies of characters and words, and byte-pair encodings: texts to stages."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ...backends import active_backend
from ..counting.distinct_pieces import strings, word_counts
from ..counting.vocabulary_room import (
    NOT_SPACE,
    Texts,
    check_vocab_size,
    most_frequent,
    numbered,
    unknown_id,
    with_unknown,
    without_specials,
)
from ..decoders.joining import JoinWords
from ..pre_tokenizers.split_rules import Split
from ..stages import Stages
from ..text.byte_alphabet import BYTE_ORDER
from .byte_bpe import ByteBPE
from .character_bpe import CharacterBPE
from .merges import learn_merges, learn_merges_fast


def train_bpe_model(
    texts: Texts, vocab_size: int, special_tokens: Sequence[str] = (),
    unk_token: str | None = "<|unk|>", suffix: str = "</w>", min_frequency: int = 1,
    tie: str = "huggingface", pattern: str = NOT_SPACE, prefix: str = "",
    initial_alphabet: str = "", limit_alphabet: int | None = None,
    max_token_length: int | None = None,
) -> Stages:
    """BPE of the characters of words that white space separates (it is not kept).

    suffix, prefix: what marks the last character of a word, and those after the first.
    initial_alphabet: characters that are entries even if the texts do not have them.
    limit_alphabet: keep that many characters, the most frequent; the others are taken out of the
    words, so that their neighbours meet. max_token_length: see ``learn_merges``.
    """
    data, offsets, counts = word_counts(texts, pattern)
    words = strings(data, offsets)
    characters = alphabet_of(words, counts, initial_alphabet, limit_alphabet)
    words = ["".join(c for c in word if c in characters) for word in words]
    spelled = [marked_symbols(word, prefix, suffix) for word in words]
    specials = with_unknown(special_tokens, unk_token)
    alphabet = sorted({symbol for word in spelled for symbol in word} | set(initial_alphabet))
    alphabet = [symbol for symbol in alphabet if symbol not in specials]
    check_vocab_size(
        vocab_size, len(specials) + len(alphabet),
        f"{len(alphabet)} characters and {len(specials)} special tokens",
    )
    names = [*specials, *alphabet]
    id_of = {symbol: len(specials) + k for k, symbol in enumerate(alphabet)}
    merges = merges_of(
        [[id_of[symbol] for symbol in word] for word in spelled], counts,
        [name.encode() for name in names], vocab_size - len(names), tie, min_frequency,
        max_token_length,
    )
    vocabulary, merges = extend(names, merges, prefix)
    model = CharacterBPE(
        without_specials(vocabulary, specials), merges, unknown_id(specials, unk_token), suffix,
        prefix=prefix,
    )
    return Stages(
        model, pre_tokenizer=Split(pattern), decoder=JoinWords(suffix),
        special_tokens=numbered(specials),
    )


def alphabet_of(
    words: list[str], counts: np.ndarray, initial: str, limit: int | None
) -> set[str]:
    """The characters of the words; with a limit the most frequent, and always the initial ones."""
    table: Counter[str] = Counter()
    for word, count in zip(words, counts.tolist()):
        for character in word:
            table[character] += count
    kept = list(table) if limit is None else most_frequent(table, max(0, limit - len(initial)))
    return {*kept, *initial}


def marked_symbols(word: str, prefix: str, suffix: str) -> list[str]:
    """The characters of a word, marked: all but the first with `prefix`, the last with `suffix`."""
    symbols = [prefix * (k > 0) + character for k, character in enumerate(word)]
    return [*symbols[:-1], symbols[-1] + suffix] if symbols else []


def train_byte_bpe(
    texts: Texts, vocab_size: int, special_tokens: Sequence[str] = (), pattern: str = "gpt2",
    min_frequency: int = 1, tie: str = "huggingface", max_token_length: int | None = None,
) -> Stages:
    """BPE of the bytes of pieces. Ids: special tokens, 256 bytes in GPT-2's order, merges."""
    specials = list(special_tokens)
    check_vocab_size(
        vocab_size, 256 + len(specials), f"256 bytes and {len(specials)} special tokens"
    )
    data, offsets, counts = word_counts(texts, pattern)
    tokens = [token.encode() for token in specials] + [bytes([byte]) for byte in BYTE_ORDER]
    symbols = (np.argsort(BYTE_ORDER) + len(specials)).astype(np.int32)[data]
    wanted = vocab_size - len(tokens)
    if active_backend() == "numba":
        found = learn_merges_fast(
            symbols, offsets, counts, tokens, wanted, tie, min_frequency, max_token_length
        )
    else:
        words = [symbols[i:j].tolist() for i, j in pairwise(offsets)]
        found = merges_of(words, counts, tokens, wanted, tie, min_frequency, max_token_length)
    vocabulary, merges = extend(tokens, found)
    model = ByteBPE(without_specials(vocabulary, specials), merges)
    cut = Split(pattern, "refuse")
    return Stages(model, pre_tokenizer=cut, special_tokens=numbered(specials))


def merges_of(
    words: list[list[int]], counts: np.ndarray, tokens: list[bytes], wanted: int, tie: str,
    min_frequency: int, max_token_length: int | None = None,
) -> np.ndarray:
    """The merges that ``learn_merges`` finds, by its kernel where there is one: (n, 3) int32."""
    if active_backend() != "numba":
        found = learn_merges(
            words, counts.tolist(), tokens, wanted, tie, min_frequency, max_token_length
        )
        return np.array(found, np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(word) for word in words])]).astype(np.int64)
    symbols = np.fromiter((id for word in words for id in word), np.int32, int(offsets[-1]))
    return learn_merges_fast(
        symbols, offsets, counts, tokens, wanted, tie, min_frequency, max_token_length
    )


def extend(
    tokens: Sequence[str | bytes], pairs: np.ndarray, prefix: str = ""
) -> tuple[list[bytes | None], np.ndarray]:
    """The vocabulary with the merged tokens, and merges (n, 3) with the id that each makes.

    The right one of two tokens loses its `prefix`.
    """
    vocabulary = [token.encode() if isinstance(token, str) else token for token in tokens]
    for left, right in pairs.reshape(-1, 2).tolist():
        vocabulary.append(vocabulary[left] + vocabulary[right].removeprefix(prefix.encode()))
    merged = np.arange(len(tokens), len(vocabulary), dtype=np.int32)
    return list(vocabulary), np.column_stack([pairs.reshape(-1, 2), merged]).astype(np.int32)
