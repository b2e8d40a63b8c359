"""What ``evaluate`` prints."""

from __future__ import annotations

import math
from typing import Any


def measure(model: Any, tokenizer: Any, texts: list[str], language: str | None, batch_size: int,
            progress: bool) -> list[str]:
    """Loss, perplexity, accuracy and bits per byte of ``texts``; for stories also the floor."""
    import numpy as np
    from tqdm import tqdm

    from ..data import DataLoader, TokenDataset, stories
    from ..training import evaluate

    end = tokenizer.token_to_id("<|endoftext|>")
    ids, offsets = tokenizer.encode_batch(texts)
    if end is not None:
        ids = np.insert(ids, offsets[1:], end)
    data = TokenDataset.from_ids(ids, tokenizer.vocab_size, end)
    context = min(model.config.context, max(len(data) - 1, 1))
    whole = end is not None and max(np.diff(offsets)) < model.config.context
    batches = DataLoader(data, batch_size, context, windows="documents" if whole else "stream",
                         shuffle=False, drop_last=False)
    found = evaluate(model, tqdm(batches, "evaluate", unit=" batches", disable=not progress))
    size = sum(len(text.encode()) for text in texts)
    lines = [f"tokens         {found.labels:,} ({size / len(data):.2f} bytes each)",
             f"loss           {found.loss:.4f} nats per token",
             f"perplexity     {found.perplexity:.2f}",
             f"accuracy       {found.accuracy:.4f}",
             f"bits per byte  {found.bits_per_byte(size / len(data)):.4f}"]
    if language and whole:
        floor = -sum(stories.log_probability(text, language, "small") for text in texts)
        if math.isfinite(floor):
            floor /= len(data)
            lines.append(f"floor          {floor:.4f} nats per token; the loss is "
                         f"{found.loss / floor:.3f} times that")
    return lines
