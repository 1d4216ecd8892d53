# SPDX-License-Identifier: Apache-2.0
"""How the C library handles the memory of this process: what it keeps, and what it gives back to the system."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
"""Numbers of parameters in glibc's malloc.h."""

LARGEST, KEPT = 32 << 20, 64 << 20
"""Bytes of the largest block that `keep_buffers` keeps, and of what may stay free at the end of a heap."""


def keep_memory() -> bool:
    """Keep freed memory in this process and in those that it forks, for the large tensors of a training.

    Returns whether it is so: it is with glibc only. The process then stays as large as it was at its largest.

    glibc gives every large block back to the kernel when it is freed, and the kernel clears each page when it is asked
    for again. Forward and backward through three convolutions of 16 channels, 8 × 320 × 384 pixels, on one thread: 0.45
    s and 0.75 s in the kernel, for 400,000 page faults; 0.52 s and nothing with `keep_memory`.
    """
    library = _glibc()
    # No block is mapped by itself, and the heap's end is never given back; 1 is success.
    return library is not None and library.mallopt(M_MMAP_MAX, 0) == 1 and library.mallopt(M_TRIM_THRESHOLD, -1) == 1


def keep_buffers() -> bool:
    """Keep what images and sweeps were in, a few MB each, for the next ones, in a process that runs for long.

    Returns whether it is so: it is with glibc only. Without it, whether a block is kept depends on what was freed
    before. To receive an image and a sweep of 3.3 MB took 13 ms of a core, and takes 3.3 ms (AMD EPYC, in a virtual
    machine, where a page that is cleared is dear). `keep_memory` keeps more than a process that compiles networks has
    use for.
    """
    library = _glibc()
    return (
        library is not None
        and library.mallopt(M_MMAP_THRESHOLD, LARGEST) == 1
        and library.mallopt(M_TRIM_THRESHOLD, KEPT) == 1
    )


def give_back() -> None:
    """Give what is free to the system, with glibc; some milliseconds. A compiler of networks leaves 20 MB behind."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    # Other C libraries have no gnu_get_libc_version; musl has no mallopt either.
    return library if hasattr(library, "gnu_get_libc_version") and hasattr(library, "mallopt") else None
