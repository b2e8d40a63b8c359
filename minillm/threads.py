"""The one pool of threads: work is cut into fixed parts, and free threads take part after part.

Into how many parts work is cut depends on its shape alone, so results do not depend on the number
of threads, nor on which thread took which part. Whoever asks for work does parts of it too, and
waits only for parts that another thread has begun: any number of threads may ask at once, and
nobody waits for a thread that never comes. Nothing spins. A part that asks for work itself does
it alone. Parts run in a copy of the context of whoever asked (see :mod:`contextvars`), under the
same backend therefore. After a fork the child starts threads of its own.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count() -> int:
    """Number of threads that work at once: NUMBA_NUM_THREADS, or the cores of this process."""
    wanted = os.environ.get("NUMBA_NUM_THREADS")
    if wanted is None:
        return cores()
    if not wanted.isdecimal() or int(wanted) < 1:
        raise ValueError(f"NUMBA_NUM_THREADS={wanted!r}: expected a whole number of at least 1")
    return int(wanted)


def run(task: Callable[[int], Any], parts: int) -> list[Any]:
    """[task(0), …, task(parts - 1)], by the threads of the pool and the one that asks.

    The error of the first part that fails is raised here, once no thread works on others any more.
    """
    if parts == 1:
        return [task(0)]
    job = Job(task, parts)
    try:
        try:
            if not inside():
                _pool.ask(job, min(parts, _pool.size()) - 1)
            copy_context().run(job.work)
        finally:
            job.close()
        if job.error is not None:
            raise job.error
        return job.results
    finally:
        job.close()  # once more: Ctrl-C may have come just as the first began
        job.error = None  # its traceback leads to the job: they would keep each other in memory


def inside() -> bool:
    """Is this thread at work on a part?"""
    return getattr(_here, "inside", False)


def parts(most: int, numbers: int, enough: int) -> int:
    """Into how many parts to cut work on so many numbers, of which ``enough`` are worth a part.

    A part that asks for work itself does it in one piece.
    """
    return 1 if inside() else max(1, min(most, numbers // enough))


class Job:
    """The parts of one piece of work: those not yet begun, and the threads that are at it."""

    def __init__(self, task: Callable[[int], Any], parts: int) -> None:
        self.task = task
        self.results: list[Any] = [None] * parts
        self.waiting = deque(range(parts))
        self.error: BaseException | None = None
        self.failed = parts  # the part that it comes from
        self.lock, self.left = threading.Lock(), threading.Lock()
        self.left.acquire()  # the last of the helping threads to leave lets go of it
        self.helping, self.closed = 0, False

    def work(self) -> None:
        """Do parts until none is left to begin."""
        before, _here.inside = inside(), True
        part = -1
        try:
            while True:
                try:
                    part = self.waiting.popleft()
                except IndexError:
                    return
                self.results[part] = self.task(part)
        except BaseException as error:
            self.waiting.clear()
            with self.lock:  # parts before a failed one have begun: they end, and may fail too
                if part < self.failed:
                    self.error, self.failed = error, part
            if not isinstance(error, Exception):  # Ctrl-C: at once, in the thread it was meant for
                raise
        finally:
            _here.inside = before

    def help(self, context: Context) -> None:
        """Work beside the thread that asked, unless it has already finished."""
        with self.lock:
            if self.closed:
                return
            self.helping += 1
        try:
            context.run(self.work)
        finally:
            with self.lock:
                self.helping -= 1
                if self.closed and not self.helping:
                    self.left.release()

    def close(self) -> None:
        """Let no other thread begin, and wait for those that did: they write to our arrays.

        However often Ctrl-C comes meanwhile, it is raised once they have left.
        """
        interrupt: BaseException | None = None
        while True:
            try:
                with self.lock:
                    self.closed = True
                    if not self.helping:
                        break
                self.left.acquire()
            except BaseException as error:
                interrupt = error
                self.waiting.clear()
        try:
            if interrupt is not None:
                raise interrupt
        finally:
            del interrupt


class Pool:
    """Threads that wait for jobs; they start with the first job."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[tuple[Job, Context]] = SimpleQueue()
        self.lock = threading.Lock()
        self.threads: int | None = None

    def size(self) -> int:
        """Number of threads, that of the one who asks included."""
        if self.threads is None:
            with self.lock:
                if self.threads is None:
                    self.threads = 1 + sum(self.start() for _ in range(count() - 1))
        return self.threads

    def start(self) -> bool:
        """Start a thread; False where the system allows no more: then there are fewer."""
        try:
            threading.Thread(target=_serve, args=(self.jobs,), name="minillm", daemon=True).start()
        except RuntimeError:
            return False
        return True

    def ask(self, job: Job, helpers: int) -> None:
        for _ in range(helpers):
            self.jobs.put((job, copy_context()))


def _serve(jobs: SimpleQueue[tuple[Job, Context]]) -> None:
    while True:
        job, context = jobs.get()
        try:
            job.help(context)
        except BaseException as error:  # it is in job.error too; this thread lives on
            del error
        del job, context  # or they would keep their arrays until the next job comes


def _start_anew() -> None:
    """In a forked child only the thread that forked exists; locks may have been left closed."""
    global _pool, _here
    _pool, _here = Pool(), threading.local()


_pool, _here = Pool(), threading.local()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
