"""What stands before a text that a model is to write, and its tokens as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..token_names import END, EOD, PAD, SEP

END_TOKENS = (EOD, END)  # that end a document; the first that a tokenizer has counts


def end_of(tok: Any) -> str | None:
    """The token that ends a document, if the tokenizer has one."""
    return next((token for token in END_TOKENS if tok.token_to_id(token) is not None), None)


def beginning(tok: Any, title: str | None, prompt: str) -> tuple[list[int], int | None]:
    """The ids to begin with: end of text, title and <sep>, the prompt; and the id that ends."""
    name = end_of(tok)
    end = None if name is None else tok.token_to_id(name)
    ids = [] if end is None else [end]
    if title is not None:
        if tok.token_to_id(SEP) is None:
            raise ValueError(f"title={title!r:.60}: this tokenizer has no {SEP}; its model was "
                             "trained without titles")
        ids += [*tok.encode(title), tok.token_to_id(SEP)]
    ids += tok.encode(prompt) if prompt else []
    if not ids:
        raise ValueError("this tokenizer has no end-of-text token to begin with; give a prompt")
    return ids, end


def forbidden(tok: Any, spelled: Iterable[str]) -> list[int]:
    """Ids of what is never written: what stands for no text, and what the user names."""
    found = {tok.token_to_id(token) for token in ("<unk>", SEP, PAD, "<s>")} - {None}
    for token in spelled:
        id = tok.token_to_id(token)
        if id is None:
            ids = tok.encode(token)
            if len(ids) != 1:
                raise ValueError(f"{token!r} cannot be forbidden: it is {len(ids)} tokens, "
                                 f"{tok.tokens(token)}; name single ones")
            id = ids[0]
        found.add(id)
    return sorted(found)


def pieces(tok: Any, ids: Iterable[int]) -> Iterator[tuple[int, str]]:
    """(tokens so far, new text) as tokens come; whole characters only."""
    shown, count = tok.stream(), 0
    for count, id in enumerate(ids, 1):
        yield count, shown.push(id)
    yield count, shown.finish()
