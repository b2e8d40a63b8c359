"""Beam search with a Seq2Seq: ours, and transformers' generate with a Marian of its weights.

Marian has the parts of ours: norms after the parts, ReLU, waves for positions, embeddings times
√C, an output layer that is the target's table. So both give the same texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

PAD, START, END = range(3)  # of the translator that comes along
BEAMS, SENTENCES = 4, 64


def task(size: str) -> tuple[Any, list[list[int]], int, list[int]]:
    """A model, sources, how many tokens a target may have, and those that end it."""
    from minillm.data.tasks import translation
    from minillm.models import Seq2Seq, Seq2SeqConfig, translator

    if size == "wide":  # random weights: every target goes on to the last step
        model = Seq2Seq(Seq2SeqConfig(8192, 65, 3, 6, 384, source_vocab=8192), seed=0)
        return model, np.random.default_rng(1).integers(0, 8192, (4, 32)).tolist(), 64, []
    model, source, _ = translator()
    pairs = translation.pairs(SENTENCES, seed=1, held=True)
    return model, [source.encode(" ".join(p.english)) for p in pairs], 27, [END]


def batches(sources, together: str):
    return [sources] if together == "together" else [[source] for source in sources]


def minillm_beams(size: str, together: str):
    """together: "together", or "alone" for one source after another."""
    model, sources, count, stop = task(size)

    def run() -> list[list[int]]:
        return [[int(id) for id in ids] for batch in batches(sources, together)
                for ids in model.generate(batch, count, START, stop, beams=BEAMS)]

    return run


def torch_beams(size: str, together: str):
    import os

    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    ours, sources, count, stop = task(size)
    model = marian(ours)
    inputs = [padded(batch) for batch in batches(sources, together)]
    options = {"num_beams": BEAMS, "do_sample": False, "length_penalty": 0.0, "use_cache": True,
               "early_stopping": False, "max_new_tokens": count, "pad_token_id": PAD,
               "decoder_start_token_id": START, "eos_token_id": stop or None}

    def until_end(ids: list[int]) -> list[int]:
        ends = [i for i, id in enumerate(ids) if id in stop]
        return ids[1:ends[0]] if ends else ids[1:]

    def run() -> list[list[int]]:
        return [until_end(ids) for batch in inputs
                for ids in model.generate(**batch, **options).tolist()]

    return run


def padded(batch):
    import torch

    from minillm.models.given_source import padded

    ids, mask = padded(batch)
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask.astype(np.int64))}


def marian(model):
    """A MarianMTModel with the weights of a Seq2Seq."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    from minillm import ops

    c = model.config
    hidden = c.hidden or 4 * c.width
    each = {f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in
            (("layers", c.layers), ("attention_heads", c.heads), ("ffn_dim", hidden))}
    copy = MarianMTModel(MarianConfig(
        vocab_size=c.source_vocab, decoder_vocab_size=c.vocab_size, d_model=c.width, **each,
        max_position_embeddings=c.context, activation_function="relu", scale_embedding=True,
        share_encoder_decoder_embeddings=False, pad_token_id=PAD, eos_token_id=END,
        decoder_start_token_id=START, forced_eos_token_id=None)).eval()
    ours = {name: p.value for name, p in model.named_parameters()}
    waves = ops.sinusoids(np.arange(c.context), c.width)
    own = {"encoder.embed_tokens.weight": ours["source.tokens.w"],
           "decoder.embed_tokens.weight": ours["target.tokens.w"],
           "encoder.embed_positions.weight": waves, "decoder.embed_positions.weight": waves}
    for side in ("encoder", "decoder"):
        for i in range(c.layers):
            own |= layer(ours, f"{side}.{i}.", f"{side}.layers.{i}.")
    with torch.no_grad():
        for name, parameter in copy.model.named_parameters():
            parameter.copy_(torch.tensor(own.pop(name)))
    assert not own
    assert copy.lm_head.weight is copy.model.decoder.embed_tokens.weight
    return copy


def layer(ours, path: str, theirs: str) -> dict[str, np.ndarray]:
    """The weights of one layer under Marian's names."""
    found = {}
    for name, own in (("self_attn.out_proj", "attention.proj"), ("fc1", "feed_forward.expand"),
                      ("fc2", "feed_forward.contract"), ("self_attn_layer_norm", "norm1"),
                      ("encoder_attn.out_proj", "cross.proj"), ("final_layer_norm", "norm2"),
                      ("encoder_attn_layer_norm", "norm_cross"),
                      ("encoder_attn.q_proj", "cross.query")):
        if f"{path}{own}.w" in ours:
            found[f"{theirs}{name}.weight"] = ours[f"{path}{own}.w"].T
            found[f"{theirs}{name}.bias"] = ours[f"{path}{own}.b"]
    for name, own, parts in (("self_attn", "attention.qkv", "qkv"),
                             ("encoder_attn", "cross.key_value", "kv")):
        if f"{path}{own}.w" in ours:
            for kind, mine in (("weight", "w"), ("bias", "b")):
                arrays = np.split(ours[f"{path}{own}.{mine}"].T, len(parts))
                found |= {f"{theirs}{name}.{part}_proj.{kind}": array
                          for part, array in zip(parts, arrays)}
    return found
