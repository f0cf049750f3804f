"""How fast is this machine right now? The same small piece of work, timed again and again.

It shares processor, caches, interpreter and neighbours with an embedded target, and at least the
machine with any other, but it never changes: what slows both down is not the target's doing.
"""

from statistics import median

import numpy as np

from soak.clock import NS_PER_S, monotonic_ns

ROWS, COLUMNS = 256, 64
WORDS = 200
# Between two tellings; what comes on top, while nobody listens, is dropped.
MOST_KEPT = 1_000


class Yardstick:
    """`measure` costs some 40 microseconds; `take` gives the median since it was last asked."""

    def __init__(self) -> None:
        self._matrix = np.linspace(-1.0, 1.0, ROWS * COLUMNS, dtype=np.float32)
        self._matrix = self._matrix.reshape(ROWS, COLUMNS)
        self._row = np.linspace(0.0, 1.0, COLUMNS, dtype=np.float32)
        self._words = [str(n * 7919 % WORDS) for n in range(WORDS)]
        self._took_ns: list[int] = []

    def measure(self) -> None:
        """Memory and arithmetic in arrays, then objects of the interpreter; no other threads."""
        before_ns = monotonic_ns()
        scores = (self._matrix * self._row).sum(axis=1)
        scores.argmax()
        sorted(self._words)
        took_ns = monotonic_ns() - before_ns
        if len(self._took_ns) < MOST_KEPT:
            self._took_ns.append(took_ns)

    def take(self) -> dict[str, float]:
        """control_s; nothing where nothing was measured since."""
        took_ns, self._took_ns = self._took_ns, []
        return {"control_s": median(took_ns) / NS_PER_S} if took_ns else {}
