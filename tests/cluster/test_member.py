"""Where in a run's time does a share stand, when wall clocks are put forward meanwhile?"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from soak.clock import NS_PER_S
from soak.cluster.agent import Look
from soak.cluster.member import Member, Remote
from soak.cluster.messages import packed
from soak.snapshot import Event, Snapshot
from tests.cluster.worlds import scenario
from tests.snapshots import six_hours

BEGAN_S = 1_000.0  # of the run, on the head's monotonic clock
STARTED_S = 1.7e9


class Hands:
    """A clock that stands still."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * NS_PER_S)

    def wall_s(self) -> float:
        raise AssertionError("nobody may ask what time of day it is")

    def sleep_s(self, duration_s: float) -> None:
        self.now_s += duration_s


class Node:
    """One that was switched on so much earlier than the head; its share began at that moment."""

    def __init__(self, clock: Hands, ahead_s: float, began_s: float, snapshot: Snapshot) -> None:
        self._clock, self._ahead_s = clock, ahead_s
        self._began_s, self._snapshot = began_s, snapshot

    def names(self) -> Sequence[str]:
        return ["node"]

    def begin(self, node: str, share: str, path: Path, arguments: Sequence[str]) -> Remote:
        return self

    def look(self) -> Look:
        now_s, content = self._clock.now_s + self._ahead_s, packed(self._snapshot)
        return Look(now_s=now_s, version="1", packed=content, began_s=self._began_s + self._ahead_s)

    def stop(self, signal_number: int) -> None:
        pass

    def end(self) -> None:
        pass


def started(wall_s: float) -> Snapshot:
    """What a share tells whose node had that wall time when it began."""
    event = Event(time_s=2.0, wall_time=wall_s + 2.0, kind="evict", source="declared")
    snapshot = six_hours(100)
    identity = replace(snapshot.identity, started=wall_s)
    return replace(snapshot, identity=identity, elapsed_s=5.0, events=(event,))


def test_a_share_that_begins_anew_stands_where_it_does_whatever_the_time_of_day(tmp_path: Path):
    clock, member = Hands(BEGAN_S + 1), Member(0, scenario())
    first = Node(clock, 7e5, BEGAN_S, started(STARTED_S + 3))
    member.place(first, "a", member.share, tmp_path, ())
    member.look(clock, BEGAN_S)
    assert (0.0, 3.0) == (member.parts[0].from_s, member.clock_ahead_s(STARTED_S))
    clock.sleep_s(605)
    member.lose(606.0)

    second = Node(clock, -400.0, BEGAN_S + 610, started(STARTED_S + 610 + 3600))
    member.place(second, "b", member.share, tmp_path, ())
    clock.sleep_s(6)
    member.look(clock, BEGAN_S)

    assert [0.0, 610.0] == [part.from_s for part in member.parts]
    (event,) = member.events(STARTED_S)
    assert (612.0, STARTED_S + 612) == (event.time_s, event.wall_time)
