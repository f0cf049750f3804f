"""How does a change get into the engine? Admitted, appended, made durable, then visible.

All writes go through here, the engine's own (eviction, expiry) included.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import TypeVar

import msgspec
import numpy as np

from engine import eviction
from engine.admission import STEP_RECORDS, Admission
from engine.clock import Clock
from engine.commit import Change, Commit
from engine.demotion import lighten
from engine.disk import is_full
from engine.errors import CapacityError, DiskFullError, DurabilityError, NotFoundError
from engine.eviction import Victims
from engine.frame import OVERHEAD_BYTES, Draft, Kind, Reason
from engine.graph import EdgeKey
from engine.live import Live
from engine.log import Log, Places
from engine.options import Options
from engine.quantise import Rows

# Deletes that share one write and one sync; they become visible in steps of STEP_RECORDS.
GROUP_RECORDS = 1_024
# Of one append: where it lies in its segment is counted in 32 bits.
APPEND_BYTES_MAX = 1 << 30
# Other writers may fill what was won, but not for ever.
_FRUITLESS_MAX = 4
T = TypeVar("T")


class Writer:
    """Writes of one engine; thread-safe. Methods return when the write is acknowledged.

    All raise DurabilityError after a failed sync, and CapacityError when the disk is full.
    """

    def __init__(
        self, log: Log, live: Live, commit: Commit, options: Options, clock: Clock
    ) -> None:
        self._log = log
        self._live = live
        self._commit = commit
        self._options = options
        self._clock = clock
        self._rng = np.random.default_rng(0)
        self._admission = Admission(log, live, options)
        self.inline_eviction_count = 0
        # What to do about a full disk, given how many bytes are wanted; maintenance puts itself
        # here.
        self.relieve: Callable[[int], bool] = lambda needed_bytes: False

    def put(self, drafts: Sequence[Draft], rows: Rows) -> None:
        """Records of distinct ids, all or (on an error) none acknowledged, up to 1 GiB at once.

        Raises CapacityError, and nothing was evicted, when they would not fit for all eviction.
        """
        if len(drafts) > 1 and _size_of(drafts) > APPEND_BYTES_MAX:
            half = len(drafts) // 2
            for part in (slice(half), slice(half, None)):
                levels, scales, sketches = rows
                self.put(drafts[part], Rows(levels[part], scales[part], sketches[part]))
            return
        fruitless = 0
        while (shortage := self.with_room(lambda: self._try_put(drafts, rows))) > 0:
            self._admission.check_possible(drafts)
            self.inline_eviction_count += 1
            if self._evict_beside(drafts, shortage):
                fruitless = 0
                continue
            # What fills it may be under way, and can be evicted when it is there.
            self._commit.flush()
            fruitless += 1
            if fruitless > _FRUITLESS_MAX:
                raise CapacityError(
                    f"{self._live.columns.n} records, and what is not pinned is not enough;"
                    " delete or unpin some"
                )
        if self._options.agent_records is not None:
            self.evict_agents({draft.agent for draft in drafts}, self._options.agent_records)

    def _try_put(self, drafts: Sequence[Draft], rows: Rows) -> int:
        """0 when they were stored, else how many records are to go before they fit."""
        self._lighten(drafts)
        with self._log.lock:
            shortage = self._admission.shortage(drafts)
            if shortage > 0:
                return shortage
            last = self._append_puts(drafts, rows)
        self._commit.wait(last)
        return 0

    def _lighten(self, drafts: Sequence[Draft]) -> None:
        """Writers may outrun demotion, but not beyond capacity_bytes: these will be short-term."""
        limit = self._options.capacity_bytes
        if limit is None:
            return
        limit -= _size_of(drafts)
        while lighten(self._live, limit):
            pass

    def _evict_beside(self, drafts: Sequence[Draft], count: int) -> int:
        """Evict so many that are not to be replaced by these; returns how many were chosen."""
        now_s, half_life_s = self._clock.now_s(), self._options.half_life_s
        known = sum(draft.id in self._live.rows for draft in drafts)
        ids, lsns = eviction.victims(self._live, count + known, now_s, half_life_s, self._rng)
        own = np.array([draft.id for draft in drafts], dtype=np.uint64)
        chosen = np.flatnonzero(~np.isin(ids, own))[:count]
        self.forget(Victims(ids[chosen], lsns[chosen]), Reason.EVICTED)
        return len(chosen)

    def with_room(self, write: Callable[[], T]) -> T:
        """Do the write, and when the disk is full, once more after an emergency."""
        try:
            return write()
        except DiskFullError as error:
            self._make_room(str(error), error.needed_bytes)
        return write()

    def _make_room(self, reason: str, needed_bytes: int) -> None:
        """Run an emergency. Raises CapacityError when nothing came of it."""
        try:
            is_relieved = self.relieve(needed_bytes)
        except (OSError, CapacityError, DurabilityError) as error:
            raise CapacityError(f"{reason}; and no room could be made: {error}") from error
        if not is_relieved:
            raise CapacityError(f"{reason}; and there is nothing left to evict or compact")

    def _append_puts(self, drafts: Sequence[Draft], rows: Rows, is_update: bool = False) -> int:
        """(log lock)"""
        admission = self._admission
        if self._options.disk_bytes is not None:
            admission.check_disk(_size_of(drafts))
        first = self._log.next_lsn
        places = self._append(drafts)
        last = first + len(drafts) - 1
        ids = [draft.id for draft in drafts]
        admission.coming.update(admission.fresh(drafts))

        def apply() -> None:
            self._live.put(drafts, places, first, rows, is_update)
            admission.coming.difference_update(ids)

        self._commit.add(Change(last, ids, apply))
        return last

    def _append(self, drafts: Sequence[Draft]) -> Places:
        """(log lock)"""
        self._commit.check()
        try:
            return self._log.append(drafts)
        except OSError as error:
            message = f"{self._log.directory}: append failed, nothing was written: {error}"
            if is_full(error):
                raise DiskFullError(message) from error
            raise DurabilityError(message) from error

    def replace(self, draft: Draft, rows: Rows, lsn: int) -> int:
        """Put a record anew if it is still the version of this LSN; its new LSN, or 0 if not."""
        with self._commit.settled([draft.id]):
            with self._live.lock:
                now = self._live.where(draft.id)
            if now is None or now.lsn != lsn:
                return 0
            last = self._append_puts([draft], rows, is_update=True)
        self._commit.wait(last)
        return last

    def delete(self, ids: Sequence[int], reason: Reason, lsns: Sequence[int] | None = None) -> int:
        """How many of these existed and are gone now; lsns: spare what is another version."""
        versions = dict(zip(ids, repeat(None) if lsns is None else lsns, strict=False))
        with self._commit.settled(ids):
            with self._live.lock:
                chosen = [i for i, lsn in versions.items() if self._is_there(i, lsn)]
            if not chosen:
                return 0
            last = self._append_deletes(chosen, reason)
        self._commit.wait(last)
        return len(chosen)

    def _is_there(self, record_id: int, lsn: int | None) -> bool:
        row = self._live.rows.get(record_id)
        return row is not None and lsn in (None, self._live.columns.single.lsn[row])

    def _append_deletes(self, ids: Sequence[int], reason: Reason) -> int:
        """(log lock) In one write; visible a step at a time. Returns the last LSN."""
        first = self._log.next_lsn
        places = self._append([Draft(Kind.DELETE, i, flags=reason) for i in ids])
        for at in range(0, len(ids), STEP_RECORDS):
            step = ids[at : at + STEP_RECORDS]
            part = Places(places.segment, places.offsets[at : at + STEP_RECORDS])
            self._admission.going.update(step)
            apply = partial(self._apply_deletes, step, part, reason)
            is_last = at + STEP_RECORDS >= len(ids)
            self._commit.add(Change(first + at + len(step) - 1, step, apply, not is_last))
        return first + len(ids) - 1

    def _apply_deletes(self, ids: Sequence[int], places: Places, reason: Reason) -> None:
        self._live.delete(ids, places, reason)
        self._admission.going.difference_update(ids)

    def delete_all(self, ids: Sequence[int]) -> int:
        """What the caller wants gone, with an emergency where there is no room for it.

        Returns how many there were.
        """
        return self._in_groups(
            len(ids), lambda part: self.delete(ids[part], Reason.DELETED), self.with_room
        )

    def forget(self, victims: Victims, reason: Reason) -> int:
        """What was judged to be worth nothing goes, unless it was stored anew or pinned since."""
        ids, lsns = victims
        if len(ids):
            self._log.disk.reached("evict")
        return self._in_groups(
            len(ids),
            lambda part: self.delete(ids[part].tolist(), reason, lsns[part].tolist()),
            lambda delete: delete(),
        )

    def _in_groups(
        self,
        count: int,
        delete: Callable[[slice], int],
        attempt: Callable[[Callable[[], int]], int],
    ) -> int:
        """Delete a group at a time; where a group has no room, in steps, each by an attempt."""
        gone = 0
        size = max(STEP_RECORDS, min(GROUP_RECORDS, self._options.segment_bytes >> 10))
        for first in range(0, count, size):
            end = min(first + size, count)
            try:
                gone += delete(slice(first, end))
            except DiskFullError:
                for at in range(first, end, STEP_RECORDS):
                    gone += attempt(partial(delete, slice(at, min(at + STEP_RECORDS, end))))
        return gone

    def bury_damaged(self, ids: Sequence[int]) -> None:
        """Delete records whose last version cannot be read, so that no older one comes back."""
        with self._log.lock:
            last = self._append_deletes(ids, Reason.DAMAGED)
        self._commit.wait(last)

    def bury_edges(self, keys: Sequence[EdgeKey]) -> None:
        """Unlink edges whose last version is gone, so that no older one comes back."""
        with self._log.lock:
            first = self._log.next_lsn
            number, offsets = self._append(
                [Draft(Kind.UNLINK, key.source, extra=key.target, aux=key.kind) for key in keys]
            )
            for lsn, (key, offset) in enumerate(zip(keys, offsets, strict=True), first):
                apply = partial(self._live.unlink, key, Places(number, [offset]))
                self._commit.add(Change(lsn, key[:2], apply))
        self._commit.wait(first + len(keys) - 1)

    def evict(self, count: int) -> int:
        """The `count` records worth least, in steps; returns how many went."""
        now_s, half_life_s = self._clock.now_s(), self._options.half_life_s
        victims = eviction.victims(self._live, count, now_s, half_life_s, self._rng)
        return self.forget(victims, Reason.EVICTED)

    def evict_agents(self, agents: Iterable[int], limit: int) -> int:
        """What is worth least of each agent that has more than the limit; returns how many went.

        Less where an agent has pinned more than that.
        """
        now_s, half_life_s = self._clock.now_s(), self._options.half_life_s
        gone = 0
        for agent in agents:
            excess = self._live.by_agent.get(agent, 0) - limit
            if excess > 0:
                victims = eviction.victims_of_agent(self._live, agent, excess, now_s, half_life_s)
                gone += self.forget(victims, Reason.EVICTED)
        return gone

    def link(self, key: EdgeKey, name: str | int, weight: float) -> None:
        """Raises NotFoundError unless both ends exist."""
        body = msgspec.msgpack.encode(name) if isinstance(name, str) else b""
        length = len(body) + OVERHEAD_BYTES
        draft = Draft(
            Kind.LINK, key.source, body=body, extra=key.target, aux=key.kind, importance=weight
        )
        with self._commit.settled([key.source, key.target]):
            for end in (key.source, key.target):
                if end not in self._live.rows:
                    raise NotFoundError(f"no record {end}: an edge needs both its ends")
            self._admission.check_edge(key)
            self._admission.check_disk(length)
            lsn = self._log.next_lsn
            place = self._append([draft]).first()
            if isinstance(name, str):
                self._live.graph.names[key.kind] = name
            self._admission.edges.add(key)

            def apply() -> None:
                self._live.link(key, weight, lsn, place, length)
                self._admission.edges.discard(key)

            self._commit.add(Change(lsn, key[:2], apply))
        self._commit.wait(lsn)

    def unlink(self, key: EdgeKey) -> bool:
        """False when there is no such edge."""
        draft = Draft(Kind.UNLINK, key.source, extra=key.target, aux=key.kind)
        with self._commit.settled([key.source, key.target]):
            if self._live.graph.row_of(key) is None:
                return False
            lsn = self._log.next_lsn
            places = self._append([draft])
            self._commit.add(Change(lsn, key[:2], lambda: self._live.unlink(key, places)))
        self._commit.wait(lsn)
        return True


def _size_of(drafts: Sequence[Draft]) -> int:
    """Bytes of their frames."""
    return sum(len(draft.body) for draft in drafts) + OVERHEAD_BYTES * len(drafts)
