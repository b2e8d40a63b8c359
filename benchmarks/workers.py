"""Processes that take turns: each side runs alone, with its own threads and its own memory.

``python -m benchmarks.workers NAME ARGUMENTS…`` prepares one side, then answers each line on its
standard input with a line of JSON: the seconds one round took, and its result.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

import minillm

from .experts_sides import minillm_dense, minillm_experts, torch_experts

SIZES = {"context": 256, "layers": 6, "heads": 6, "width": 384}


class Worker:
    """One side of a comparison, in a process of its own."""

    def __init__(self, name: str, *arguments):
        command = [sys.executable, "-m", "benchmarks.workers", name, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.round()  # compiles and warms up
        self.seconds: list[float] = []

    def round(self) -> dict:
        """Let it run once; the other side waits."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def measure(self) -> dict:
        answer = self.round()
        self.seconds.append(answer["seconds"])
        return answer

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def close(self) -> None:
        self.process.communicate()


def take_turns(ours: Worker, theirs: Worker, rounds: int, equal) -> tuple[dict, dict]:
    """Alternate; check that results are equal in every round; the last answers."""
    for _ in range(rounds):
        a, b = ours.measure(), theirs.measure()
        assert equal(a["result"], b["result"]), (a["result"], b["result"])
    return a, b


def batch(B: int, V: int):
    """The same ids and targets for both sides."""
    ids = np.random.default_rng(1).integers(0, V, (B, 257))
    return ids[:, :-1], ids[:, 1:]


def our_model(V: int):
    from minillm.models import GPT, GPTConfig

    return GPT(GPTConfig(vocab_size=V, **SIZES), seed=0)


def minillm_step(B: int, V: int, backend: str = "numba"):
    """One training step: loss, gradient, clipping, AdamW."""
    from minillm.training import AdamW, Workers, cores

    model = our_model(V)
    return training_step(Workers(model, cores()), AdamW(model, lr=3e-4), *batch(B, V), backend)


def training_step(workers, optimizer, ids, targets, backend: str = "numba"):
    """Gradient, clipping and a step of the optimizer."""
    def step() -> float:
        with minillm.backend(backend):
            optimizer.model.grads[:] = 0
            loss = workers.add_gradient(ids, targets)
            optimizer.clip(1.0)
            optimizer.step()
        return loss

    return step


def torch_step(B: int, V: int):
    """The same step in PyTorch, eager, with flash attention and fused AdamW."""
    import torch

    from .torch_gpt import torch_gpt

    model = torch_gpt(our_model(V))
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1},
                                   {"params": vectors, "weight_decay": 0.0}],
                                  lr=3e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)
    ids, targets = map(torch.tensor, batch(B, V))

    def step() -> float:
        optimizer.zero_grad()
        logits = model(ids)
        loss = torch.nn.functional.cross_entropy(logits.view(-1, V), targets.reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def minillm_decode(V: int, tokens: int):
    """Greedy decoding, one token at a time, with the key-value cache."""
    model = our_model(V)
    model.weights *= 4  # far from uniform, so that the best token is clear
    return lambda: model.generate([5], tokens, temperature=0)


def torch_decode(V: int, tokens: int):
    """The same in PyTorch, with its keys and values kept."""
    from .torch_gpt import torch_gpt

    source = our_model(V)
    source.weights *= 4
    model = torch_gpt(source)
    return lambda: model.greedy([5], tokens)


def one_way(kind: str, C: int, B: int, T: int, V: int):
    """An RNN, LSTM or CNN of two layers, and a batch."""
    from minillm import models

    config = models.CNNConfig if kind == "CNN" else models.RecurrentConfig
    ids = np.random.default_rng(1).integers(0, V, (B, T + 1))
    model = getattr(models, kind)(config(vocab_size=V, context=T, layers=2, width=C), seed=0)
    return model, ids[:, :-1], ids[:, 1:]


def minillm_one_way(kind: str, C: int, B: int, T: int, V: int):
    """One training step. Threads share the products and the rows of the recurrence: workers, each
    with some rows, would read a wide layer's matrix at each step of time as often as they are."""
    from minillm.training import AdamW, Workers

    model, ids, targets = one_way(kind, C, B, T, V)
    workers = Workers(model, 1 if C > 128 else 2)
    return training_step(workers, AdamW(model, lr=1e-5), ids, targets)


def torch_one_way_step(kind: str, C: int, B: int, T: int, V: int):
    """The same step in PyTorch, eager, with fused AdamW."""
    import torch

    from .torch_one_way import torch_one_way

    ours, *arrays = one_way(kind, C, B, T, V)
    model, (ids, targets) = torch_one_way(ours), map(torch.tensor, arrays)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), eps=1e-8,
                                  weight_decay=0.1, fused=True)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(ids).reshape(-1, V), targets.reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


SIDES = {f.__name__: f for f in (minillm_step, torch_step, minillm_decode, torch_decode,
                                 minillm_one_way, torch_one_way_step, minillm_experts,
                                 minillm_dense, torch_experts)}


def main() -> None:
    name, *arguments = sys.argv[1:]
    run = SIDES[name](*[int(a) if a.isdigit() else a for a in arguments])
    for _ in sys.stdin:
        started = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "result": result, "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
