"""The command line: train a tokenizer and a model on your own text, and let it write.

Exit codes: 0 done, 1 a problem with what was given (one line on stderr says which), 2 wrong use of
the command, 130 stopped by Ctrl-C. The commands import what they need when they run.
"""

from .commands import group, main

__all__ = ["group", "main"]
