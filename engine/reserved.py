"""How can an array grow without copies, and give its tail back to the system at once?

Address space for the largest size is reserved up front (MAP_NORESERVE costs nothing until a page
is touched); the array never moves. Measured: 768 MB reserved hold 0.0 MB, and MADV_DONTNEED on
the tail brings private memory back to the byte. A growing numpy array would copy and, for a
moment, hold both.
"""

import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Python 3.11's mmap does not name it; the value is the same on every Linux architecture we run on.
_MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)
_RELEASE_STEP_BYTES = 1 << 20


class Reserved:
    """One column: `rows` reserved rows of `width` items each (width 0: a plain vector)."""

    def __init__(self, rows: int, width: int, dtype: DTypeLike) -> None:
        self.row_bytes = np.dtype(dtype).itemsize * max(width, 1)
        size = max(rows * self.row_bytes, mmap.PAGESIZE)
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
        self._mapping = mmap.mmap(-1, size, flags=flags)
        # Huge pages would make the bytes held differ from the bytes touched.
        self._mapping.madvise(mmap.MADV_NOHUGEPAGE)
        flat = np.frombuffer(self._mapping, dtype=dtype, count=rows * max(width, 1))
        self.array: NDArray[np.generic] = flat.reshape(rows, width) if width else flat

    def items(self) -> "memoryview[Any]":
        """The rows of a plain column for single access: a third of the cost of numpy's."""
        return memoryview(self.array.view())  # type: ignore[arg-type]

    def touched_bytes(self, rows: int) -> int:
        """What the first `rows` rows hold once written: whole pages."""
        return -(-rows * self.row_bytes // mmap.PAGESIZE) * mmap.PAGESIZE

    def release(self, first_row: int, end_row: int) -> None:
        """Give rows [first, end) back; they read as zero afterwards. In steps of 1 MB."""
        start = self.touched_bytes(first_row)
        end = min(self.touched_bytes(end_row), len(self._mapping))
        while start < end:
            step = min(_RELEASE_STEP_BYTES, end - start)
            self._mapping.madvise(mmap.MADV_DONTNEED, start, step)
            start += step
