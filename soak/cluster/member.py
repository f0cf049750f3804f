"""Where is a share being run, and what is known of it? Its stays on nodes, one after another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from soak.clock import NS_PER_S, Clock
from soak.cluster.agent import Look
from soak.cluster.journal import relocated
from soak.cluster.messages import unpacked
from soak.cluster.parts import Part
from soak.scenario import Scenario, dump
from soak.show.plain import new_events
from soak.snapshot import Event

# A node that answers nothing for so long is given up, whatever is wrong with it.
SILENT_S = 60.0


class Lost(Exception):
    """The node or the process there is gone, and everything of the share with it; says why."""


class Unheard(Exception):
    """No answer in time; the next look may have one."""


class Remote(Protocol):
    """An `Agent` on a node. All raise Lost once it is gone; look raises Unheard, too."""

    def look(self) -> Look: ...
    def stop(self, signal_number: int) -> None: ...
    def end(self) -> None:
        """Let the process there go, whatever it does. Raises nothing."""
        ...


class Nodes(Protocol):
    """The machines that there are."""

    def names(self) -> Sequence[str]:
        """Those that can take a share now, by names that stay."""
        ...

    def begin(self, node: str, share: str, path: Path, arguments: Sequence[str]) -> Remote:
        """Begin a share there. Raises Lost."""
        ...


class Member:
    """One share of the run, and the worker that has it now.

    The node's clock is related to the head's as NTP does: half-way between question and answer of
    the quickest look so far, so it is off by half that look's time at most. Both are monotonic
    clocks: wall clocks may be put forward or back while a run goes on.
    """

    def __init__(self, worker: int, share: Scenario) -> None:
        self.worker = worker
        self.share = share
        self.node = ""
        self.begun_count = 0
        self.lost_s = 0.0  # when that was noticed, in the run's time
        self.url = ""
        self.trouble: tuple[str, int] | None = None  # why it cannot go on, and the exit code
        self.is_over = False
        self._ahead_s = 0.0
        self._node_began_s = 0.0
        self._past: list[Part] = []
        self._now: Part | None = None
        self._remote: Remote | None = None
        self._is_awaited = False
        self._quickest_s = float("inf")
        self._heard_ns = 0
        self._heard_event: Event | None = None

    @property
    def is_placed(self) -> bool:
        return self._remote is not None

    @property
    def began_s(self) -> float | None:
        """Its time zero on the head's monotonic clock; None before."""
        return self._node_began_s - self._ahead_s if self._now else None

    @property
    def parts(self) -> list[Part]:
        return [*self._past, *([self._now] if self._now else [])]

    def place(
        self, nodes: Nodes, node: str, share: Scenario, run: Path, told: Sequence[str]
    ) -> None:
        """Begin there, in a directory of its own below the run's. Raises Lost."""
        again = f"-{self.begun_count}" if self.begun_count else ""
        path = run / f"worker-{self.worker}{again}"
        self.begun_count += 1
        self.node = node
        self._quickest_s, self._heard_ns, self._heard_event = float("inf"), 0, None
        self._remote = nodes.begin(node, dump(share), path, told)

    def look(self, clock: Clock, run_began_s: float | None) -> str:
        """Hear how it stands; the version that runs there. Raises Lost."""
        assert self._remote is not None, "a share that is nowhere cannot be looked at"
        asked_ns = clock.monotonic_ns()
        self._heard_ns = self._heard_ns or asked_ns
        try:
            seen = self._remote.look()
        except Unheard as error:
            if clock.monotonic_ns() - self._heard_ns > SILENT_S * NS_PER_S:
                raise Lost(f"no answer for {SILENT_S:g} s: {error}") from error
            return ""
        self._heard_ns = clock.monotonic_ns()
        took_s = (self._heard_ns - asked_ns) / NS_PER_S
        if took_s < self._quickest_s:
            self._quickest_s = took_s
            self._ahead_s = seen.now_s - (asked_ns / NS_PER_S + took_s / 2)
        self.url, self.is_over = seen.url, seen.is_over
        self.trouble = (seen.trouble, seen.exit_code) if seen.trouble else None
        if seen.packed:
            newest, self._node_began_s = unpacked(seen.packed), seen.began_s
            self._now = Part(worker=self.worker, node=self.node, from_s=0.0, snapshot=newest)
            if run_began_s is not None:
                self.settle(run_began_s)
        return seen.version

    def settle(self, run_began_s: float) -> None:
        """Say where in the run's time it stands."""
        if self._now is not None and self.began_s is not None:
            self._now = replace(self._now, from_s=self.began_s - run_began_s)

    def clock_ahead_s(self, run_started_s: float) -> float:
        """How far the node's wall clock was ahead of the head's when the share began."""
        assert self._now is not None, "a share that has not begun has no wall time"
        return self._now.snapshot.identity.started - (run_started_s + self._now.from_s)

    def absence(self) -> tuple[float, float] | None:
        """From when to when nobody worked on the share, told once: as soon as somebody does."""
        if self._now is None or not self._is_awaited:
            return None
        self._is_awaited = False
        return self._past[-1].until_s, self._now.from_s

    def events(self, run_started_s: float) -> Iterator[Event]:
        """What happened there since the last call, in the run's time; phases are the run's own."""
        if self._now is None:
            return
        known = self._now.snapshot.events
        news = new_events(known, self._heard_event)
        self._heard_event = known[-1] if known else None
        for event in news:
            if event.kind != "phase":
                yield relocated(event, self.worker, run_started_s, self._now.from_s)

    def stop(self, signal_number: int) -> None:
        if self._remote is not None and not self.is_over:
            self._remote.stop(signal_number)

    def lose(self, at_s: float) -> None:
        """Its node is gone; what it had told remains."""
        if self._now is not None:
            self._past.append(replace(self._now, is_lost=True))
        self._now = None
        self._is_awaited = True
        self.lost_s = at_s
        self.end()

    def end(self) -> None:
        if self._remote is not None:
            self._remote.end()
        self._remote = None
