"""Did the target forget the right records? Importances of the missing against the present."""

from collections import deque

import numpy as np

OBSERVATIONS = 512
READS = 2048
# The survival curve: a share for each class of importance, known from so many reads on.
CLASSES = tuple(f"survival_{i / 5:.1f}_to_{(i + 1) / 5:.1f}_ratio" for i in range(5))
MIN_READS = 20
# Told anew when so much of it is new: every second it would be a tenth of worker.jsonl.
RENEWED = 0.25


class EvictionLedger:
    """The latest 512 observations of each kind, made by reads of keys that may be forgotten, and
    the latest 2,048 of those reads.

    Appending is one call on a bounded deque, so client threads need no lock.
    """

    def __init__(self) -> None:
        self._missing: deque[float] = deque(maxlen=OBSERVATIONS)
        self._present: deque[float] = deque(maxlen=OBSERVATIONS)
        self._reads: deque[tuple[float, bool]] = deque(maxlen=READS)
        self._fresh_count = 0  # a count lost between two clients only delays the next curve
        self._survival: dict[str, float] = {}

    def missed(self, importance: float) -> None:
        self._missing.append(importance)

    def found(self, importance: float) -> None:
        self._present.append(importance)

    def read(self, importance: float, *, was_found: bool) -> None:
        """One read of a record that may be forgotten; also one more of what is known to be gone."""
        self._reads.append((importance, was_found))
        self._fresh_count += 1

    def survival(self) -> dict[str, float]:
        """Share of the reads that found their record, by importance; no class with few.

        Flat where importance is no matter, rising where it protects. Reads follow popularity, so
        this speaks of the records that are asked for, among the keys that are followed.
        """
        if self._fresh_count < max(1, RENEWED * len(self._reads)):
            return self._survival
        self._fresh_count = 0
        reads = np.array(self._reads.copy(), dtype=np.float64).reshape(-1, 2)
        belongs = np.minimum(reads[:, 0] * len(CLASSES), len(CLASSES) - 1).astype(np.int64)
        counts = np.bincount(belongs, minlength=len(CLASSES))
        found = np.bincount(belongs, weights=reads[:, 1], minlength=len(CLASSES))
        self._survival = {
            name: round(float(there / count), 4)
            for name, there, count in zip(CLASSES, found, counts, strict=True)
            if count >= MIN_READS
        }
        return self._survival

    def quality(self) -> dict[str, float]:
        """inversion_ratio: share of pairs (missing, present) where the missing one mattered more.

        0: the least important went first; about 0.5: chance; 1: upside down. Equal importances
        count half (the Mann-Whitney statistic, 1947). nan until there is one of each kind. Reads
        follow popularity, so this speaks of the records that are asked for.
        """
        missing = np.array(self._missing.copy(), dtype=np.float64)
        present = np.sort(np.array(self._present.copy(), dtype=np.float64))
        quality = {
            "inversion_ratio": float("nan"),
            "missing_mean_importance": float(missing.mean()) if missing.size else float("nan"),
            "present_mean_importance": float(present.mean()) if present.size else float("nan"),
            "missing": float(missing.size),
            "present": float(present.size),
        }
        if missing.size and present.size:
            below = np.searchsorted(present, missing, side="left")
            up_to = np.searchsorted(present, missing, side="right")
            pairs = missing.size * present.size
            quality["inversion_ratio"] = float((below + up_to).sum() / 2 / pairs)
        return quality
