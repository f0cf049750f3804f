"""Does a run that the tester itself fails end with a word on that, and with its record?"""

from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.controller import Controller
from soak.rundir import RunDirectory
from soak.scenario import resolve
from soak.verdict import ExitCode
from soak.watch.stopping import StopRequest


class NoSample(Controller):
    def _sample(self) -> None:
        raise ZeroDivisionError("no time passed")


class NoJudge(Controller):
    def _judge(self) -> None:
        raise ZeroDivisionError("no time passed")


@pytest.mark.parametrize(("job", "kind"), [("sample", NoSample), ("judge", NoJudge)])
def test_a_job_that_raises_ends_the_run_as_unknown_with_its_record(
    tmp_path: Path, job: str, kind: type[Controller]
):
    phase = {"name": "only", "duration": "60s", "mix": {"store": 1}}
    tree = {"name": "test", "rate": "50/s", "target": "null", "phases": [phase], "listen": None}
    observe = {"sample": "200ms", "judge": "200ms"}
    scenario = resolve(tree | {"observe": observe}, "test")
    directory = RunDirectory(tmp_path / "run")

    last = kind(scenario, directory, SystemClock(), [], {}).run(StopRequest(), lambda _: None)

    assert ExitCode.UNKNOWN == last.verdict.exit_code
    assert f"the tester failed: {job}: ZeroDivisionError" in last.verdict.reason
    assert directory.checkpoint.exists()
