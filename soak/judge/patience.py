"""Has a check failed for so long that the run need not go on? As `abort` of the check says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from soak.sentences import clock_time, figure
from soak.snapshot import Snapshot
from soak.verdict import Concern, Status, Verdict

# Looks come some milliseconds early or late; the third must not be waited for because of it.
JITTER_S = 0.1


class Asked(Protocol):
    """A check as a scenario states it. abort: seconds of failing that end the run; None: never."""

    @property
    def name(self) -> str: ...
    @property
    def abort(self) -> float | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """The end of a run by one of its checks: which had failed for failed_s at the look at at_s.

    verdict: the check's from now on, since what comes after an end is not asked; its reason says
    the sentence, too.
    """

    at_s: float
    failed_s: float
    sentence: str
    verdict: Verdict


class Patience:
    """Since when each check with an `abort` has been failing, from look to look after warm-up.

    It begins anew with the process: whether a check went on failing through a gap nobody saw.
    """

    def __init__(self, checks: Iterable[Asked], warm_until_s: float) -> None:
        self._limits_s = {each.name: each.abort for each in checks if each.abort is not None}
        self._warm_until_s = warm_until_s
        self._failing_since_s: dict[str, float] = {}

    def look(self, snapshot: Snapshot) -> Abort | None:
        """The first check whose time is up. To look twice at one judgement changes nothing."""
        at_s = snapshot.judged_s
        failed = _failed(snapshot.verdicts, is_void=snapshot.certificate.is_void)
        asked = (
            [v for v in failed if v.check in self._limits_s] if at_s > self._warm_until_s else []
        )
        since_s = self._failing_since_s
        self._failing_since_s = {v.check: since_s.get(v.check, at_s) for v in asked}
        for verdict in asked:
            failed_s = at_s - self._failing_since_s[verdict.check]
            if failed_s >= self._limits_s[verdict.check] - JITTER_S:
                return _abort(verdict, at_s, failed_s, snapshot.planned_s)
        return None


def _failed(verdicts: Sequence[Verdict], *, is_void: bool) -> list[Verdict]:
    """Those that would fail the run: where figures are wrong, wrong answers alone."""
    failed = [verdict for verdict in verdicts if verdict.status is Status.FAIL]
    return [v for v in failed if v.concern is Concern.CORRECTNESS] if is_void else failed


def _abort(verdict: Verdict, at_s: float, failed_s: float, planned_s: float) -> Abort:
    after = f", which had failed for {figure(failed_s, 's')}," if failed_s else ""
    when = f"at {clock_time(at_s)} of {clock_time(planned_s)}"
    sentence = f"the check {verdict.check}{after} aborted the run {when}"
    held = replace(verdict, reason=f"{verdict.reason}; {sentence}")
    return Abort(at_s=at_s, failed_s=failed_s, sentence=sentence, verdict=held)
