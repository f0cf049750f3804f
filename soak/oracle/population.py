"""Which keys exist, and may any be missing? A state, a version, a time for each followed key.

Keys are 0, 1, 2, ...; the last `keys` of them are followed, key n in slot n % keys.

    ABSENT  --store acked-->  PRESENT (must be there)  --target may forget-->  MAYBE
    PRESENT, MAYBE  --delete acked-->  ABSENT          any --write begins-->  DOUBT

Writers set changed_ns, version, state in that order when a write ends, and DOUBT before one
begins; readers read occupant, state, version, changed_ns. An answer is judged only when the state
is not DOUBT and nothing changed since the operation started: then no write overlapped it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from soak.clock import monotonic_ns
from soak.oracle import keyhash
from soak.oracle.broken import BrokenPromises, Note
from soak.oracle.eviction import EvictionLedger
from soak.oracle.fidelity import Fidelity
from soak.oracle.followed import FollowedKeys
from soak.result import Violation, violation_code
from soak.seams import Content, Hit, Query, Record, Target

ABSENT, PRESENT, MAYBE, DOUBT = range(4)
CONTESTED, DOUBTFUL, EARLY, NOTED_MISSING = 1, 2, 4, 8  # bits of flags

Offer = tuple[Query, Sequence[Hit], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many keys are followed and how they spread: the scenario's `population`."""

    keys: int
    agents: int = 16
    pinned_ratio: float = 0.0
    batch_count: int = 10
    k: int = 10
    scan_count: int = 100
    depth: int = 2
    agent_filter_ratio: float = 0.5
    transition_ratio: float = 0.2
    is_cold: bool = False


class Change:
    """One write in flight. Mutable for one reason: a typed refusal means nothing was written."""

    __slots__ = ("before", "importance", "is_followed", "key", "refused", "seen", "version")

    def __init__(self, key: int, version: int, before: int, seen: int, importance: float) -> None:
        self.key = key
        self.version = version
        self.before = before
        self.seen = seen
        self.importance = importance
        self.is_followed = True
        self.refused = False


