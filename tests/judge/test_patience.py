"""Does a check end a run after failing without a break for as long as it says, and not before?"""

from dataclasses import dataclass, replace

import pytest

from soak.judge.patience import Abort, Patience
from soak.snapshot import Snapshot
from soak.verdict import Concern, Status, Verdict
from tests.snapshots import six_hours

SEEN = six_hours(count=1)
FAIL, PASS, UNKNOWN = Status.FAIL, Status.PASS, Status.UNKNOWN


@dataclass(frozen=True)
class Check:
    name: str
    abort: float | None


def verdict(name: str, status: Status, concern: Concern = Concern.OBJECTIVE) -> Verdict:
    return Verdict(check=name, detector="slo", concern=concern, status=status, reason="it is slow")


def look(judged_s: float, *verdicts: Verdict, is_void: bool = False) -> Snapshot:
    return replace(
        SEEN,
        judged_s=judged_s,
        planned_s=600.0,
        verdicts=verdicts,
        certificate=replace(SEEN.certificate, trusted=not is_void, is_void=is_void),
    )


def aborts(abort_s: float | None, *looks: tuple[float, Status]) -> list[float]:
    """When a check with that patience would end a run whose warm-up ends at 60 s."""
    patience = Patience([Check("p99", abort_s)], 60.0)
    found = [patience.look(look(at_s, verdict("p99", status))) for at_s, status in looks]
    return [each.at_s for each in found if each is not None]


@pytest.mark.parametrize(
    ("abort_s", "looks", "expected"),
    [
        (30.0, [(70.0, FAIL), (80.0, FAIL), (90.0, FAIL), (100.0, FAIL)], [100.0]),
        (30.0, [(70.0, FAIL), (99.99, FAIL)], [99.99]),
        (30.0, [(70.0, FAIL), (80.0, PASS), (90.0, FAIL), (100.0, FAIL)], []),
        (30.0, [(70.0, FAIL), (80.0, UNKNOWN), (90.0, FAIL), (100.0, FAIL)], []),
        (30.0, [(70.0, UNKNOWN), (110.0, UNKNOWN)], []),
        (30.0, [(20.0, FAIL), (60.0, FAIL), (70.0, FAIL)], []),
        (0.0, [(70.0, PASS), (80.0, FAIL)], [80.0]),
        (None, [(70.0, FAIL), (500.0, FAIL)], []),
        (30.0, [(float("nan"), FAIL), (70.0, FAIL)], []),
    ],
    ids=["long", "jitter", "break", "doubt", "unknown", "warm-up", "at once", "never", "unasked"],
)
def test_it_is_over_when_a_check_has_failed_for_so_long(
    abort_s: float | None, looks: list[tuple[float, Status]], expected: list[float]
) -> None:
    assert expected == aborts(abort_s, *looks)


def test_one_judgement_looked_at_again_is_one() -> None:
    assert [] == aborts(5.0, *[(70.0, FAIL)] * 20)


@pytest.mark.parametrize(
    ("concern", "expected"), [(Concern.OBJECTIVE, None), (Concern.CORRECTNESS, "oracle")]
)
def test_where_figures_are_wrong_only_wrong_answers_end_a_run(
    concern: Concern, expected: str | None
) -> None:
    patience = Patience([Check("oracle", 0.0)], 0.0)
    found = patience.look(look(10.0, verdict("oracle", FAIL, concern), is_void=True))

    assert expected == (found and found.verdict.check)


def test_the_verdict_says_who_ended_the_run_and_when() -> None:
    patience = Patience([Check("p99", 30.0)], 0.0)
    failed = verdict("p99", FAIL)

    assert None is patience.look(look(70.0, failed))
    sentence = "the check p99, which had failed for 30 s, aborted the run at 00:01:40 of 00:10:00"
    said = replace(failed, reason=f"it is slow; {sentence}")
    expected = Abort(at_s=100.0, failed_s=30.0, sentence=sentence, verdict=said)
    assert expected == patience.look(look(100.0, failed))
