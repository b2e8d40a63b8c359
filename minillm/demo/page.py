"""The page. Streamlit runs this file from top to bottom whenever a visitor touches something.

    minillm demo [RUN]      # which names the run in MINILLM_DEMO_RUN
"""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape

import streamlit as st

from minillm import show
from minillm.demo.answers import LONGEST, MOST, GapFiller, Settings, Translator, Writer

NAMES = {"en": "English stories", "zh": "Chinese stories · 中文故事",
         "translate": "English → Chinese translation", "fill_en": "Fill the gap (English)",
         "fill_zh": "Fill the gap (Chinese) · 填空", "own": "Your own run"}
PROMPTS = {"en": "One sunny day, Jack", "zh": "一个星期六的早晨，", "own": ""}
GAPS = {"fill_en": "Emma saw a ___ of soap .", "fill_zh": "小红 看见 了 这 ___ 鞋 。"}
SENTENCE = "My mother bought a book in Shanghai yesterday."
LEFT_OUT = 24  # tokens beyond these are left out of the attention map


@st.cache_resource(show_spinner="Loading the model …")
def loaded(kind: str, run: str | None) -> Writer | Translator | GapFiller:
    """One model for all visitors; see answers.py."""
    from minillm.cli.runs import open_model
    from minillm.models import gap_filler, storyteller, translator

    if kind == "own":
        return Writer(*open_model(str(run), None))
    if kind == "translate":
        return Translator(*translator())
    if kind.startswith("fill"):
        return GapFiller(*gap_filler(kind.removeprefix("fill_")))
    return Writer(*storyteller(kind))


def main() -> None:
    """Everything on the page."""
    run = os.environ.get("MINILLM_DEMO_RUN")
    st.set_page_config("minillm", page_icon="📖")
    st.title("minillm")
    st.caption("Small language models, each trained from nothing in a few minutes, with nothing "
               "but NumPy and Numba.")
    kinds = [kind for kind in NAMES if kind != "own" or run]
    kind = st.selectbox("Model", kinds, len(kinds) - 1 if run else 0, NAMES.__getitem__)
    try:
        parts: dict[type, Callable] = {Writer: writing, Translator: translating,
                                       GapFiller: filling}
        model = loaded(kind, run)
        parts[type(model)](model, kind)
    except (ValueError, OSError) as problem:
        st.error(str(problem))


def sliders() -> Settings:
    """How the next token is chosen."""
    left, right = st.columns(2)
    with left:
        length = st.slider("Length in tokens", 1, MOST, 120)
        temperature = st.slider("Temperature", 0.0, 2.0, 0.8, 0.05)
        seed = st.slider("Seed", 0, 999, 0)
    with right:
        top_k = st.slider("Top-k (0: all)", 0, 100, 0)
        top_p = st.slider("Top-p", 0.05, 1.0, 1.0, 0.05)
    return Settings(length, temperature, top_k, top_p, seed)


def writing(model: Writer, kind: str) -> None:
    """A prompt, what the model makes of it, and what it sees."""
    title = st.text_input("Title", max_chars=100, disabled=not model.titled,
                          help=None if model.titled else "This model was trained without titles.")
    prompt = st.text_area("Text to continue", PROMPTS[kind], max_chars=LONGEST, key=f"text {kind}")
    settings = sliders()
    ids = model.begin(title, prompt)
    pressed = st.button("Write", type="primary")
    box, clock = st.empty(), st.empty()
    shown = st.session_state.setdefault("written", {})  # of this visitor, by model
    for part in model.write(ids, settings) if pressed else ():
        shown[kind] = prompt, part
        box.html(paragraph(prompt, part.text))
    if kind in shown:
        given, part = shown[kind]
        box.html(paragraph(given, part.text))
        clock.caption(f"{part.tokens} tokens in {part.seconds:.2f} s, "
                      f"{part.tokens / max(part.seconds, 1e-9):,.0f} tokens/s")
    st.subheader("What the model reads")
    st.html(show.tokens(model.spelled(ids), ids).html)
    st.subheader("What comes next")
    rows = model.next_token(ids, settings)
    before, after = st.columns(2)
    before.html(show.bars({t: 100 * p for t, p, _ in rows}, 1, "as the model says", " %").html)
    after.html(show.bars({t: 100 * q for t, _, q in rows}, 1, "with the sliders", " %").html)
    with st.expander("Where it looks"):
        looking(model, ids)


def looking(model: Writer, ids: list[int]) -> None:
    """An attention map of the prompt."""
    left, right = st.columns(2)
    config = model.model.config
    layer = left.number_input("Block", 1, config.layers, config.layers) - 1
    head = right.number_input("Head", 1, config.heads, 1) - 1
    seen = model.seen(ids)[:LEFT_OUT]
    weights = model.attention(ids, layer, head)[:len(seen), :len(seen)]
    st.html(show.attention(weights, model.spelled(seen), digits=1).html)


def translating(model: Translator, kind: str) -> None:
    """A sentence in Chinese, and which source words each of its words looked at."""
    text = st.text_area("English sentence", SENTENCE, max_chars=300,
                        help="Everyday sentences of the book's grammar: who did what, where, when.")
    beams = st.slider("Beams", 1, 8, 4)
    if st.button("Translate", type="primary") or text:  # on a phone a press applies the text
        source, target, weights = model.translate(text, beams)
        st.html(paragraph("", "".join(target)))
        with st.expander("Where it looks", expanded=True):
            st.html(show.attention(weights, [*target, "⏎"], source, digits=1).html)


def filling(model: GapFiller, kind: str) -> None:
    """The likeliest words for a gap."""
    text = st.text_area("A sentence with one gap, written ___", GAPS[kind], max_chars=300,
                        key=f"text {kind}",
                        help="Words with spaces between them." if kind == "fill_zh" else None)
    if text:
        found = model.fill(text)
        st.html(paragraph("", text.replace("___", f"[{found[0][0]}]")))
        st.html(show.bars({word: 100 * p for word, p in found}, 1, "", " %").html)


def paragraph(given: str, new: str) -> str:
    """Text as it is, escaped; what was given stands out."""
    return ('<div lang="und" style="white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.7;'
            'padding:.6rem .9rem;border:1px solid rgba(127,127,127,.4);border-radius:8px">'
            f'<b style="font-weight:600">{escape(given)}</b>{escape(new)}</div>')


main()
