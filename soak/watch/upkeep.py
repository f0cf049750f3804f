"""What maintenance shows from outside? A ledger of records; falls of memory and of disk space.

Ledger: the tester knows what it stored and deleted, the target says what lives; what is missing in
between the target removed by itself. Removal above what usually goes on is an eviction. What goes
on for more than half of USUAL_S is the new usual: a full store that forgets as much as it is given
is told once, when it begins to.

Fall: memory stays below the highest of the last minute and a half by more than 1.5 % and six times
its noise, and more than the tester's own deletions explain. A fall during an eviction is that
eviction's effect, any other is a compaction. Memory that an allocator keeps does not show; where
the target counts its own bytes these are watched instead.

Memory is bounded: a few hundred figures per watched column, whatever the run's length.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

PRIVATE = "anonymous_bytes"
MEMORY = ("used_heap_bytes", "accounted_bytes", PRIVATE)
USUAL_S = 150
# Before that what goes on may be the usual: a store can be full from its first second on.
LEARNING_S = 10
NOISE_S = 300
QUIET_S = 3.0
# Of what lives: an eviction smaller than that is not told apart from counting at two moments.
LEAST_RATIO = 0.002
LEAST_RECORDS = 5.0
TOUCHING_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One event. records: gone by themselves; bytes_reclaimed: by how much memory or disk fell."""

    kind: str
    start_s: float
    end_s: float
    records: float = 0.0
    bytes_reclaimed: float = 0.0


class Ledger:
    """Evictions, out of what was stored, deleted, and still lives."""

    def __init__(self) -> None:
        self._gone = math.nan
        self._usual: deque[float] = deque(maxlen=USUAL_S)
        self._start_s = math.nan
        self._last_s = math.nan
        self._size = 0.0
        self._least = math.inf

    @property
    def is_evicting(self) -> bool:
        """Whether something goes on that is large enough already to be told."""
        return not math.isnan(self._start_s) and self._size >= self._least

    def take(self, t_s: float, row: Mapping[str, float]) -> Seen | None:
        """One second; the eviction that ended QUIET_S ago, if one did."""
        live = row.get("live_records", math.nan)
        gone = row.get("stored_total", math.nan) - row.get("deleted_total", 0.0) - live
        change, self._gone = gone - self._gone, gone
        if math.isnan(change):
            return None
        self._least = max(LEAST_RECORDS, LEAST_RATIO * live)
        is_learning = len(self._usual) < LEARNING_S
        usual, most = _ordinary(self._usual)
        # Also of evictions: what never ends would else never become the usual.
        self._usual.append(max(0.0, change))
        if change > most and not is_learning:
            self._start_s = t_s if math.isnan(self._start_s) else self._start_s
            self._last_s = t_s
            self._size += change - usual
            return None
        if math.isnan(self._start_s):
            return None
        # What was counted a moment too early is taken back.
        self._size += min(0.0, change)
        return self._ended(t_s)

    def _ended(self, t_s: float) -> Seen | None:
        if t_s - self._last_s < QUIET_S:
            return None
        found = Seen(kind="eviction", start_s=self._start_s, end_s=self._last_s, records=self._size)
        self._start_s, self._size = math.nan, 0.0
        return found if found.records >= self._least else None


def _ordinary(changes: Iterable[float]) -> tuple[float, float]:
    """What usually goes in a second, and the most that is no eviction: twice that, and six times
    what it varies by, which is no less than it would if each record went on its own (Poisson)."""
    seen = np.fromiter(changes, float)
    usual = float(np.median(seen)) if seen.size else 0.0
    noise = 1.48 * float(np.median(np.abs(seen - usual))) if seen.size else 0.0
    return usual, max(LEAST_RECORDS / 2, 2 * usual, usual + 6 * max(noise, math.sqrt(usual)))


