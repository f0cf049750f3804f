"""How true is what comes back? Vectors and texts of gets, against what had been stored.

Errors of the latest OBSERVATIONS vectors; texts are all counted. Client threads add without a lock:
one call on a bounded deque, and counts like the population's own.
"""

from collections import deque

import numpy as np

from soak.seams import Vector

OBSERVATIONS = 1024
FLOAT_BYTES = 4


class Fidelity:
    """What the judge of gets saw. A target that answers without vectors has no vector errors."""

    def __init__(self) -> None:
        self._vectors: deque[tuple[float, float]] = deque(maxlen=OBSERVATIONS)
        self._raw_bytes: deque[int] = deque(maxlen=OBSERVATIONS)
        self._text_count = 0
        self._text_different_count = 0

    def compare_text(self, stored: str, text: object) -> bool:
        """Whether it came back to the letter."""
        is_equal = text == stored
        self._text_count += 1
        self._text_different_count += not is_equal
        return is_equal

    def compare_vector(self, stored: Vector, vector: Vector, text: str) -> float:
        """Their cosine, -1 for a vector without length; of the same shape, stored of length 1.

        text: what was stored beside it, for what both take at full precision.
        """
        right, given = stored.astype(np.float64), vector.astype(np.float64)
        lengths = float(np.linalg.norm(right) * np.linalg.norm(given))
        cosine = float(right @ given) / lengths if lengths > 0 else -1.0
        error = float(np.linalg.norm(given - right) / np.linalg.norm(right))
        self._vectors.append((error, max(1.0 - cosine, 0.0)))
        self._raw_bytes.append(FLOAT_BYTES * right.size + len(text.encode()))
        return cosine

    def figures(self) -> dict[str, float]:
        """vector_error: length of the difference as a share of the stored vector's length.
        cosine_error: 1 - cosine. full_bytes: vector as float32 and text as UTF-8, mean of a record.
        nan where nothing was compared.
        """
        seen = np.array(self._vectors.copy(), dtype=np.float64).reshape(-1, 2)
        raw = np.array(self._raw_bytes.copy(), dtype=np.float64)
        found = {"vectors": float(len(seen)), "texts": float(self._text_count)}
        for place, name in enumerate(("vector_error", "cosine_error")):
            errors = seen[:, place]
            found[f"{name}_mean"] = float(errors.mean()) if len(seen) else float("nan")
            found[f"{name}_max"] = float(errors.max()) if len(seen) else float("nan")
        equal_count = self._text_count - self._text_different_count
        found["text_equal_ratio"] = (
            equal_count / self._text_count if self._text_count else float("nan")
        )
        found["full_bytes"] = float(raw.mean()) if raw.size else float("nan")
        return found
