"""Memories of pieces seen, each of which one call at a time may use."""

from collections.abc import Callable
from typing import Any


class Memories:
    """Lends what a kernel writes to, so that any number of threads may encode at once.

    A memory that two kernels fill together ends up with wrong ids in it. So a call takes one that
    nobody uses and gives it back when it is done; when all are in use, a new one is made. What a
    call that failed has half written is not given back. The one given back last is taken first:
    a single thread always has the same. make: a function that gives an empty memory.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.free: list[Any] = []

    def take(self) -> Any:
        """A memory for the caller alone."""
        try:
            return self.free.pop()  # pop and append happen as a whole, whatever other threads do
        except IndexError:
            return self.make()

    def give_back(self, memory: Any) -> None:
        """Let others use the memory again."""
        self.free.append(memory)

    def forget(self) -> None:
        """Throw away what is remembered; memories in use at this moment are kept."""
        self.free = []

    def __getstate__(self) -> dict[str, Any]:
        return {"make": self.make, "free": []}  # a copy begins with no memory


def power_of_two(least: int) -> int:
    """The smallest power of two that is at least `least` and 16."""
    return 1 << max(4, int(least - 1).bit_length())
