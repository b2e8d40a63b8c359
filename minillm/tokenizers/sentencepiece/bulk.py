"""SentencePiece's normalizer by a kernel, and the arrays for that of its BPE."""

from typing import Any

import numpy as np

from ..bpe.character_words import joints_of, with_entries
from ..normalizers.charsmap import LEAF, Charsmap, label, offset
from ..normalizers.charsmap_build import build_charsmap


def trie_of(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """(units, outputs) of a charsmap; both empty for no rules."""
    if not data:
        return np.zeros(0, np.uint32), np.zeros(1, np.uint8)
    table = Charsmap(data)
    return table.units, table.outputs


def symbols_trie(symbols: Any) -> tuple[np.ndarray, np.ndarray]:
    """A trie in which each of these byte strings becomes itself."""
    return trie_of(build_charsmap({symbol: symbol for symbol in symbols}))


def plain_bytes(units: np.ndarray) -> np.ndarray:
    """(128,) bool: does no rule begin with this byte, or with it and another below 128?"""
    plain = np.ones(128, bool)
    for byte in range(1, 128 if len(units) else 1):
        place = offset(int(units[0])) ^ byte
        if place < len(units) and label(int(units[place])) == byte:
            base = place ^ offset(int(units[place]))
            nexts = [base ^ other for other in range(1, 128) if base ^ other < len(units)]
            plain[byte] = not int(units[place]) & LEAF and not any(
                label(int(units[next])) == next ^ base for next in nexts
            )
    return plain


def normalize_many(
    normalizer: Any, data: np.ndarray, segments: np.ndarray, places: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Segments (n, 2) of `data`, each normalized: (new data, new segments, origin, lasts).

    normalizer: a SentencePieceNormalizer. The last two are ``Placed``, if `places` are asked for.
    """
    from .normalizer_kernel import normalize

    if normalizer._arrays is None:  # two threads may both make them: they are only read
        rules = trie_of(normalizer.charsmap)
        symbols = symbols_trie(symbol.encode() for symbol in normalizer.user_defined)
        plain = plain_bytes(rules[0]) & plain_bytes(symbols[0])
        quick = bool(plain[33:127].all())
        texts = np.concatenate([rules[1], symbols[1], [0]])
        longest = int(np.diff(np.flatnonzero(texts == 0), prepend=0).max())
        tables = (*symbols, *rules, plain, quick)
        object.__setattr__(normalizer, "_arrays", (tables, 3 * longest + 48))
    arrays, room = normalizer._arrays
    prefix, suffix = normalizer.add_dummy_prefix, normalizer.treat_whitespace_as_suffix
    size = int((segments[:, 1] - segments[:, 0]).sum()) if len(segments) else 0
    out = np.empty(size + size // 2 + room + 64, np.uint8)
    origin, lasts = (np.zeros(size * places, np.int64) for size in (len(out), len(segments)))
    ends, progress = np.empty(len(segments), np.int64), np.zeros(2, np.int64)
    segments = np.ascontiguousarray(segments, np.int64)
    while not normalize(
        data, segments, *arrays, normalizer.remove_extra_whitespaces, prefix and not suffix,
        prefix and suffix, normalizer.escape_whitespaces, room, out, origin, lasts,
        ends, progress,
    ):
        out = np.concatenate([out, np.empty_like(out)])
        origin = np.concatenate([origin, np.zeros_like(origin)])
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)[: len(ends)]
    return out[: progress[1]], np.stack([starts, ends], 1), origin[: progress[1]], lasts


def kernel_pieces(model: Any) -> Any:
    """The vocabulary of a SentencePieceBPE, as the kernel wants it."""
    from ..bpe.character_bpe_kernel import Pieces

    characters, pairs = character_and_pair_tables(model)
    merging = model.kind == "bpe"
    symbols, texts = symbols_trie(model.user_defined)
    symbol_ids, place = np.zeros(len(texts), np.int32), 0  # by where the symbol's text stands
    for symbol in texts.tobytes().split(b"\0")[:-1]:
        symbol_ids[place] = model.ids.get(symbol, -1)
        place += len(symbol) + 1
    byte_ids = np.full(256, -1, np.int32)
    if model.byte_fallback:
        byte_ids[:] = [model.ids[b"<0x%02X>" % byte] for byte in range(256)]
    lengths = np.array([len(token or b"") for token in model.vocabulary], np.int64)
    return with_entries(model.vocabulary, Pieces(
        characters, pairs, symbols, symbol_ids, lengths, byte_ids, model.unk_id,
        joints_of(map(bytes.decode, model.mergeable if merging else model.user_defined)),
        None, None,
    ))


def character_and_pair_tables(model: Any) -> tuple[np.ndarray, Any]:
    """The symbol of each code point, and the pairs of symbols that make a piece.

    A character that only stands inside pieces gets a number after the last id.
    """
    from ..bpe.character_bpe_kernel import UNKNOWN
    from ..bpe.merging_kernel import pairs_of

    numbers = {token: model.ids[token] for token in model.mergeable}
    merging = model.kind == "bpe"
    texts = {token: token.decode() for token in model.mergeable} if merging else {}
    for text in texts.values():
        for character in text:
            numbers.setdefault(character.encode(), len(model.vocabulary) + len(numbers))
    characters = np.full(0x110000, UNKNOWN, np.int32)
    for token, number in numbers.items():
        if len(token) <= 4 and len(token.decode()) == 1:
            characters[ord(token.decode())] = number
    _, ranks = np.unique(-model.scores, return_inverse=True)
    rows = []
    for token, text in texts.items():
        at = 0
        for character in text[:-1]:
            at += len(character.encode())
            left, right = numbers.get(token[:at]), numbers.get(token[at:])
            if left is not None and right is not None:
                rows.append((left, right, model.ids[token], ranks[model.ids[token]]))
    table = np.array(rows, np.int64).reshape(-1, 4)
    return characters, pairs_of(table[:, :3], table[:, 3])
