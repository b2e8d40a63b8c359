"""How threads inside one kernel share its stages, each of which needs all of the one before.

A thread takes parts of a stage until none is left to take. Whoever finishes the last part does
what is to be done once, and opens the next stage; the others wait for that, each for parts which
another thread is working on at that moment, never for one that has yet to come. So one thread
alone does everything, and a late one finds its way through stages that are open already.
"""

from __future__ import annotations

import os

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from .compiling import OPTIONS, instruction, njit

TAKEN, DONE, OPEN = range(3)
LINE = 8  # integers in a cache line: stages do not share one
PATIENCE = 4096  # looks before the processor is offered to another thread


def new_turns(stages: int) -> np.ndarray:
    """What the threads of one call write to: (stages, LINE)."""
    return np.zeros((stages, LINE), np.int64)


def _place(context, builder, signature, values):
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return cgutils.get_item_pointer(context, builder, signature.args[0], array, values[1:3])


def _add_one(turns, stage, which):
    turns[stage, which] += 1
    return turns[stage, which] - 1


@instruction(_add_one)
def add_one(typing_context, turns, stage, which):
    """turns[stage, which] += 1, by one thread at a time; returns what it was before."""
    def generate(context, builder, signature, values):
        place = _place(context, builder, signature, values)
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "acq_rel")
    return types.int64(turns, types.int64, types.int64), generate


def _look(turns, stage, which):
    return turns[stage, which]


@instruction(_look)
def look(typing_context, turns, stage, which):
    """turns[stage, which], and everything that was written before it."""
    def generate(context, builder, signature, values):
        return builder.load_atomic(_place(context, builder, signature, values), "acquire", 8)
    return types.int64(turns, types.int64, types.int64), generate


@njit(**OPTIONS)
def take(turns, stage):
    """The number of a part of the stage that no other thread takes; too large if all are taken."""
    return add_one(turns, stage, TAKEN)


@njit(**OPTIONS)
def is_last(turns, stage, parts):
    """Say that a part is finished. Is it the last of them?"""
    return add_one(turns, stage, DONE) == parts - 1


@njit(**OPTIONS)
def open_next(turns, stage):
    """Say that nothing is left to do in this stage."""
    add_one(turns, stage, OPEN)


def _give_way():
    pass


@instruction(_give_way)
def give_way(typing_context):
    """Let another thread have the processor, if one waits for it."""
    name = "SwitchToThread" if os.name == "nt" else "sched_yield"

    def generate(context, builder, signature, values):
        function = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, function, name), [])
        return context.get_dummy_value()
    return types.void(), generate


@njit(**OPTIONS)
def wait(turns, stage):
    """Return when the next stage is open."""
    looks = 0
    while look(turns, stage, OPEN) == 0:
        looks += 1
        if looks % PATIENCE == 0:
            give_way()
