"""Did the target forget the right records? Importances of the missing against the present."""

from collections import deque

import numpy as np

OBSERVATIONS = 512


class EvictionLedger:
    """The latest 512 observations of each kind, made by reads of keys that may be forgotten.

    Appending is one call on a bounded deque, so client threads need no lock.
    """

    def __init__(self) -> None:
        self._missing: deque[float] = deque(maxlen=OBSERVATIONS)
        self._present: deque[float] = deque(maxlen=OBSERVATIONS)

    def missed(self, importance: float) -> None:
        self._missing.append(importance)

    def found(self, importance: float) -> None:
        self._present.append(importance)

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
