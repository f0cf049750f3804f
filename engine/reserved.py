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
    """One column: `rows` reserved rows of `width` items each (width 0: a plain vector).

    is_by_item: the first items of all rows lie together, then all the second ones, and so on; the
    array is of shape (rows, width) all the same.
    """

    def __init__(
        self, rows: int, width: int, dtype: DTypeLike, *, is_by_item: bool = False
    ) -> None:
        self.row_bytes = np.dtype(dtype).itemsize * max(width, 1)
        self._lanes = width if is_by_item else 1
        self._lane_bytes = max(self._whole_pages(rows), mmap.PAGESIZE)
        size = self._lanes * self._lane_bytes
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
        self._mapping = mmap.mmap(-1, size, flags=flags)
        # Huge pages would make the bytes held differ from the bytes touched.
        self._mapping.madvise(mmap.MADV_NOHUGEPAGE)
        flat = np.frombuffer(self._mapping, dtype=dtype)
        if is_by_item:
            self.array: NDArray[np.generic] = flat.reshape(width, -1)[:, :rows].T
        else:
            self.array = flat[: rows * max(width, 1)].reshape((rows, width) if width else rows)

    def items(self) -> "memoryview[Any]":
        """The rows of a plain column for single access: a third of the cost of numpy's."""
        return memoryview(self.array.view())  # type: ignore[arg-type]

    def touched_bytes(self, rows: int) -> int:
        """What the first `rows` rows hold once written: whole pages."""
        return self._lanes * self._whole_pages(rows)

    def _whole_pages(self, rows: int) -> int:
        """Bytes of a lane that its first `rows` rows lie in."""
        lane_row_bytes = self.row_bytes // self._lanes
        return -(-rows * lane_row_bytes // mmap.PAGESIZE) * mmap.PAGESIZE

    def release(self, first_row: int, end_row: int) -> None:
        """Give rows [first, end) back; they read as zero afterwards. In steps of 1 MB."""
        for lane in range(self._lanes):
            start = self._whole_pages(first_row)
            end = min(self._whole_pages(end_row), self._lane_bytes)
            while start < end:
                step = min(_RELEASE_STEP_BYTES, end - start)
                at = lane * self._lane_bytes + start
                self._mapping.madvise(mmap.MADV_DONTNEED, at, step)
                start += step
