"""Processes that take turns: each side runs alone, with its own threads and its own memory.

``python -m benchmarks.workers NAME ARGUMENTS…`` prepares one side, then answers each line on its
standard input with a line of JSON: the seconds one round took, and its result. A side may return
a function that makes the result, whose time does not count.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

from .attention_sides import minillm_attention, torch_attention
from .beam_sides import minillm_beams, torch_beams
from .experts_sides import minillm_dense, minillm_experts, torch_experts
from .family_sides import gradient_gap, minillm_family, torch_family
from .steps import torch_training_step, training_step

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
    return training_step(Workers(model, cores()), AdamW(model, lr=3e-4), batch(B, V), backend)


def torch_step(B: int, V: int):
    """The same step in PyTorch, eager, with flash attention and fused AdamW."""
    import torch

    from .torch_gpt import torch_gpt

    model = torch_gpt(our_model(V))
    ids, targets = map(torch.tensor, batch(B, V))
    return torch_training_step(model, lambda: torch.nn.functional.cross_entropy(
        model(ids).view(-1, V), targets.reshape(-1)), 3e-4)


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


SIDES = {f.__name__: f for f in (
    minillm_step, torch_step, minillm_decode, torch_decode, minillm_experts, minillm_dense,
    torch_experts, minillm_family, torch_family, gradient_gap, minillm_attention, torch_attention,
    minillm_beams, torch_beams)}


def main() -> None:
    name, *arguments = sys.argv[1:]
    run = SIDES[name](*[int(a) if a.isdigit() else a for a in arguments])
    for _ in sys.stdin:
        started = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - started
        result = result() if callable(result) else result
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "result": result, "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
