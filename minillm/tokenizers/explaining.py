"""What each stage of a tokenizer makes of a text, for looking at."""

from dataclasses import dataclass

from .encoding import row_of
from .special_tokens import Special
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Explanation:
    """What each stage of a tokenizer made of one text."""

    text: str
    normalized: str
    pieces: list[str]
    tokens: list[str]
    ids: list[int]
    offsets: list[tuple[int, int]]


def explain(tok: Vocabulary, text: str, special: Special = "raise") -> Explanation:
    """Every stage's result; the post-processor is not applied."""
    normal, pieces = "", []
    for part in tok._finder.parts(text, special):
        if isinstance(part, str):
            normal += tok._normalized(part)
            data, spans = tok._pieces(part)
            pieces += [data[i:j].tobytes().decode() for i, j in spans.tolist()]
        else:
            pieces.append(tok.id_to_token(part[0]))
            normal += pieces[-1]
    row = row_of(tok, text, special)
    ids, offsets = row.ids.tolist(), [(start, end) for start, end in row.spans.tolist()]
    return Explanation(text, normal, pieces, [tok.id_to_token(i) for i in ids], ids, offsets)
