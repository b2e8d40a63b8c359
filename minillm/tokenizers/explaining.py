"""What each stage of a tokenizer makes of a text, for looking at."""

from dataclasses import dataclass

from .patterns.automaton import NoAutomatonError
from .rows import rows_of
from .special_tokens import Special
from .stage_by_stage import encoder_of
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Explanation:
    """What each stage of a tokenizer made of one text.

    text_by_text: why the texts of a batch are encoded one after the other, or None if they go
    through each stage together, which is many times faster.
    """

    text: str
    normalized: str
    pieces: list[str]
    tokens: list[str]
    ids: list[int]
    offsets: list[tuple[int, int]]
    text_by_text: str | None = None


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
    row = rows_of(tok, [text], special)[0]
    ids, offsets = row.ids.tolist(), [(start, end) for start, end in row.spans.tolist()]
    try:
        encoder_of(tok)
        why = None
    except NoAutomatonError as error:
        why = str(error)
    return Explanation(text, normal, pieces, [tok.id_to_token(i) for i in ids], ids, offsets, why)
