"""Ctrl-C at every place of some functions, one after another."""

from __future__ import annotations

import dis
import sys
from itertools import pairwise


def interrupted_everywhere(action, code, check):
    """Call ``action`` again and again, each time interrupted at a later place in ``code``.

    Python looks for signals when a function begins, after a call and when a loop goes back.
    ``check(error)`` looks at what an interrupt has left. Returns how many there were; the last call
    of ``action`` comes to its end.
    """
    before, where = sys.gettrace(), {each: places(each) for each in code}
    for place in range(100_000):
        left = place

        def trace(frame, event, argument):
            nonlocal left
            if frame.f_code not in where:
                return None
            frame.f_trace_opcodes = True
            if event == "opcode" and frame.f_lasti in where[frame.f_code]:
                left -= 1
                if left == -1:
                    raise KeyboardInterrupt
            return trace

        caught = None
        sys.settrace(trace)
        try:
            action()
        except BaseException as error:
            caught = error
        finally:
            sys.settrace(before)
        if left >= 0:
            if caught is not None:
                raise caught
            return place
        check(caught)
    raise AssertionError("it never comes to its end")


def places(code):
    """Offsets of the instructions before which Python may raise KeyboardInterrupt."""
    instructions, protected = list(dis.get_instructions(code)), dis.Bytecode(code).exception_entries

    def handlers(offset):
        return [each.target for each in protected if each.start <= offset < each.end]

    found = {instructions[0].offset, instructions[1].offset}
    for instruction, following in pairwise(instructions):
        # What comes after a call is raised where the call stands. Here it is raised at the next
        # instruction, which must not lie outside of the try that the call is in.
        if instruction.opname.startswith(("CALL", "RESUME")) \
                and handlers(instruction.offset) == handlers(following.offset):
            found.add(following.offset)
        if instruction.opname.startswith(("JUMP_BACKWARD", "JUMP_ABSOLUTE")):
            found.add(instruction.offset)
    return found
