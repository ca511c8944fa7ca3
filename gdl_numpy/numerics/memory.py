"""Memory: keep what was freed, so that the next training step need not ask for it again.

Why: every training step makes some dozens of arrays and drops them. By habit the C library gives
large ones back to the system at once, and the system hands each page out anew, filled with zeros,
when it is first touched: for a small network that takes almost half of the step. Idea: one call
tells the library to keep what is freed. A script that trains makes it once, at its start.

    keep_freed_memory()        True if the C library takes the advice, as glibc does; else False

What it costs: memory that was needed once stays with the process until it ends.
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3                 # of glibc's malloc.h
LARGE = 2**31 - 1                                           # bytes, the largest int


def keep_freed_memory():
    """Ask the C library to keep freed memory; says whether it does. Results do not change."""
    try:
        advise = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):            # no glibc: macOS, Windows, musl
        return False
    return bool(advise(M_TRIM_THRESHOLD, LARGE) and advise(M_MMAP_THRESHOLD, LARGE))
