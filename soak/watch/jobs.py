"""Who wakes the observers? APScheduler: sampling and judging, each on an executor of its own.

It works in wall-clock time, so it neither paces load nor stamps figures, and it has to be told when
that clock was set. One thread for both would let a slow judgement starve the sampling.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from soak.clock import NS_PER_S, TIME_SCALE, Clock

# Looks whether the wall clock was set; to be called about once a second.
Notice = Callable[[], None]
# Smaller steps of the clock delay a call by no more than that.
STEP_S = 1.0


@contextmanager
def every(
    jobs: dict[str, tuple[float, Callable[[], None]]],
    on_error: Callable[[str, BaseException], None],
    clock: Clock,
) -> Iterator[Notice]:
    """Call each job, by name, every so many seconds, until the block is left.

    With the wall clock put back by an hour APScheduler alone would call nothing for an hour.

    on_error gets what a job raised: APScheduler itself would carry on, and an observer that fails
    in silence is the worst defect a tester can have. A call that is due while the last one still
    runs is left out; whoever is called sees it by the time that has passed.
    """
    scheduler = BackgroundScheduler(
        executors={name: ThreadPoolExecutor(1) for name in jobs},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    ahead_s = _ahead_s(clock)

    def trigger(name: str) -> IntervalTrigger:
        return _Trigger(seconds=jobs[name][0] / TIME_SCALE, timezone="UTC")

    def hear_error(event: JobExecutionEvent) -> None:
        on_error(event.job_id, event.exception)

    def notice() -> None:
        nonlocal ahead_s
        before_s, ahead_s = ahead_s, _ahead_s(clock)
        if abs(ahead_s - before_s) > STEP_S:
            for name in jobs:
                scheduler.reschedule_job(name, trigger=trigger(name))

    scheduler.add_listener(hear_error, EVENT_JOB_ERROR)
    for name, (_, call) in jobs.items():
        scheduler.add_job(call, trigger(name), id=name, executor=name)
    scheduler.start()
    try:
        yield notice
    finally:
        scheduler.shutdown(wait=True)


class _Trigger(IntervalTrigger):  # type: ignore[misc]
    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """One call for all that were missed: a clock put forward by years missed millions, and
        APScheduler would list them before it takes the last."""
        due: datetime = super().get_next_fire_time(previous_fire_time, now)
        return due if due > now else now + self.interval


def _ahead_s(clock: Clock) -> float:
    """The wall clock, of the monotonic one."""
    return clock.wall_s() - clock.monotonic_ns() / NS_PER_S
