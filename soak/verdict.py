"""Pass, fail or unknown: the words of judgement, how they merge, and the exit code they mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Status(StrEnum):
    """Unknown is an answer: a check that cannot decide never says pass."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class ExitCode(IntEnum):
    """What the process says to a CI job; the README tells users the same under "Use"."""

    PASS = 0
    USAGE = 2
    OBJECTIVE = 10
    CORRECTNESS = 11
    LEAK = 12
    UNKNOWN = 13
    TARGET = 14
    INTERRUPTED = 130
    TERMINATED = 143


class Mistake(Exception):
    """Something a person can put right. Its message is all that is shown; never a traceback."""

    exit_code: int = ExitCode.USAGE


class Concern(StrEnum):
    """What a failed check means for the exit code, in order of precedence."""

    CORRECTNESS = "correctness"
    LEAK = "leak"
    OBJECTIVE = "objective"


EXIT_OF = {
    Concern.CORRECTNESS: ExitCode.CORRECTNESS,
    Concern.LEAK: ExitCode.LEAK,
    Concern.OBJECTIVE: ExitCode.OBJECTIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One check's answer at one moment.

    effect and threshold are in unit; interval is the effect's confidence interval, None where the
    detector has none. since_s: seconds since the start of the run at which the trouble began.
    """

    check: str
    detector: str
    concern: Concern
    status: Status
    reason: str
    effect: float | None = None
    threshold: float | None = None
    unit: str = ""
    since_s: float | None = None
    interval: tuple[float, float] | None = None
    details: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunVerdict:
    """The whole run in one word, one number and one sentence."""

    status: Status
    exit_code: int
    reason: str


NOBODY_ASKED = "no check was asked: there is none, or each needs a longer run than this"


def merge(verdicts: Iterable[Verdict], *, trusted: bool, distrust: str = "") -> RunVerdict:
    """The run's verdict: wrong answers and leaks first, then objectives, then what is unknown.

    A violated oracle fails even an untrusted run, because a wrong answer is wrong on any machine;
    everything that depends on timing or sampling does not.
    """
    judged = list(verdicts)
    for concern in Concern:
        failed = [v for v in judged if v.status is Status.FAIL and v.concern is concern]
        if failed and (trusted or concern is Concern.CORRECTNESS):
            reason = "; ".join(v.reason for v in failed)
            return RunVerdict(status=Status.FAIL, exit_code=EXIT_OF[concern], reason=reason)
    if not trusted:
        return RunVerdict(
            status=Status.UNKNOWN,
            exit_code=ExitCode.UNKNOWN,
            reason=f"this run cannot be trusted: {distrust}",
        )
    unknown = [v for v in judged if v.status is Status.UNKNOWN]
    if unknown or not judged:
        reason = "; ".join(v.reason for v in unknown) or NOBODY_ASKED
        return RunVerdict(status=Status.UNKNOWN, exit_code=ExitCode.UNKNOWN, reason=reason)
    return RunVerdict(
        status=Status.PASS,
        exit_code=ExitCode.PASS,
        reason=f"all {len(judged)} checks passed",
    )
