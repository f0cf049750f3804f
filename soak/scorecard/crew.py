"""Who simulates? All cores, for the same answer in the same order as one would give."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")
PORTION = 4


class Crew(Protocol):
    def map(self, work: Callable[[Given], Found], cases: Sequence[Given]) -> list[Found]: ...


class Alone:
    """One after the other, in this process."""

    def map(self, work: Callable[[Given], Found], cases: Sequence[Given]) -> list[Found]:
        return [work(case) for case in cases]


class _Many:
    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def map(self, work: Callable[[Given], Found], cases: Sequence[Given]) -> list[Found]:
        return list(self._pool.map(work, cases, chunksize=PORTION))


@contextmanager
def all_cores() -> Iterator[Crew]:
    """A process per core this one may use; they are ended with the block."""
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        yield _Many(pool)
