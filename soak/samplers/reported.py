"""What does the target say of itself? The newest stats the worker wrote, if they are fresh.

A target that tells nothing has no columns; one that stopped telling is an error.
"""

import math
from collections.abc import Mapping

from soak.seams import SampleError, Sampler, Subject

STALE_S = 10.0
MAX_FIGURES = 64

# Names that mean the same for every target; any other is shown as reported_<name>, so that no
# target can put its own count in the place of what the tester counted.
KNOWN = frozenset(
    {
        "accounted_bytes",
        "used_heap_bytes",
        "tombstones",
        "tombstone_bytes",
        "health_ratio",
    }
)


class ReportedSampler:
    """Passes on what was written; the worker does the asking."""

    def __init__(self, subject: Subject) -> None:
        self._reported = subject.reported

    def sample(self) -> Mapping[str, float]:
        figures, age_s = self._reported()
        if figures and age_s > STALE_S:
            raise SampleError(f"the newest stats of the target are {age_s:.0f} s old")
        # Sorted, so that the same names stay when there are too many; the known ones come first.
        names = sorted(figures, key=lambda name: (name not in KNOWN, name))[:MAX_FIGURES]
        return {column(name): figures[name] for name in names if math.isfinite(figures[name])}


def column(name: str) -> str:
    """The series' column for a figure of the target's own."""
    return name if name in KNOWN else f"reported_{name}"


def build(subject: Subject) -> Sampler:
    """The sampler of the target's own figures."""
    return ReportedSampler(subject)
