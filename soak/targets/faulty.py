"""A healthy target with faults to order: what a tester must find, switched on one by one.

Every fault is off by default, and then it is as healthy as what it wraps, `memory` or `engine`.
Ratios strike the n-th call by a hash of n and the seed, so a run with one client repeats exactly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from soak.clock import NS_PER_S, Clock
from soak.oracle import keyhash
from soak.result import CapacityRefused, TargetError, TargetUnavailable
from soak.seams import Edge, Floats, Hit, MaintenanceEvent, Query, Record, Scanned, Target
from soak.targets import engine, memory
from soak.targets._exact_rows import ChooseVictim, least_important
from soak.targets._troubles import TroubleParams, Troubles, die_at_once

CAPABILITIES = memory.CAPABILITIES
GHOST_KEYS = 1 << 40  # far above any key a run gets to
NEVER = 1.0
HASHES = 1 << 24
ENGINE_RECORDS = 20_000

Ratio = Field(0.0, ge=0, le=1)


class Params(TroubleParams):
    """lose: a store is acknowledged and dropped; lose_pinned: the same, pinned records only.
    stale: an update is acknowledged and dropped; resurrect: a delete is. unlink: an edge is.
    corrupt: a get answers with another text. bleed: a search ignores its agent. disorder: hits
    come worst first. ghost: a hit that was never stored. double: the best hit comes twice.
    rot_ratio_per_hour: so many of all records no search finds any more, with every hour.
    reopen_loses_records: the latest stores are gone after a reopen. evict: whom it forgets first
    at capacity_records, if it is the memory. unavailable: it refuses to start, as a server does
    that is down.
    """

    inner: Literal["memory", "engine"] = Field("memory", description="What it wraps.")
    dimensions: int = Field(384, ge=2, le=4096)
    seed: int = 1
    capacity_records: int | None = Field(None, ge=1)
    lose_ratio: float = Ratio
    lose_pinned_ratio: float = Ratio
    stale_ratio: float = Ratio
    corrupt_ratio: float = Ratio
    resurrect_ratio: float = Ratio
    bleed_ratio: float = Ratio
    disorder_ratio: float = Ratio
    ghost_ratio: float = Ratio
    double_ratio: float = Ratio
    rot_ratio_per_hour: float = Field(0.0, ge=0, le=1000)
    unlink_ratio: float = Ratio
    error_ratio: float = Ratio
    refuse_above_records: int | None = Field(None, ge=0)
    reopen_loses_records: int = Field(0, ge=0, le=10_000)
    evict: Literal["least_important", "most_important", "pinned_first"] = "least_important"
    never_compact: bool = False
    unavailable: bool = False


def _most_important(importances: Floats, pinned: NDArray[np.bool_]) -> int:
    return int(np.argmax(np.where(pinned, -np.inf, importances)))


def _pinned_first(importances: Floats, pinned: NDArray[np.bool_]) -> int:
    return int(np.argmin(np.where(pinned, importances - 1.0, importances)))


VICTIMS: Mapping[str, ChooseVictim] = {
    "least_important": least_important,
    "most_important": _most_important,
    "pinned_first": _pinned_first,
}


def _healthy(params: Params, data_dir: Path, clock: Clock) -> Target:
    """What is wrapped; an engine whose maintenance does nothing keeps all its garbage."""
    if params.inner == "engine":
        chosen = engine.Params(
            dimensions=params.dimensions,
            capacity_records=params.capacity_records or ENGINE_RECORDS,
            durability="interval",
            maintenance=not params.never_compact,
        )
        return engine.build(chosen, data_dir, clock)
    return memory.Memory(
        memory.Params(
            dimensions=params.dimensions,
            capacity_records=params.capacity_records,
            garbage_ratio=NEVER if params.never_compact else 0.5,
        ),
        data_dir,
        clock,
        VICTIMS[params.evict],
    )


class Faulty:
    """Each method suffers the general troubles, then its own fault, then asks the memory."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        params: Params,
        data_dir: Path,
        clock: Clock,
        kill: Callable[[], None] = die_at_once,
    ) -> None:
        self._params = params
        self._inner = _healthy(params, data_dir, clock)
        self._data_dir = data_dir
        self._clock = clock
        self._start_ns = clock.monotonic_ns()
        self._troubles = Troubles(params, data_dir, clock, kill)
        self._turns = count(1)
        self._latest: list[int] = []

    def store(self, record: Record) -> None:
        began_s = self._suffer("store")
        self._refuse_when_full()
        if not self._loses(record):
            self._inner.store(record)
            self._remember(record.key)
        self._troubles.linger(began_s)

    def store_batch(self, records: Sequence[Record]) -> None:
        began_s = self._suffer("store_batch")
        self._refuse_when_full()
        self._inner.store_batch([record for record in records if not self._loses(record)])
        self._troubles.linger(began_s)

    def get(self, key: int) -> Record | None:
        began_s = self._suffer("get")
        record = self._inner.get(key)
        if record is not None and self._strikes(self._params.corrupt_ratio):
            record = replace(record, text=record.text[:-1] + "~")
        self._troubles.linger(began_s)
        return record

    def search(self, query: Query) -> Sequence[Hit]:
        began_s = self._suffer("search")
        params = self._params
        if query.agent is not None and self._strikes(params.bleed_ratio):
            query = replace(query, agent=None)
        hits = list(self._inner.search(query))
        if params.rot_ratio_per_hour:
            rotten = self._rotten_bits()
            hits = [hit for hit in hits if self._bits(hit.key) >= rotten]
        if self._strikes(params.disorder_ratio):
            hits.reverse()
        if hits and self._strikes(params.ghost_ratio):
            hits[-1] = Hit(GHOST_KEYS + hits[-1].key, hits[-1].score, hits[-1].agent)
        if hits and self._strikes(params.double_ratio):
            hits = [hits[0], *hits][: max(2, len(hits))]
        self._troubles.linger(began_s)
        return hits

    def update(self, record: Record) -> None:
        began_s = self._suffer("update")
        if not self._strikes(self._params.stale_ratio):
            self._inner.update(record)
        self._troubles.linger(began_s)

    def delete(self, key: int) -> None:
        began_s = self._suffer("delete")
        if not self._strikes(self._params.resurrect_ratio):
            self._inner.delete(key)
        self._troubles.linger(began_s)

    def scan(self, limit: int) -> Scanned:
        began_s = self._suffer("scan")
        seen = self._inner.scan(limit)
        self._troubles.linger(began_s)
        return seen

    def link(self, edge: Edge) -> None:
        began_s = self._suffer("link")
        if not self._strikes(self._params.unlink_ratio):
            self._inner.link(edge)
        self._troubles.linger(began_s)

    def traverse(self, start: int, depth: int) -> Sequence[int]:
        began_s = self._suffer("traverse")
        reached = self._inner.traverse(start, depth)
        self._troubles.linger(began_s)
        return reached

    def maintain(self) -> None:
        self._suffer("maintain")
        if not self._params.never_compact:
            self._inner.maintain()

    def reopen(self) -> None:
        self._suffer("reopen")
        for key in self._latest[-self._params.reopen_loses_records :]:
            self._inner.delete(key)
        self._latest.clear()
        self._inner.reopen()

    def stats(self) -> Mapping[str, float]:
        return self._inner.stats()

    def events(self, after: int) -> Sequence[MaintenanceEvent]:
        return self._inner.events(after)

    def may_forget(self) -> bool:
        return self._inner.may_forget()

    def count(self) -> int:
        return self._inner.count()

    def processes(self) -> Sequence[int]:
        return ()

    def directories(self) -> Sequence[Path]:
        # What leaks lies beside what is wrapped.
        return (self._data_dir,)

    def close(self) -> None:
        self._troubles.close()
        self._inner.close()

    def _suffer(self, operation: str) -> float:
        began_s = self._troubles.strike(operation)
        if self._strikes(self._params.error_ratio):
            self._troubles.has_failed()
            raise TargetError("ordered error")
        return began_s

    def _loses(self, record: Record) -> bool:
        return self._strikes(self._params.lose_ratio) or (
            record.pinned and self._strikes(self._params.lose_pinned_ratio)
        )

    def _strikes(self, ratio: float) -> bool:
        if ratio == 0 or self._striking_s() < 0:
            return False
        return self._bits(next(self._turns)) < ratio * HASHES

    def _striking_s(self) -> float:
        """Since onset_s; below 0 before."""
        return (self._clock.monotonic_ns() - self._start_ns) / NS_PER_S - self._params.onset_s

    def _rotten_bits(self) -> float:
        """Keys whose bits are below that are found no more."""
        return self._params.rot_ratio_per_hour * self._striking_s() / 3600 * HASHES

    def _bits(self, number: int) -> int:
        """One of HASHES values, as if by lot."""
        return keyhash.agent_bits(keyhash.mixed(number ^ self._params.seed << 32))

    def _refuse_when_full(self) -> None:
        limit = self._params.refuse_above_records
        if limit is not None and self._inner.count() >= limit:
            raise CapacityRefused(f"{limit} records are all it takes")

    def _remember(self, key: int) -> None:
        if self._params.reopen_loses_records:
            self._latest.append(key)
            del self._latest[: -self._params.reopen_loses_records]


def build(params: object, data_dir: Path, clock: Clock) -> Faulty:
    assert isinstance(params, Params)
    if params.unavailable:
        raise TargetUnavailable("connection refused, as ordered by target.params.unavailable")
    return Faulty(params, data_dir, clock)
