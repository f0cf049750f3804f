"""Are the observers woken, whatever the wall clock does?"""

from datetime import UTC, datetime, tzinfo
from threading import Semaphore

import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest

from soak.clock import SystemClock
from soak.watch.jobs import every

PERIOD_S = 0.02
PATIENCE_S = 20.0
HOUR_S, YEAR_S = 3_600.0, 31_536_000.0


class Wall(SystemClock):
    """The machine's clocks, of which somebody sets the one on the wall."""

    def __init__(self, step_s: float) -> None:
        super().__init__()
        self._step_s, self.is_stepped = step_s, False

    def wall_s(self) -> float:
        return super().wall_s() + self._step_s * self.is_stepped


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S, -YEAR_S, 10 * YEAR_S])
def test_a_wall_clock_that_is_set_stops_no_sampling(
    step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall, calls, failures = Wall(step_s), Semaphore(0), []

    class WallTime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(wall.wall_s(), tz or UTC)

    for module in (apscheduler.schedulers.base, apscheduler.triggers.interval):
        monkeypatch.setattr(module, "datetime", WallTime)

    def is_called(times: int) -> bool:
        return all(calls.acquire(timeout=PATIENCE_S) for _ in range(times))

    jobs = {"sample": (PERIOD_S, calls.release)}
    with every(jobs, lambda *failure: failures.append(failure), wall) as notice:
        assert is_called(3)
        wall.is_stepped = True
        while step_s < 0 and calls.acquire(timeout=10 * PERIOD_S):
            pass  # what was under way
        notice()
        assert is_called(3)
    assert not failures


def test_what_a_job_raises_is_told_with_its_name() -> None:
    told, failures = Semaphore(0), []

    def fail() -> None:
        raise ValueError("no figures")

    def hear(name: str, error: BaseException) -> None:
        failures.append((name, str(error)))
        told.release()

    with every({"judge": (PERIOD_S, fail)}, hear, SystemClock()):
        assert told.acquire(timeout=PATIENCE_S)
    assert ("judge", "no figures") == failures[0]
