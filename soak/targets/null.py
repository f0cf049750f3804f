"""Remembers nothing and costs nothing: what a run on it shows is the tester's own cost.

It is allowed to forget from the first moment on, so the oracle accepts that every get finds
nothing and every search is empty. Recall is unknown, since there is nothing to compare with.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from soak.clock import Clock
from soak.plugins import NoParams
from soak.result import OPERATIONS
from soak.seams import Edge, Hit, MaintenanceEvent, Query, Record

CAPABILITIES = frozenset(OPERATIONS)
REMEMBERS = False
Params = NoParams


class Null:
    capabilities = CAPABILITIES

    def store(self, record: Record) -> None:
        pass

    def store_batch(self, records: Sequence[Record]) -> None:
        pass

    def get(self, key: int) -> Record | None:
        return None

    def search(self, query: Query) -> Sequence[Hit]:
        return ()

    def update(self, record: Record) -> None:
        pass

    def delete(self, key: int) -> None:
        pass

    def scan(self, limit: int) -> int:
        return 0

    def link(self, edge: Edge) -> None:
        pass

    def traverse(self, start: int, depth: int) -> Sequence[int]:
        return ()

    def maintain(self) -> None:
        pass

    def transition(self, share: float) -> int:
        return 0

    def reopen(self) -> None:
        pass

    def stats(self) -> Mapping[str, float]:
        return {}

    def events(self, after: int) -> Sequence[MaintenanceEvent]:
        return ()

    def may_forget(self) -> bool:
        return True

    def count(self) -> int:
        return 0

    def processes(self) -> Sequence[int]:
        return ()

    def directories(self) -> Sequence[Path]:
        return ()

    def close(self) -> None:
        pass


def build(params: object, data_dir: Path, clock: Clock) -> Null:
    return Null()
