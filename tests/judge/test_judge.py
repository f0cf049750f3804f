"""Does every check get its verdict, and is a check that cannot decide left out and named?"""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from soak import plugins
from soak.detectors import degradation, density, leak, never, slo, worst_window
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
    phases: tuple[str, ...] | None = None


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


@dataclass(frozen=True)
class Phase:
    name: str
    duration: float


def test_a_check_of_phases_needs_them_to_last_as_long():
    phases = [Phase("warm-up", 20.0), Phase("low", 10.0), Phase("high", 30.0)]
    check = Check("slows", "degradation", degradation.Params(series="get_p50_s"), 35.0, ("high",))

    assert (("slows", "needs phases of 35 s, these are planned for 30 s"),) == Judge(
        (check,), 60.0, phases
    ).skipped
    assert () == Judge((replace(check, phases=("low", "high")),), 60.0, phases).skipped


def test_a_check_judges_its_phases_alone():
    """Twice as many bytes a record in the second phase, and nothing but that counts there."""
    phases = [Phase("low", 100.0), Phase("high", 100.0), Phase("end", 100.0)]
    t_s = np.arange(1.0, 301.0)
    live = np.full(t_s.size, 1000.0)
    held = np.where((t_s > 100) & (t_s <= 200), 2e6, 1e6)
    columns = {"t_s": t_s, "disk_bytes": held, "live_records": live}
    params = density.Params(max=1_500_000, column="disk_bytes")
    checks = [
        Check(name, "density", params, 0.0, names)
        for name, names in {"all": None, "one": ("high",), "others": ("low", "end")}.items()
    ]
    seen = Evidence(columns=columns, totals={"elapsed_s": 300.0}, warm_until_s=0.0, planned_s=300.0)

    found = {v.check: (v.status, v.effect) for v in Judge(checks, 300.0, phases).judge(seen)}

    assert {
        "all": (Status.PASS, 1e6),
        "one": (Status.FAIL, 2e6),
        "others": (Status.PASS, 1e6),
    } == found


@pytest.mark.parametrize(
    "detector", ["degradation", "density", "growth_law", "leak", "pile_up", "threshold_rule"]
)
def test_before_its_phases_a_check_is_unknown(detector: str):
    params = {"degradation": {"series": "get_p50_s"}}
    stated = plugins.params_model("detectors", detector).model_validate(params.get(detector, {}))
    t_s = np.arange(1.0, 90.0)
    names = ("get_p50_s", "live_records", "disk_bytes", "anonymous_bytes", "open_fds")
    columns = {"t_s": t_s, **dict.fromkeys(names, np.ones(t_s.size))}
    seen = Evidence(columns=columns, totals={"elapsed_s": 90.0}, warm_until_s=0.0, planned_s=200.0)
    check = Check("late", detector, stated, 0.0, ("second",))
    phases = [Phase("first", 100.0), Phase("second", 100.0)]

    judge = Judge((check,), 200.0, phases)

    said = [(v.status, v.reason) for each in (seen, evidence()) for v in judge.judge(each)]
    assert [(Status.UNKNOWN, "late: none of its phases has begun")] * 2 == said


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

    tight = Check("worst", "worst_window", worst_window.Params(series="get_p99_s", max=0.01))
    served = Check(
        "own", "worst_window", worst_window.Params(series="get_service_p99_s", max=0.001)
    )

    assert 0.05 == Judge((loose, SEARCH, total, served, NEVER), 60.0).tightest_s
    assert 0.01 == Judge((SEARCH, tight), 60.0).tightest_s
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
