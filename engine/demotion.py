"""When does a record leave short-term, and when intermediate?

Short-term is left by the oldest when there are too many or too many bytes, and by what has not been
used for a while; intermediate by the oldest, which the younger overwrite. `force` moves the share
of a tier that is worth least.
"""

from collections.abc import Callable

import numpy as np

from engine import eviction, pressure
from engine.clock import Clock
from engine.errors import BadInputError
from engine.hold import Hold
from engine.importance import lowest
from engine.live import Live
from engine.options import Options
from engine.tiers import Tier

STEP_RECORDS = 32
_RING_WINDOW_BYTES = 16 << 10
# Given back at once, within microseconds.
_LIGHTENED_BYTES = 128 << 10


class Demotion:
    """Moves in steps of 32; compression happens outside the state lock."""

    def __init__(
        self,
        live: Live,
        options: Options,
        clock: Clock,
        pause: Callable[[], None],
        hold: Hold,
    ) -> None:
        self._live = live
        self._options = options
        self._clock = clock
        self._pause = pause
        self._hold = hold
        self._aged_at_s = clock.now_s()

    def by_policy(self, slack_ratio: float) -> int:
        """Bring the tiers within their limits; slack_ratio: by how much short-term may be over its
        count before anything is done. Returns how many records moved."""
        tiers, options = self._live.tiers, self._options
        moved = 0
        limit = options.short_term_records
        if tiers.short_count() > limit * (1 + slack_ratio) or self._is_short_heavy():
            while tiers.short_count() > limit or self._is_short_heavy():
                with self._hold:
                    oldest = tiers.oldest_short(STEP_RECORDS)
                moved += self._compress(oldest)
                self._pause()
        moved += self._aged()
        with self._hold:
            tiers.give_back()
            moved += self._live.drop_overwritten()
        while self._clean_ring():
            self._pause()
        return moved + self._within_memory()

    def _within_memory(self) -> int:
        """Where capacity_bytes is nearly reached, give tiers up before records are."""
        live, options = self._live, self._options
        limit = options.capacity_bytes
        if limit is None or pressure.needed_bytes(live) <= options.soft_ratio * limit:
            return 0
        before = self._in_ram()
        while lighten(live, int(options.target_ratio * limit)):
            self._pause()
        return max(before - self._in_ram(), 0)

    def _in_ram(self) -> int:
        """Records of which more than the row is kept."""
        columns = self._live.columns
        with self._hold:
            return int(np.count_nonzero(columns.tier[: columns.n] != Tier.LONG))

    def _clean_ring(self) -> bool:
        """Move what lives at the tail of the ring to its head, so that the room of what was
        deleted comes back; one window. False when the ring is dense enough."""
        columns, ring = self._live.columns, self._live.tiers.ring
        with self._hold:
            if not ring.is_sparse:
                return False
            is_kept = columns.tier[: columns.n] == Tier.INTERMEDIATE
            end = ring.oldest + _RING_WINDOW_BYTES
            is_near = is_kept & (columns.kept[: columns.n] < end)
            single = columns.single
            for row in np.flatnonzero(is_near).tolist():
                packed = ring.read(single.kept[row], single.kept_length[row])
                if packed is not None:
                    ring.bury(len(packed))
                    single.kept[row] = ring.add(packed)
            ring.drop_before(end)
        return True

    def _is_short_heavy(self) -> bool:
        """Too many bytes, or too many holes between them."""
        tiers = self._live.tiers
        return tiers.needed_short_bytes > self._options.short_term_bytes or (
            tiers.is_short_sparse and tiers.short_count() > 0
        )

    def _aged(self) -> int:
        """Compress what has not been used for short_term_s; looked at four times in that time."""
        now_s = self._clock.now_s()
        if now_s < self._aged_at_s + self._options.short_term_s / 4:
            return 0
        self._aged_at_s = now_s
        cutoff_s = now_s - self._options.short_term_s
        moved = 0
        while True:
            with self._hold:
                ids = self._live.tiers.oldest_short(STEP_RECORDS)
                aged = [i for i in ids if self._live.last_access_s(i) < cutoff_s]
            moved += self._compress(aged)
            if len(aged) < STEP_RECORDS:
                return moved
            self._pause()

    def force(self, tier: Tier, share: float) -> int:
        """Move the share worth least to the next tier. Raises BadInputError for long-term."""
        if tier is Tier.LONG:
            raise BadInputError("long-term is the last tier; there is nothing to move to")
        if not 0.0 <= share <= 1.0:
            raise BadInputError(f"share {share}; it must be 0..1")
        columns = self._live.columns
        with self._hold:
            rows = np.flatnonzero(columns.tier[: columns.n] == tier)
            ids = columns.id[rows]
            scores = eviction.scores_of(
                columns, rows, self._clock.now_s(), self._options.half_life_s
            )
        chosen = ids[lowest(scores, round(share * len(ids)))].tolist()
        move = self._compress if tier is Tier.SHORT else self._forget
        moved = 0
        for first in range(0, len(chosen), STEP_RECORDS):
            moved += move(chosen[first : first + STEP_RECORDS])
            self._pause()
        return moved

    def all_to_long(self) -> int:
        """In an emergency: keep nothing in RAM but the rows."""
        return self.force(Tier.SHORT, 1.0) + self.force(Tier.INTERMEDIATE, 1.0)

    def _compress(self, ids: list[int]) -> int:
        tiers = self._live.tiers
        with self._hold:
            bodies = [(i, tiers.place(i), tiers.body(i)) for i in ids]
        packed = [(i, at, tiers.compressed(body)) for i, at, body in bodies if body is not None]
        with self._hold:
            for record_id, place, small in packed:
                # Replaced or deleted meanwhile: leave it.
                if tiers.place(record_id) == place:
                    self._live.keep_compressed(record_id, small)
            tiers.give_back()
        return len(packed)

    def _forget(self, ids: list[int]) -> int:
        with self._hold:
            for record_id in ids:
                self._live.keep_nothing(record_id)
        return len(ids)


def lighten(live: Live, limit_bytes: int) -> int:
    """One step towards needing no more RAM than that: what is oldest in intermediate, then in
    short-term, becomes long-term. Returns the bytes won; 0 at the limit, or with nothing left."""
    tiers, ring = live.tiers, live.tiers.ring
    with live.lock:
        before = pressure.needed_bytes(live)
        excess = before - limit_bytes
        if excess <= 0:
            return 0
        held = ring.touched_bytes
        ring.drop_before(ring.oldest + min(max(excess, _RING_WINDOW_BYTES), _LIGHTENED_BYTES))
        live.drop_overwritten()
        if ring.touched_bytes == held:
            for record_id in tiers.oldest_short(STEP_RECORDS):
                live.keep_nothing(record_id)
            tiers.give_back()
        return before - pressure.needed_bytes(live)
