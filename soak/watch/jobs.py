"""Who wakes the observers? APScheduler: sampling and judging, each on an executor of its own.

It works in wall-clock time, so it neither paces load nor stamps figures. One thread for both would
let a slow judgement starve the sampling.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from soak.clock import TIME_SCALE


@contextmanager
def every(
    jobs: dict[str, tuple[float, Callable[[], None]]],
    on_error: Callable[[str, BaseException], None],
) -> Iterator[None]:
    """Call each job, by name, every so many seconds, until the block is left.

    on_error gets what a job raised: APScheduler itself would carry on, and an observer that fails
    in silence is the worst defect a tester can have. A call that is due while the last one still
    runs is left out; whoever is called sees it by the time that has passed.
    """
    scheduler = BackgroundScheduler(
        executors={name: ThreadPoolExecutor(1) for name in jobs},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )

    def hear_error(event: JobExecutionEvent) -> None:
        on_error(event.job_id, event.exception)

    scheduler.add_listener(hear_error, EVENT_JOB_ERROR)
    for name, (period_s, call) in jobs.items():
        seconds = period_s / TIME_SCALE
        scheduler.add_job(call, "interval", seconds=seconds, id=name, executor=name)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)