class Fall:
    """Falls of one column. width_s: of the median that spikes do not pass; ratio: least depth."""

    def __init__(self, ratio: float, width_s: int = 5, reach_s: int = 90) -> None:
        self._ratio = ratio
        self._lag_s = width_s // 2  # of a median behind what it is of
        self._raw: deque[float] = deque(maxlen=width_s)
        self._noise: deque[float] = deque(maxlen=NOISE_S)
        self._smooth: deque[tuple[float, float, float]] = deque(maxlen=reach_s)
        self._top = (math.nan, math.nan)  # when the fall began, and from where
        self._lowest = (math.nan, math.nan)

    def take(
        self, t_s: float, value: float, deleted: float = 0.0, record_bytes: float = 0.0
    ) -> Seen | None:
        """One second; the fall that ended, if one did.

        deleted: records that the tester has deleted so far, less what it stored in their place;
        record_bytes: what one takes up now.
        """
        if math.isnan(value):
            return None
        if self._raw:
            self._noise.append(abs(value - self._raw[-1]))
        self._raw.append(value)
        level = float(np.median(self._raw))
        self._smooth.append((t_s, level, deleted))
        if not math.isnan(self._top[0]):
            return self._going_on(t_s, level)
        _, highest, deleted_before = max(self._smooth, key=lambda one: one[1])
        noise = 1.48 * float(np.median(self._noise)) if self._noise else 0.0
        # Of what was deleted since alone: all deletions ever, times a size that wobbles, are noise.
        explained = 1.5 * max(0.0, deleted - deleted_before) * record_bytes
        if highest - level - explained > max(self._ratio * highest, 6 * noise):
            self._top, self._lowest = (self._began_s(highest, level), highest), (t_s, level)
        return None

    def _began_s(self, highest: float, level: float) -> float:
        """When it was last less than a quarter of the way down: a highest second of noise, which
        may be long before, says nothing of when."""
        high = highest - 0.25 * (highest - level)
        return max(t_s for t_s, seen, _ in self._smooth if seen >= high) - self._lag_s

    def _going_on(self, t_s: float, level: float) -> Seen | None:
        if level < self._lowest[1] - 0.1 * self._ratio * self._top[1]:
            self._lowest = t_s, level
        if t_s - self._lowest[0] < QUIET_S:
            return None
        found = Seen(
            kind="compaction",
            start_s=self._top[0],
            end_s=self._lowest[0] - self._lag_s,
            bytes_reclaimed=self._top[1] - min(self._lowest[1], level),
        )
        self._top = math.nan, math.nan
        self._smooth.clear()
        return found


class Upkeep:
    """Everything that is watched, second by second."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._memory = Fall(0.015)
        self._disk = Fall(0.02, width_s=3)
        self._column = ""
        self._busy_until_s = -math.inf

    def take(self, row: Mapping[str, float]) -> list[Seen]:
        """The events that this sample ends; row needs t_s, everything else may be missing."""
        t_s = row["t_s"]
        evicted = self._ledger.take(t_s, row)
        if self._ledger.is_evicting or evicted:
            self._busy_until_s = t_s + TOUCHING_S
        # Decided at the first sample that has any: a change of column would look like a fall.
        self._column = self._column or next((n for n in MEMORY if n in row), "")
        held = row.get(self._column, math.nan)
        record_bytes = held / max(1.0, row.get("live_records", math.nan))
        deleted = row.get("deleted_total", 0.0)
        if self._column != PRIVATE:
            # Only where bytes are counted does a store take up what a deletion freed: an allocator
            # gives back the room of deletions whatever was stored elsewhere.
            deleted -= row.get("stored_total", 0.0)
        falls = [
            self._memory.take(t_s, held, deleted, record_bytes),
            self._disk.take(t_s, row.get("disk_bytes", math.nan)),
        ]
        found = [evicted] if evicted else []
        compactions = [fall for fall in falls if fall and fall.start_s > self._busy_until_s]
        if compactions:
            self._busy_until_s = t_s + TOUCHING_S
            found.append(max(compactions, key=lambda fall: fall.bytes_reclaimed))
        return found
