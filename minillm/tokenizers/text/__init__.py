"""Text as arrays of bytes, what every family stands on. Read ``segments.py`` and ``utf8.py`` first.

The kernels here keep pieces, memories, tries and suffixes for those of the families.
"""
