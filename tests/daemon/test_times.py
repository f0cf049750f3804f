"""Are times those that cron and a clock on the wall say?"""

from datetime import UTC, datetime
from math import inf

import pytest

from soak.daemon.times import cron_times, interval_times

SUNDAY = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def later(times, moment: datetime = SUNDAY) -> str:
    return f"{datetime.fromtimestamp(times.after(moment.timestamp()), UTC):%a %d %H:%M:%S}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 2 * * *", "Mon 02 02:00:00"),
        ("0 12 * * *", "Mon 02 12:00:00"),  # strictly later than noon
        ("*/15 * * * *", "Sun 01 12:15:00"),
        ("0 0 * * 0", "Sun 08 00:00:00"),
        ("0 0 * * 7", "Sun 08 00:00:00"),
        ("0 0 * * 1", "Mon 02 00:00:00"),
        ("0 0 * * 3-5", "Wed 04 00:00:00"),
        ("0 0 * * 2-6/2", "Tue 03 00:00:00"),
        ("0 0 * * 5,6", "Fri 06 00:00:00"),
        ("0 13 * * 5-7", "Sun 01 13:00:00"),
        ("0 0 * * */4", "Thu 05 00:00:00"),
        ("0 0 * * sat", "Sat 07 00:00:00"),
        ("0 0 * * Mon-Wed,fri", "Mon 02 00:00:00"),
        ("0 0 last feb-apr *", "Tue 31 00:00:00"),
        ("30 6 15 * *", "Sun 15 06:30:00"),
    ],
)
def test_a_cron_expression_means_what_cron_means_by_it(text: str, expected: str):
    assert expected == later(cron_times(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 2 * *", "has 4 fields of 5"),
        ("0 25 * * *", "cannot be read"),
        ("0 0 * * 9", "cannot be read"),
        ("0 0 * * mon-", "cannot be read: mon- is no name"),
        ("0 0 * * fri,mon-fri/2", "cannot be read: mon-fri/2 is no name"),
        ("0 0 * jan- *", "cannot be read: jan- is no name"),
        ("0 0 last-3 * *", "cannot be read: last-3 is no name"),
        ("0 0 * * 5-1", "ends before it begins"),
        ("0 0 1 * mon", "make one of them"),
        ("0 0 30 2 *", "never comes"),
    ],
)
def test_an_expression_that_means_nothing_or_two_things_is_refused(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        cron_times(text)


def test_an_interval_s_times_are_its_multiples_and_do_not_depend_on_the_start():
    times = interval_times(6 * 3600.0)

    assert "Sun 01 18:00:00" == later(times)
    assert "Sun 01 18:00:00" == later(times, SUNDAY.replace(hour=17, minute=59, second=59))
    moment_s = SUNDAY.timestamp()
    for _ in range(100):
        assert moment_s + 6 * 3600 == times.after(moment_s) < inf
        moment_s = times.after(moment_s)
