"""What does a caller hand in, and what does it get back?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory:
    """One thing an agent remembers. Equal only to itself, since arrays are not equal or unequal.

    id          0..2^64-1, chosen by the caller; storing an existing id replaces the record
    agent       0..2^32-1; searches by one agent never see another's records
    vector      shape (dimensions,), finite, not zero. Kept as a unit vector at half precision,
                so what `get` returns differs from what was stored by the length and about 5e-4
    importance  0..1; with age and access it decides who is evicted first
    pinned      never evicted and never expired
    created_s   seconds since 1970; None, or later than the engine's `now_s()`: now
    """

    id: int
    agent: int
    text: str
    vector: NDArray[np.float32]
    importance: float = 0.5
    pinned: bool = False
    tags: tuple[str, ...] = ()
    created_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One answer of a search; score is the cosine, -1..1, with the vector as stored."""

    id: int
    score: float
    agent: int
    text: str
    importance: float
    created_s: float
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A typed, weighted link from one record to another."""

    source: int
    target: int
    kind: str | int
    weight: float
