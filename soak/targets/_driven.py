"""How does a system that we only call become a target? Its store, with what all of them share.

What a system's own file gives is a Store: the calls, in the system's words. What is the same for
all is here: a reopening waits for the calls under way, the system's exceptions become TargetError,
and maintenance that was asked for is an event with its duration and what it gave back.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Lock
from typing import Protocol, TypeVar, runtime_checkable

from soak.clock import NS_PER_S, Clock
from soak.result import TargetError, TargetUnavailable
from soak.seams import Edge, Hit, MaintenanceEvent, Query, Record, Scanned

EVENTS_KEPT = 1024
Answer = TypeVar("Answer")


class Store(Protocol):
    """An opened system, called by several threads; its methods raise what the system raises."""

    def put(self, records: Sequence[Record]) -> None: ...
    def get(self, key: int) -> Record | None: ...
    def search(self, query: Query) -> Sequence[Hit]: ...
    def replace(self, record: Record) -> None: ...
    def delete(self, key: int) -> None: ...
    def scan(self, limit: int) -> Scanned: ...
    def maintain(self) -> None: ...
    def stats(self) -> Mapping[str, float]: ...
    def count(self) -> int: ...
    def close(self) -> None: ...


@runtime_checkable
class Graph(Protocol):
    """A store that also keeps edges."""

    def link(self, edge: Edge) -> None: ...
    def traverse(self, start: int, depth: int) -> Sequence[int]: ...


class Driven:
    """A target around a store. open_store: opens what directory holds, again at each reopening.

    errors: what the system raises when it fails; anything else is a bug and passes through.
    Raises TargetUnavailable where it cannot be opened at first.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        capabilities: frozenset[str],
        directories: Sequence[Path],
        clock: Clock,
        errors: tuple[type[Exception], ...],
        processes: Sequence[int] | None = (),
    ) -> None:
        self.capabilities = capabilities
        self._open_store = open_store
        self._directories = tuple(directories)
        self._clock = clock
        self._errors = errors
        self._processes = None if processes is None else tuple(processes)
        self._gate = Condition()
        self._inside = 0
        self._is_reopening = False
        self._events: deque[MaintenanceEvent] = deque(maxlen=EVENTS_KEPT)
        self._sequence = 0
        self._numbering = Lock()
        try:
            with self._in_our_words():
                self._store = open_store()
        except TargetError as error:
            raise TargetUnavailable(str(error)) from error

    def store(self, record: Record) -> None:
        self._ask(lambda store: store.put([record]))

    def store_batch(self, records: Sequence[Record]) -> None:
        self._ask(lambda store: store.put(records))

    def get(self, key: int) -> Record | None:
        return self._ask(lambda store: store.get(key))

    def search(self, query: Query) -> Sequence[Hit]:
        return self._ask(lambda store: store.search(query))

    def update(self, record: Record) -> None:
        self._ask(lambda store: store.replace(record))

    def delete(self, key: int) -> None:
        self._ask(lambda store: store.delete(key))

    def scan(self, limit: int) -> Scanned:
        return self._ask(lambda store: store.scan(limit))

    def link(self, edge: Edge) -> None:
        self._ask(lambda store: _graph(store).link(edge))

    def traverse(self, start: int, depth: int) -> Sequence[int]:
        return self._ask(lambda store: _graph(store).traverse(start, depth))

    def maintain(self) -> None:
        before_bytes = self._disk_bytes()
        start_ns = self._clock.monotonic_ns()
        self._ask(lambda store: store.maintain())
        duration_s = (self._clock.monotonic_ns() - start_ns) / NS_PER_S
        reclaimed_bytes = max(0, before_bytes - self._disk_bytes())
        # Numbered as they are kept: who has heard of number 2 never asks for number 1.
        with self._numbering:
            self._sequence += 1
            self._events.append(
                MaintenanceEvent(
                    sequence=self._sequence,
                    kind="maintain",
                    start_ns=start_ns,
                    duration_s=duration_s,
                    bytes_reclaimed=reclaimed_bytes,
                    explicit=True,
                )
            )

    def reopen(self) -> None:
        gate = self._gate
        with gate:
            gate.wait_for(lambda: not self._is_reopening)
            self._is_reopening = True
            gate.wait_for(lambda: self._inside == 0)
        try:
            with self._in_our_words():
                self._store.close()
                self._store = self._open_store()
        finally:
            with gate:
                self._is_reopening = False
                gate.notify_all()

    def stats(self) -> Mapping[str, float]:
        return self._ask(lambda store: store.stats())

    def events(self, after: int) -> Sequence[MaintenanceEvent]:
        return [event for event in self._events.copy() if event.sequence > after]

    def may_forget(self) -> bool:
        return False

    def count(self) -> int:
        return self._ask(lambda store: store.count())

    def processes(self) -> Sequence[int] | None:
        return self._processes

    def directories(self) -> Sequence[Path]:
        return self._directories

    def close(self) -> None:
        with self._in_our_words():
            self._store.close()

    def _ask(self, question: Callable[[Store], Answer]) -> Answer:
        gate = self._gate
        with gate:
            while self._is_reopening:
                gate.wait()
            self._inside += 1
        try:
            with self._in_our_words():
                return question(self._store)
        finally:
            with gate:
                self._inside -= 1
                if self._is_reopening:
                    gate.notify_all()

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except TargetError:
            raise
        except self._errors as error:
            raise TargetError(f"{type(error).__name__}: {error}") from error

    def _disk_bytes(self) -> int:
        return sum(_size_bytes(directory) for directory in self._directories)


def _graph(store: Store) -> Graph:
    assert isinstance(store, Graph)
    return store


def _size_bytes(directory: Path) -> int:
    """What the files below take now; one that vanishes meanwhile takes nothing."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total
