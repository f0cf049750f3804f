"""What was kept last, in room of a bounded size and without an object per record?

Compressed payloads follow each other in one reserved array; when it is full the oldest are
overwritten, which is how records leave the intermediate tier. A position counts all bytes ever
added, so a look at it tells whether its bytes are still there. Pages behind the tail are given
back. As single objects, payloads left half of their memory behind when half of them were deleted.
"""

import mmap

import numpy as np

from engine.reserved import Reserved

_SPARSE_SLACK_BYTES = 256 << 10


class Ring:
    """At most `size` bytes, in whole pages; positions start at 0 and only grow. live_bytes: of what
    was added, what nobody has buried yet."""

    def __init__(self, size: int) -> None:
        self.size = size // mmap.PAGESIZE * mmap.PAGESIZE
        self._room = Reserved(max(self.size, 1), 0, np.uint8)
        self._bytes = self._room.items()
        self._head = 0
        self._tail = 0
        self.live_bytes = 0

    def add(self, content: bytes) -> int:
        """The position of the content; at most `size` bytes long."""
        start = self._head % self.size
        if start + len(content) > self.size:
            self._head += self.size - start
            start = 0
        self._bytes[start : start + len(content)] = content
        position = self._head
        self._head += len(content)
        self.live_bytes += len(content)
        return position

    def bury(self, length: int) -> None:
        """So many bytes are needed no more, wherever they lie."""
        self.live_bytes -= length

    @property
    def oldest(self) -> int:
        """Content at earlier positions is gone, or may be overwritten at any time."""
        return max(self._head - self.size, self._tail)

    def read(self, position: int, length: int) -> bytes | None:
        """None when it has been overwritten."""
        if position < self.oldest:
            return None
        start = position % self.size
        return bytes(self._bytes[start : start + length])

    @property
    def end(self) -> int:
        """Where the next content goes."""
        return self._head

    @property
    def is_sparse(self) -> bool:
        """Whether less than half of the memory held is wanted."""
        return self.touched_bytes > 2 * self.live_bytes + _SPARSE_SLACK_BYTES

    def drop_before(self, position: int) -> None:
        """Nothing before this position is needed any more: give its whole pages back."""
        # Rounded up: in a full ring the page of the oldest is also the page of the youngest.
        first = -(-self.oldest // mmap.PAGESIZE) * mmap.PAGESIZE
        end = min(position, self._head) // mmap.PAGESIZE * mmap.PAGESIZE
        while first < end:
            start = first % self.size
            length = min(end - first, self.size - start)
            self._room.release(start, start + length)
            first += length
        self._tail = max(self._tail, end)

    @property
    def touched_bytes(self) -> int:
        """Private memory it holds: whole pages."""
        return self._room.touched_bytes(min(self._head - self._tail, self.size))
