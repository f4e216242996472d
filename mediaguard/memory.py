"""Keeping memory flat while large frames come and go."""

import ctypes
import functools
import sys

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1  # malloc.h of glibc
_LARGE = 1 << 20


@functools.cache
def give_large_blocks_back() -> None:
    """Let the C library return every large block to the system as soon as it is free.

    By itself glibc learns from large blocks that are freed to keep such blocks, in a heap of each
    thread; frames of 4K in several threads then take twice the memory that is in use, and more
    the longer a clip is. Elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # another C library
    mallopt(_M_MMAP_THRESHOLD, _LARGE)
    mallopt(_M_TRIM_THRESHOLD, _LARGE)
    mallopt(_M_ARENA_MAX, 2)
