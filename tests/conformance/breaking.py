"""A sound memory with tiers, or one that breaks the promise it is told to: does a claim see it?"""

import atexit
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from soak.clock import Clock
from soak.seams import Edge, Hit, Query, Scanned
from soak.targets import memory

CAPABILITIES = memory.CAPABILITIES | {"transition", "tiers", "exact_filter"}


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = 32
    what: Literal[
        "nothing",
        "forgets_when_built_again",
        "forgets_when_reopened_and_cannot_get",
        "links_to_nothing",
        "scans_other_texts",
        "scans_doubles",
        "misses_when_filtered",
        "counts_tiers_wrong",
        "moves_nothing",
        "says_it_moved",
        "loses_when_moving",
        "crashes_at_delete",
        "crashes_at_its_end",
    ] = "nothing"


def capabilities_of(params: Params) -> frozenset[str]:
    return CAPABILITIES - ({"get"} if params.what.endswith("cannot_get") else set())


class Breaking(memory.Memory):
    def __init__(self, params: Params, data_dir: Path, clock: Clock) -> None:
        self._what = params.what
        self._moved_count = 0
        super().__init__(memory.Params(dimensions=params.dimensions), data_dir, clock)
        self.capabilities = capabilities_of(params)
        if params.what == "crashes_at_its_end":
            atexit.register(os._exit, 3)

    def search(self, query: Query) -> Sequence[Hit]:
        hits = super().search(query)
        misses = self._what == "misses_when_filtered" and query.agent is not None
        return hits[:-1] if misses else hits

    def delete(self, key: int) -> None:
        if self._what == "crashes_at_delete":
            os.kill(os.getpid(), signal.SIGKILL)
        super().delete(key)

    def scan(self, limit: int) -> Scanned:
        read = super().scan(limit)
        assert not isinstance(read, int)
        if self._what == "scans_other_texts":
            return [(key, text[::-1]) for key, text in read]
        return [read[0]] * len(read) if self._what == "scans_doubles" else read

    def link(self, edge: Edge) -> None:
        if self._what == "links_to_nothing":
            self._join(edge)
        else:
            super().link(edge)

    def reopen(self) -> None:
        if self._what.startswith("forgets_when_reopened"):
            self._data_dir /= "another"
            self._data_dir.mkdir()
        super().reopen()

    def transition(self, share: float) -> int:
        moved = int(share * (self.count() - self._moved_count))
        if self._what == "moves_nothing":
            return 0
        if self._what == "loses_when_moving":
            super().delete(0)
        if self._what != "says_it_moved":
            self._moved_count += moved
        return moved

    def stats(self) -> Mapping[str, float]:
        short_count = self.count() - self._moved_count + (self._what == "counts_tiers_wrong")
        tiers = {"tier_short_count": short_count, "tier_long_count": self._moved_count}
        return {**super().stats(), **{name: float(n) for name, n in tiers.items()}}


def build(params: Params, data_dir: Path, clock: Clock) -> Breaking:
    if params.what == "forgets_when_built_again":
        data_dir /= str(len(list(data_dir.iterdir())))
    return Breaking(params, data_dir, clock)
