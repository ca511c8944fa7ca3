"""Memory: keep what was freed, so that the next training step need not ask for it again.

A training step makes some dozens of arrays and drops them. By habit the C library gives large ones
back to the operating system at once. The next step asks for the same memory again, and the system
hands it out page by page, each filled with zeros when it is first touched. For a small network that
takes almost half of the step. The idea: one call tells the library to keep what is freed. A script
that trains makes it once, at its start:

    keep_freed_memory()         True if the C library takes the advice, as glibc does; else False

The price: memory that was needed once stays with the process until it ends.

By hand: 64 numbers for each of 2,048 rows, one hidden layer of a network, take 1 MiB in float64.
Pages mostly have 4 KiB, so without the call such a layer costs 256 pages in every step:

>>> import numpy
>>> numpy.zeros((2048, 64)).nbytes // 4096
256

See tests/numerics/test_memory.py (that no new pages are handed out).
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3                 # of glibc's malloc.h
LARGE = 2**31 - 1                                           # bytes, the largest int


def keep_freed_memory():
    """Ask the C library to keep freed memory; whether it does. Results do not change."""
    try:
        advise = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):            # no glibc: macOS, Windows, musl
        return False
    return bool(advise(M_TRIM_THRESHOLD, LARGE) and advise(M_MMAP_THRESHOLD, LARGE))
