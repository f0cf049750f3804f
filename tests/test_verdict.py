"""Which exit code do the answers of all checks add up to?"""

import pytest

from soak.verdict import Concern, ExitCode, Status, Verdict, merge


def check(status: Status, concern: Concern = Concern.OBJECTIVE) -> Verdict:
    reason = f"{concern} is {status}"
    return Verdict(check="x", detector="slo", concern=concern, status=status, reason=reason)


GOOD = check(Status.PASS)
OPEN = check(Status.UNKNOWN)
SLOW = check(Status.FAIL)
LEAK = check(Status.FAIL, Concern.LEAK)
WRONG = check(Status.FAIL, Concern.CORRECTNESS)


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([GOOD, GOOD], ExitCode.PASS),
        ([], ExitCode.UNKNOWN),
        ([GOOD, OPEN], ExitCode.UNKNOWN),
        ([OPEN, SLOW], ExitCode.OBJECTIVE),
        ([OPEN, SLOW, LEAK], ExitCode.LEAK),
        ([SLOW, LEAK, WRONG], ExitCode.CORRECTNESS),
        ([WRONG, OPEN], ExitCode.CORRECTNESS),
    ],
)
def test_wrong_answers_come_before_leaks_before_objectives_before_what_is_unknown(
    checks: list[Verdict], code: int
):
    assert code == merge(checks, trusted=True).exit_code
    assert code == merge(reversed(checks), trusted=True).exit_code


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([GOOD], ExitCode.UNKNOWN),
        ([SLOW, LEAK], ExitCode.UNKNOWN),
        ([SLOW, WRONG], ExitCode.CORRECTNESS),
    ],
)
def test_a_void_run_is_unknown_unless_an_answer_was_wrong(checks: list[Verdict], code: int):
    assert code == merge(checks, trusted=False, distrust="the clock jumped").exit_code


def test_the_reason_is_that_of_the_gravest_failures():
    assert "leak is fail; leak is fail" == merge([SLOW, LEAK, GOOD, LEAK], trusted=True).reason
    assert "the clock jumped" in merge([GOOD], trusted=False, distrust="the clock jumped").reason


def test_a_run_that_skips_every_check_is_not_said_to_have_none():
    said = "no check was asked: there is none, or each needs a longer run than this"

    assert said == merge([], trusted=True).reason
