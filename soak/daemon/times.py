"""When is a schedule due? Cron expressions and intervals in UTC, as APScheduler counts them.

Times come from the wall clock alone: the same before and after a restart, with nothing to keep.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
CRON_HELP = "minute hour day month weekday, in UTC, like 30 2 * * mon-fri"
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
# APScheduler reads names as far as it knows them: `mon-` as mon, `mon-fri/2` without its step.
_NAMES = re.compile(r"[a-z]+(?:-[a-z]+)?", re.IGNORECASE)
_LAST = re.compile("last", re.IGNORECASE)
_NUMBERS = re.compile(r"(?:(\*)|([0-7])(?:-([0-7]))?)(?:/([1-7]))?")


class Times:
    """Moments without an end, in seconds since 1970."""

    def __init__(self, trigger: Any) -> None:
        self._trigger = trigger

    def after(self, moment_s: float) -> float:
        """The first one later than that; infinite where there is none."""
        later = datetime.fromtimestamp(moment_s, UTC) + timedelta(microseconds=1)
        found: datetime | None = self._trigger.get_next_fire_time(None, later)
        return found.timestamp() if found else math.inf


def interval_times(every_s: float) -> Times:
    """Multiples of the interval since 1970: those of `6h` are 00:00, 06:00, 12:00 and 18:00."""
    return Times(IntervalTrigger(seconds=every_s, start_date=_BEGIN, timezone=UTC))


def cron_times(text: str) -> Times:
    """Those of a cron expression with five fields. Raises ValueError."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"has {len(fields)} fields of 5: {CRON_HELP}")
    minute, hour, day, month, weekday = fields
    if "*" not in (day[0], weekday[0]):
        # To cron either would do, to APScheduler both must hold.
        raise ValueError("has a day of the month and a weekday; make one of them *")
    for field, names in ((day, _LAST), (month, _NAMES), (weekday, _NAMES)):
        _require_whole(field, names)
    try:
        trigger = CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month,
            day_of_week=_weekdays(weekday),
            timezone=UTC,
        )
    except ValueError as error:
        raise ValueError(f"cannot be read: {error}; it is {CRON_HELP}") from error
    times = Times(trigger)
    if times.after(0.0) == math.inf:
        raise ValueError("never comes")
    return times


def _require_whole(field: str, names: re.Pattern[str]) -> None:
    for part in field.split(","):
        if part[:1].isalpha() and not names.fullmatch(part):
            why = f"{part} is no name or range of names"
            raise ValueError(f"cannot be read: {why}; it is {CRON_HELP}")


def _weekdays(field: str) -> str:
    """Numbers as names: 0 and 7 are Sunday to cron, and 0 is Monday to APScheduler."""
    return ",".join(_named(part) for part in field.split(","))


def _named(part: str) -> str:
    match = _NUMBERS.fullmatch(part)
    if match is None or part == "*":
        return part
    star, first, last, step = match.groups()
    begin, end = (0, 6) if star else (int(first), int(last or first))
    if begin > end:
        raise ValueError(f"{part} ends before it begins")
    return ",".join(DAYS[begin : end + 1 : int(step or 1)])
