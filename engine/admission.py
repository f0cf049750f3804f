"""Does what is about to be written fit within the limits, and how much must go first?

Between its append and its sync a change is not live yet, but it will be: what is under way is
counted here, each record and edge once, whatever happens to it meanwhile.
"""

from collections.abc import Sequence

from engine import pressure
from engine.errors import CapacityError, DiskFullError
from engine.frame import Draft
from engine.graph import EdgeKey
from engine.live import Live
from engine.log import Log
from engine.options import Options

# Evicted at once, so that not every store at the limit has to.
STEP_RECORDS = 64


class Admission:
    """Ids under way are put in under the log lock and taken out under the state lock, in the moment
    they are applied; so the number that will be live is exact under both.

    coming: records that were not there; going: records that will be gone; edges: new ones.
    """

    def __init__(self, log: Log, live: Live, options: Options) -> None:
        self._log = log
        self._live = live
        self._options = options
        self.coming: set[int] = set()
        self.going: set[int] = set()
        self.edges: set[EdgeKey] = set()

    def fresh(self, drafts: Sequence[Draft]) -> list[int]:
        """(log lock) Those of the ids that will not be there when all under way is applied.

        Asked in this order, what is applied meanwhile is not taken for new.
        """
        coming, going, rows = self.coming, self.going, self._live.rows
        return [
            draft.id
            for draft in drafts
            if draft.id not in coming and (draft.id in going or draft.id not in rows)
        ]

    def shortage(self, drafts: Sequence[Draft]) -> int:
        """(log lock) How many records to evict before these are put; 0 when they fit.

        As many as lack room and, to spare the next stores the same, up to 64 on the way down to
        target_ratio.
        """
        fresh = len(self.fresh(drafts))
        options = self._options
        # Read in this order, what is applied meanwhile counts twice rather than not at all.
        count = len(self.coming) + self._live.columns.n - len(self.going) + fresh
        if count > options.capacity_records:
            with self._live.lock:
                count = len(self.coming) + self._live.columns.n - len(self.going) + fresh
        lacking = count - options.capacity_records
        wanted = count - int(options.capacity_records * options.target_ratio)
        for_records = max(lacking, min(wanted, STEP_RECORDS)) if lacking > 0 else 0
        return max(for_records, self._memory_shortage(fresh + len(self.coming)))

    def _memory_shortage(self, coming: int) -> int:
        limit = self._options.capacity_bytes
        if limit is None:
            return 0
        lasting = pressure.lasting_bytes(self._live) + coming * pressure.record_bytes(self._live)
        if lasting <= limit:
            return 0
        n = self._live.columns.n + coming
        excess = pressure.excess_records(n, lasting / limit, self._options.target_ratio)
        return max(1, min(excess, STEP_RECORDS))

    def check_possible(self, drafts: Sequence[Draft]) -> None:
        """Raises CapacityError when these would not fit if all went that may go."""
        live, options = self._live, self._options
        with live.lock:
            pinned = live.columns.single.pinned
            known = [row for row in map(live.rows.get, (d.id for d in drafts)) if row is not None]
            others = int(live.columns.pinned[: live.columns.n].sum())
            others -= sum(pinned[row] for row in known)
            least_bytes = live.tiers.compression_bytes
        least = others + len(drafts)
        least_bytes += least * pressure.record_bytes(live)
        told = f"{len(drafts)} records to store, beside {others} pinned ones"
        if least > options.capacity_records:
            raise CapacityError(
                f"{told}; capacity_records is {options.capacity_records}: unpin or delete some, or"
                " store fewer at once"
            )
        if options.capacity_bytes is not None and least_bytes > options.capacity_bytes:
            raise CapacityError(
                f"{told}; capacity_bytes is {options.capacity_bytes}, they need {least_bytes}"
            )

    def check_edge(self, key: EdgeKey) -> None:
        """(log lock, both ends settled) Raises CapacityError when a new edge has no room."""
        limit = self._options.capacity_edges
        graph = self._live.graph
        if len(self.edges) + graph.n < limit:
            return
        with self._live.lock:
            is_full = len(self.edges) + graph.n >= limit
            is_new = graph.row_of(key) is None
        if is_full and is_new:
            raise CapacityError(f"{graph.n} edges; capacity_edges is the limit")

    def check_disk(self, size_bytes: int) -> None:
        """(log lock) Raises DiskFullError when an append of this size would exceed disk_bytes."""
        limit = self._options.disk_bytes
        if limit is None:
            return
        held = self._log.held_bytes + self._log.growth_bytes(size_bytes)
        if held > pressure.disk_room_bytes(self._live, self._log, limit):
            error = DiskFullError(f"disk_bytes is {limit}: no room for {size_bytes} bytes more")
            error.needed_bytes = size_bytes
            raise error
