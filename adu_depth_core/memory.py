"""Reuse of memory by large short-lived arrays."""

from __future__ import annotations

import ctypes
import platform

# Parameters of mallopt(3), from malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 << 20
_KEPT = 256 << 20


def keep_freed_memory() -> None:
    """Keep up to 256 MiB of freed memory for later allocations, for the rest of this process.

    The C library otherwise hands arrays of some megabytes back to the system when they are freed, and
    fetching the pages again, zeroed, can take as long as the work on them. Only glibc has this
    setting; under another C library this does nothing.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
