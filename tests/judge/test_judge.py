"""Does every check get its verdict, and is a check that cannot decide left out and named?"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from soak.detectors import leak, never, slo
from soak.judge.judge import Judge
from soak.plugins import PluginError
from soak.seams import Evidence
from soak.verdict import Concern, Status
from tests import broken_detector


@dataclass(frozen=True)
class Check:
    name: str
    detector: str
    params: object = field(default_factory=never.Params)
    needs: float = 0.0


def evidence(**totals: float) -> Evidence:
    return Evidence(
        columns={"t_s": np.array([1.0, 2.0])}, totals=totals, warm_until_s=0.0, planned_s=60.0
    )


SEARCH = Check("search-p99", "slo", slo.Params(operation="search", max=0.05))
NEVER = Check("oracle", "never")


def test_verdicts_come_in_the_order_of_the_checks_with_their_concern():
    verdicts = Judge((SEARCH, NEVER), 60.0).judge(
        evidence(search_count=900.0, search_p99_s=0.02, checked_count=5.0, violations_lost=1.0)
    )

    assert [
        ("search-p99", "slo", Concern.OBJECTIVE, Status.PASS),
        ("oracle", "never", Concern.CORRECTNESS, Status.FAIL),
    ] == [(v.check, v.detector, v.concern, v.status) for v in verdicts]


def test_before_any_figure_every_check_is_unknown_and_says_its_name():
    verdicts = Judge((SEARCH, NEVER), 60.0).judge(evidence())

    assert {Status.UNKNOWN} == {v.status for v in verdicts}
    assert verdicts[0].reason.startswith("search-p99: search p99 is not known yet")


def test_a_check_that_needs_a_longer_run_is_skipped_and_named():
    judge = Judge((SEARCH, Check("leak", "never", needs=1800.0)), 60.0)

    assert (("leak", "needs a run of 00:30:00, this one is planned for 60 s"),) == judge.skipped
    assert 1 == len(judge.judge(evidence()))


def test_a_check_may_say_what_its_failure_means():
    @dataclass(frozen=True)
    class Own:
        concern: str = "leak"
        violations: tuple[str, ...] = ()
        min_checked: int = 1

    assert Concern.LEAK == Judge((Check("x", "never", Own()),), 1.0).judge(evidence())[0].concern


def test_a_detector_that_there_is_not_is_an_error():
    with pytest.raises(PluginError, match="slo"):
        Judge((Check("x", "sol"),), 60.0)


def test_the_tightest_latency_bound_is_known_to_the_certificate():
    loose = Check("store-p99", "slo", slo.Params(operation="store", max=0.2))
    total = Check("errors", "slo", slo.Params(total="error_count", max=0.001))

    assert 0.05 == Judge((loose, SEARCH, total, NEVER), 60.0).tightest_s
    assert np.isnan(Judge((NEVER,), 60.0).tightest_s)


def test_a_slow_detector_is_asked_once_a_period_and_at_the_end():
    judge = Judge((Check("leak", "leak", leak.Params()), NEVER), 600.0)

    def asked(now_s: float) -> tuple[str, str]:
        columns = {"t_s": np.array([1.0, now_s]), "seen": np.array([now_s, now_s])}
        totals = {"checked_count": now_s, "elapsed_s": now_s}
        at = Evidence(columns=columns, totals=totals, warm_until_s=0.0, planned_s=600.0)
        slow, quick = judge.judge(at)
        return str(id(slow)), quick.reason

    first, again, later = asked(10.0), asked(20.0), asked(75.0)

    assert first[0] == again[0] != later[0]
    assert first[1] != again[1]
    assert asked(600.0)[0] != asked(601.0)[0]


def test_the_end_is_asked_about_although_the_last_row_lies_before_it():
    judge = Judge((Check("leak", "leak", leak.Params()),), 21_600.0)

    def asked(now_s: float, last_row_s: float) -> int:
        columns = {"t_s": np.array([1.0, last_row_s])}
        totals = {"elapsed_s": now_s}
        at = Evidence(columns=columns, totals=totals, warm_until_s=0.0, planned_s=21_600.0)
        return id(judge.judge(at)[0])

    assert asked(21_510.0, 21_508.5) == asked(21_590.0, 21_588.5)
    assert asked(21_590.0, 21_588.5) != asked(21_600.0, 21_597.5)


def test_a_detector_that_raises_leaves_its_check_unknown_and_the_others_judged():
    broken = Check("mine", "tests.broken_detector", broken_detector.Params(from_s=30.0))
    judge = Judge((broken, SEARCH), 60.0)

    def asked(elapsed_s: float) -> list[Status]:
        figures = {"search_count": 900.0, "search_p99_s": 0.02, "elapsed_s": elapsed_s}
        return [verdict.status for verdict in judge.judge(evidence(**figures))]

    assert [Status.PASS, Status.PASS] == asked(10.0)
    assert [Status.UNKNOWN, Status.PASS] == asked(40.0)
    reason = judge.judge(evidence(elapsed_s=50.0))[0].reason
    assert reason.startswith("mine: its detector failed at broken_detector.py:")
    assert reason.endswith(": LookupError('no figure in 2 rows')")
