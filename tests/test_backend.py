"""The switch belongs to a thread and to what it starts, not to the process."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading

import pytest

from minillm.backends import active_backend, backend

from .test_threads import in_threads


def test_another_thread_does_not_see_it():
    default = active_backend()
    with backend("numpy"):
        assert in_threads(1, lambda _: active_backend()) == [default]
        context = contextvars.copy_context()  # handed on by hand
        assert in_threads(1, lambda _: context.run(active_backend)) == ["numpy"]
    assert active_backend() == default


def test_overlapping_exits_leave_each_thread_right():
    """A enters, B enters, A leaves, B leaves: as one variable, both ended where B began."""
    default = active_backend()
    entered, left = threading.Event(), threading.Event()

    def work(i):
        if i == 0:
            with backend("numpy"):
                assert entered.wait(60)
            after = active_backend()
            left.set()
            return after
        with backend("numpy"):
            entered.set()
            assert left.wait(60)
            inside = active_backend()
        return inside, active_backend()

    assert in_threads(2, work) == [default, ("numpy", default)]
    assert active_backend() == default


def test_an_error_leaves_the_block():
    default = active_backend()
    with pytest.raises(KeyError), backend("numpy"):
        raise KeyError
    assert active_backend() == default


def test_the_former_place_of_the_switch():
    code = ("from minillm.backend import backend; import minillm; "
            "from minillm.backend import TWINS; assert minillm.backend is backend")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
