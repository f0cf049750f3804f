"""Does all hold that a target claims? Claims one by one, then two soaks, the second with kills."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from soak.clock import Clock, iso_utc
from soak.conformance.interview import Answer, interviewed
from soak.conformance.ordeal import endured
from soak.conformance.scene import promised_by
from soak.scenario import Scenario, dump
from soak.verdict import ExitCode, Mistake

UNDER_LOAD = "answers are right under load"
THROUGH_KILLS = "what was acknowledged outlasts kills"


def certified(scenario: Scenario, out: Path, clock: Clock, kills_count: int) -> Iterator[Answer]:
    """The answers as they come. out: a folder for everything that was asked and done.

    Raises Mistake where the target cannot start, or nothing can be written.
    """
    stamp = iso_utc(clock.wall_s())[:19].replace(":", "").replace("-", "")
    folder = out / f"{stamp}Z-{scenario.target.name.replace('.', '-')}"
    claims = folder / "claims"
    try:
        claims.mkdir(parents=True)
        file = folder / "certify.yaml"
        file.write_text(dump(scenario))
    except OSError as error:
        raise Mistake(f"{folder}: cannot be made: {error.strerror}; pass --out DIR") from error
    yield from interviewed(file, claims)
    yield endured(UNDER_LOAD, file, folder / "loaded", clock, 0)
    if "reopen" not in promised_by(scenario.target):
        reason = "it cannot reopen, and says so"
        yield Answer(name=THROUGH_KILLS, status="skipped", reason=reason)
    elif kills_count:
        yield endured(THROUGH_KILLS, file, folder / "killed", clock, kills_count)


def exit_code(answers: Sequence[Answer]) -> ExitCode:
    """What a process says of them."""
    words = {answer.status for answer in answers}
    if "fail" in words:
        return ExitCode.CORRECTNESS
    return ExitCode.UNKNOWN if "unknown" in words else ExitCode.PASS
