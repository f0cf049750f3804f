"""Why is the tester's memory flat? Because what it frees goes back to the system at once."""

import ctypes
import gc

# glibc's names (malloc.h). Left alone, it raises its mmap threshold to the largest block that was
# ever freed and then serves copies of columns from a heap that fragments: measured, 1.1 MB an hour
# of growth in a controller that held no more than before.
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
THRESHOLD_BYTES = 8 << 10  # a column of the series outgrows it in minutes, counts at once
ARENAS = 2
_LIBC = ctypes.CDLL(None)


def keep_flat() -> None:
    """Fix the allocator's thresholds for this process; does nothing where there is no glibc."""
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES)
        _LIBC.mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """Set aside what was made for the whole run, so that `sweep` need not look at it again."""
    gc.collect()
    gc.freeze()


def sweep() -> None:
    """Collect cycles now, every few seconds: left to itself Python waits until there are many.

    And give back the pages between small blocks: a check or a checkpoint leaves megabytes of them,
    the more the longer the run, up to the full length of the series.
    """
    gc.collect()
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
