"""One training step, ours and PyTorch's: loss, gradient, clipping, AdamW."""

from __future__ import annotations

import minillm

BETAS, EPS, DECAY = (0.9, 0.95), 1e-8, 0.1  # of AdamW, on both sides


def training_step(workers, optimizer, batch, backend: str = "numba"):
    """workers: of training.Workers; optimizer: of the same model."""
    def step() -> float:
        with minillm.backend(backend):
            optimizer.model.grads[:] = 0
            loss = workers.add_gradient(*batch)
            optimizer.clip(1.0)
            optimizer.step()
        return loss

    return step


def torch_training_step(model, loss_of, lr: float):
    """The same in PyTorch, eager, with fused AdamW. loss_of: gives the loss as a tensor."""
    import torch

    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY},
                                   {"params": vectors, "weight_decay": 0.0}],
                                  lr=lr, betas=BETAS, eps=EPS, fused=True)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step
