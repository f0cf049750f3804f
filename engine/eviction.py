"""Which records go when there is no room? The ones worth least now; pinned ones never.

Columns are scanned without the lock, as in search.py: rows written meanwhile are left out of the
choice, since their fields may be of two records. The LSN says which version was judged, so that
whoever deletes it can spare a later one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Rows
from engine.importance import lowest, values
from engine.live import Live

EXACT_UP_TO = 200_000
SAMPLE = 4_096
_ATTEMPTS = 4


class Victims(NamedTuple):
    """Records to go, and of each the LSN of the version that was judged; shapes (n,)."""

    ids: NDArray[np.uint64]
    lsns: NDArray[np.uint64]


def scores_of(
    columns: Columns, rows: Rows | slice, now_s: float, half_life_s: float
) -> NDArray[np.float64]:
    """What these records are worth now."""
    return values(
        columns.importance[rows],
        columns.accessed[rows],
        columns.accesses[rows],
        now_s,
        half_life_s,
    )


def victims(
    live: Live, count: int, now_s: float, half_life_s: float, rng: np.random.Generator
) -> Victims:
    """Up to `count` records worth least, least first; fewer when the rest is pinned.

    Exact up to 200,000 records (1.5 ms at 100,000). Above, the lowest of samples of 4,096, taken
    64 at a time: 0.4 ms at a million, victims in the lowest 1 % on average (worst seen 1.7 %).
    """
    columns = live.columns
    return seen_whole(live, lambda: _lowest_of_all(columns, count, now_s, half_life_s, rng))


def _lowest_of_all(
    columns: Columns, count: int, now_s: float, half_life_s: float, rng: np.random.Generator
) -> Rows:
    n = columns.n
    if n <= EXACT_UP_TO or count * 8 > n:
        return _lowest_of(columns, np.flatnonzero(~columns.pinned[:n]), count, now_s, half_life_s)
    chosen: list[Rows] = []
    taken = 0
    while taken < count:
        rows = rng.integers(0, n, SAMPLE)
        rows = np.unique(rows[~columns.pinned[rows]])
        if not len(rows):
            return _lowest_of(
                columns, np.flatnonzero(~columns.pinned[:n]), count, now_s, half_life_s
            )
        step = _lowest_of(columns, rows, min(64, count - taken), now_s, half_life_s)
        chosen.append(step)
        taken += len(step)
    return np.unique(np.concatenate(chosen))


def crowded_agents(live: Live, count_max: int) -> list[int]:
    """Agents with more live records than that."""
    return [agent for agent, count in list(live.by_agent.items()) if count > count_max]


def victims_of_agent(
    live: Live, agent: int, count: int, now_s: float, half_life_s: float
) -> Victims:
    """Up to `count` of one agent's records worth least."""
    columns = live.columns

    def scan() -> Rows:
        n = columns.n
        rows = np.flatnonzero((columns.agent[:n] == agent) & ~columns.pinned[:n])
        return _lowest_of(columns, rows, count, now_s, half_life_s)

    return seen_whole(live, scan)


def _lowest_of(columns: Columns, rows: Rows, count: int, now_s: float, half_life_s: float) -> Rows:
    return rows[lowest(scores_of(columns, rows, now_s, half_life_s), count)]


def expired(live: Live, cutoff_s: float, count: int) -> Victims:
    """Up to `count` records created before the cutoff and not pinned."""
    columns = live.columns

    def scan() -> Rows:
        n = columns.n
        rows = np.flatnonzero((columns.created[:n] < cutoff_s) & ~columns.pinned[:n])
        return rows[:count]

    return seen_whole(live, scan)


def seen_whole(live: Live, scan: Callable[[], Rows]) -> Victims:
    """The records in the rows that the scan chooses, but for rows written while it ran."""
    columns = live.columns
    for _ in range(_ATTEMPTS):
        mark = columns.changes
        rows = scan()
        ids, lsns = columns.id[rows], columns.lsn[rows]
        with live.lock:
            n, changed = columns.n, columns.changes_since(mark)
        if changed is not None:
            is_steady = (rows < n) & ~np.isin(rows, changed)
            return Victims(ids[is_steady], lsns[is_steady])
    # Writers outran four scans: this one holds them up.
    with live.lock:
        rows = scan()
        return Victims(columns.id[rows], columns.lsn[rows])