class Population:
    """The followed keys, shared by all client threads and the telemetry thread of a worker.

    importance: one table of 65,536 quantiles per phase. now_ns: the clock of the load loop.
    """

    def __init__(
        self,
        path: Path,
        content: Content,
        shape: Shape,
        importance: Sequence[NDArray[np.float64]],
        *,
        resume: bool = False,
        now_ns: Callable[[], int] = monotonic_ns,
    ) -> None:
        self.content = content
        self.shape = shape
        self.keys = shape.keys
        self.importance_tables = [table.tolist() for table in importance]
        self.ledger = EvictionLedger()
        self.fidelity = Fidelity()
        self.forgetting = False
        self.forgetting_seen = 0
        self.checked = 0
        self.stored = 0
        self.deleted = 0
        self._broken = BrokenPromises()
        self.violations = self._broken.counts
        self._offer: Offer | None = None
        self._now_ns = now_ns
        self._lock = Lock()
        self._may_forget: Callable[[], bool] = lambda: False
        self._pin_limit = round(shape.pinned_ratio * 65536)
        columns = FollowedKeys(path, shape.keys, resume=resume)
        self._columns = columns
        self.changed_ns, self.changes_ns = columns.changed_ns, columns.changes_ns
        self.occupant, self.occupants = columns.occupant, columns.occupants
        self.version, self.versions = columns.version, columns.versions
        self.state, self.states = columns.state, columns.states
        self.importances, self.linked = columns.importances, columns.linked
        self._flags, self._in_flight = columns.flags, columns.in_flight
        if resume:
            columns.settle(DOUBTFUL)

    def watch(self, target: Target) -> None:
        """From now on this target's `may_forget` decides; without "pin" it cannot pin records."""
        self._may_forget = target.may_forget
        if "pin" not in target.capabilities:
            self._pin_limit = 0
        self.refresh_forgetting()

    # What is derived from a key.

    def agent_of(self, key: int) -> int:
        return keyhash.agent_bits(keyhash.mixed(key)) % self.shape.agents

    def agents_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same for many keys, shape (n,)."""
        bits = keyhash.mixed_all(keys) >> np.uint64(40)
        return (bits % np.uint64(self.shape.agents)).astype(np.int64)

    def is_pinned(self, key: int) -> bool:
        return keyhash.pin_bits(keyhash.mixed(key)) < self._pin_limit

    def drawn_importance(self, key: int, version: int, phase: int) -> float:
        """0 to 1, from the phase's distribution; another draw for every version."""
        tables = self.importance_tables
        table = tables[phase if phase < len(tables) else -1]
        drawn: float = table[keyhash.quantile_bits(keyhash.mixed(key ^ version << 40))]
        return drawn

    def record(self, key: int, version: int, importance: float) -> Record:
        """The memory that key and version stand for."""
        bits = keyhash.mixed(key)
        return Record(
            key=key,
            agent=keyhash.agent_bits(bits) % self.shape.agents,
            text=self.content.text(key, version),
            vector=self.content.vector(key, version),
            importance=importance,
            pinned=keyhash.pin_bits(bits) < self._pin_limit,
        )

    # Writes: begin before the call, commit when it was acknowledged, abandon when it raised.

    def begin_store(self, key: int, importance: float) -> Change:
        slot = key % self.keys
        change = Change(key, 0, ABSENT, self.forgetting_seen, importance)
        with self._lock:
            if self.occupant[slot] < key:
                self._move_in(slot, key)
            elif self.occupant[slot] > key:
                change.is_followed = False
                return change
            elif self._flags[slot] & EARLY and not self._in_flight[slot]:
                self.version[slot] = 0
            else:
                # With a change that overtook it, or stored twice: anybody's guess what is there.
                self._flags[slot] |= CONTESTED if self._flags[slot] & EARLY else DOUBTFUL
            self._flags[slot] &= ~EARLY & 0xFF
            self.state[slot] = DOUBT
            self._in_flight[slot] += 1
        return change

    def _move_in(self, slot: int, key: int) -> None:
        self.state[slot] = DOUBT
        self.occupant[slot] = key
        self.version[slot] = 0
        self.linked[slot] = -1
        self._flags[slot] = 0
        self._in_flight[slot] = 0

    def begin_change(self, key: int, importance: float = 0.0) -> Change:
        """An update, which writes the version in the Change, or a delete.

        Another client's may overtake the store of its key; then the key moves in with it.
        """
        slot = key % self.keys
        with self._lock:
            if self.occupant[slot] > key:
                change = Change(key, 1, DOUBT, 0, importance)
                change.is_followed = False
                return change
            if self.occupant[slot] < key:
                self._move_in(slot, key)
                self._flags[slot] = EARLY
            version, before = self.version[slot] + 1, self.state[slot]
            self.state[slot] = DOUBT
            if self._in_flight[slot]:
                self._flags[slot] |= CONTESTED
            else:
                self._flags[slot] &= ~CONTESTED & 0xFF
            self._in_flight[slot] += 1
        return Change(key, version, before, self.forgetting_seen, importance)

    def commit_store(self, change: Change) -> None:
        with self._lock:
            self.stored += 1
            if self._ends(change):
                self._write(change, PRESENT)

    def commit_update(self, change: Change) -> None:
        with self._lock:
            if self._ends(change):
                # What was only perhaps there before is so now: an update of a forgotten record
                # may put it back or not.
                self._write(change, PRESENT if change.before == PRESENT else MAYBE)

    def commit_delete(self, change: Change) -> None:
        with self._lock:
            self.deleted += 1
            if self._ends(change):
                self._write(change, ABSENT)

    def abandon(self, change: Change) -> None:
        """The call raised. A refusal by type wrote nothing; whatever else raised may still arrive,
        so the doubt stays until the slot gets another key."""
        slot = change.key % self.keys
        with self._lock:
            if not self._ends(change):
                return
            if not change.refused:
                self._flags[slot] |= DOUBTFUL
            elif self._flags[slot] & (CONTESTED | DOUBTFUL) == 0:
                self.changed_ns[slot] = self._now_ns()
                self.state[slot] = self._kept(change) if change.before == PRESENT else change.before

    def _ends(self, change: Change) -> bool:
        """False where the slot belongs to another key by now."""
        slot = change.key % self.keys
        if not change.is_followed or self.occupant[slot] != change.key:
            return False
        self._in_flight[slot] -= 1
        return True

    def _write(self, change: Change, state: int) -> None:
        slot = change.key % self.keys
        self.changed_ns[slot] = self._now_ns()
        self.version[slot] = max(self.version[slot], change.version)
        self.importances[slot] = change.importance
        if self._flags[slot] & (CONTESTED | DOUBTFUL) == 0:
            self.state[slot] = self._kept(change) if state == PRESENT else state

    def _kept(self, change: Change) -> int:
        could_forget = self.forgetting or change.seen != self.forgetting_seen
        return MAYBE if could_forget and not self.is_pinned(change.key) else PRESENT

    def is_alone(self, change: Change) -> bool:
        """Whether no other write of that key overlapped this one, which is still in flight."""
        slot = change.key % self.keys
        return (
            self.occupant[slot] == change.key
            and self._in_flight[slot] == 1
            and self._flags[slot] & (CONTESTED | DOUBTFUL) == 0
        )

    def note_link(self, source: int, target: int) -> None:
        """The edge was acknowledged; the last one of a key is remembered."""
        slot = source % self.keys
        if self.occupant[slot] == source:
            self.linked[slot] = target

    def linked_of(self, source: int) -> int:
        """Where the last acknowledged edge of a key leads; -1 where there is none."""
        slot = source % self.keys
        linked: int = self.linked[slot]
        return linked if self.occupant[slot] == source else -1

    # What may be forgotten.

    def refresh_forgetting(self) -> bool:
        """Ask the target; when it turned full, no unpinned record must be there any more.

        Called ten times a second by the telemetry thread, and before anything is called lost.
        """
        forgetting = self._may_forget()
        with self._lock:
            turned = forgetting and not self.forgetting
            self.forgetting = forgetting
            self.forgetting_seen += forgetting
        if turned:
            self._loosen(np.flatnonzero(self.states == PRESENT))
        return forgetting

    def _loosen(self, slots: NDArray[np.intp]) -> None:
        bits = keyhash.mixed_all(self.occupants[slots]) >> np.uint64(8) & np.uint64(0xFFFF)
        unpinned = slots[bits >= self._pin_limit]
        with self._lock:
            self.states[unpinned[self.states[unpinned] == PRESENT]] = MAYBE

    def settled_slots(self, start_ns: int) -> NDArray[np.intp]:
        """Slots of keys that were or may have been there, unchanged, since start_ns."""
        live = (self.states == PRESENT) | (self.states == MAYBE)
        return np.flatnonzero(live & (self.changes_ns < start_ns))

    def present_count(self, start_ns: int) -> int:
        """How many keys must have been there, unchanged, since start_ns."""
        return int(np.count_nonzero((self.states == PRESENT) & (self.changes_ns < start_ns)))

    def note_read(self, slot: int, was_found: bool) -> None:
        """A key that might have been forgotten was, or was not: once each for the ledger."""
        if was_found:
            self.ledger.found(float(self.importances[slot]))
        elif not self._flags[slot] & NOTED_MISSING:
            self._flags[slot] |= NOTED_MISSING
            self.ledger.missed(float(self.importances[slot]))

    def eviction_quality(self) -> dict[str, float]:
        """How well the target chose what to forget; see EvictionLedger's quality and survival."""
        return self.ledger.quality() | self.ledger.survival()

    # What is handed to the telemetry thread.

    def offer(self, query: Query, hits: Sequence[Hit], start_ns: int) -> None:
        """An answered search for the recall probe; one place, the latest wins."""
        self._offer = (query, hits, start_ns)

    def take_offer(self) -> Offer | None:
        offered, self._offer = self._offer, None
        return offered

    def note_violation(
        self, violation: Violation, operation: str, key: int, start_ns: int, note: str
    ) -> int:
        """Count it, keep it in words, and return the slot code for it."""
        self._broken.add(Note(violation, operation, key, start_ns, note))
        return violation_code(violation)

    def drain_notes(self) -> list[Note]:
        """What was noted since the last call, oldest first, the latest 1,000 at most."""
        return self._broken.drain()

    def doubt_all(self) -> None:
        """The file may be older than the target's: nothing in it is held against the target."""
        self._columns.doubt_all(DOUBT, DOUBTFUL)

    def close(self) -> None:
        """Flush the columns to the file; the mapping goes with the object."""
        self._columns.flush()
