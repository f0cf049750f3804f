"""Does everybody hear the same last word of a run, and is it the exit code?"""

from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from soak.clock import SystemClock
from soak.comparison.gate import Gate
from soak.outlets import outlets
from soak.report.record import load_run
from soak.rundir import RunDirectory
from soak.session import Told, carry_out
from soak.snapshot import Snapshot
from soak.verdict import ExitCode, RunVerdict, Status
from soak.watch.stopping import StopRequest
from tests.runs import write_run
from tests.servers import serving
from tests.snapshots import six_hours

PASSED = RunVerdict(status=Status.PASS, exit_code=ExitCode.PASS, reason="all 7 checks passed")
COARSE = {"length_s": 21_600.0, "window_s": 60.0, "sample_s": 10.0}


class Gateway(BaseHTTPRequestHandler):
    """Keeps what is pushed in the server's `pushed`."""

    def do_PUT(self) -> None:
        self.server.pushed = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Finished:
    """A controller whose run has passed all but the gate."""

    def __init__(self, environment: dict[str, object] | None = None) -> None:
        seen = replace(six_hours(100), environment=environment or {})
        mine = replace(seen.identity, run_id="mine")
        self._last = replace(seen, identity=mine, state="finished", verdicts=(), verdict=PASSED)
        self.latest = replace(seen, verdicts=())

    def beat_age_s(self) -> float:
        return 0.0

    def run(self, stop: StopRequest, show: Callable[[Snapshot], None]) -> Snapshot:
        return self._last


def ended(directory: RunDirectory, controller: Finished, gate: Gate) -> tuple[int, str]:
    """The exit code, and what the Pushgateway got."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    with serving(server):
        published = outlets([f"pushgateway=http://127.0.0.1:{server.server_port}"])
        told = Told(plain=True, as_json=False, listen=None, published=published)
        code = carry_out(controller, directory, SystemClock(), told, gate)
    return code, server.pushed


def test_a_pass_that_cannot_be_written_is_pushed_and_shown_as_the_unknown_it_ends_as(
    tmp_path: Path,
):
    directory, controller = RunDirectory(tmp_path), Finished()
    directory.report.with_name("report.json.partial").symlink_to("/dev/full")

    code, pushed = ended(directory, controller, Gate())

    assert ExitCode.UNKNOWN == code == controller.latest.verdict.exit_code
    assert "soak_outcome_exit_code{} 13.0" in pushed


def test_a_run_that_could_not_be_compared_keeps_its_report(tmp_path: Path):
    baseline = load_run(write_run(tmp_path / "before", **COARSE))
    directory = RunDirectory(write_run(tmp_path / "after", **COARSE))
    controller = Finished(baseline.document["environment"])

    code, _ = ended(directory, controller, Gate(baselines=[baseline], thresholds=["nothing=1%"]))

    report = load_run(directory.path).document
    (check,) = report["checks"]
    assert (ExitCode.UNKNOWN, "finished") == (code, report["state"])
    assert ("baseline", "unknown") == (check["name"], check["status"])
    assert check["reason"].startswith("baseline: --threshold nothing=1%: is not METRIC=CHANGE")
    assert directory.report_html.exists()


def test_what_the_gate_says_is_pushed_and_shown(tmp_path: Path):
    baseline = load_run(write_run(tmp_path / "before", **COARSE))
    directory = RunDirectory(write_run(tmp_path / "after", "leaking", **COARSE))
    controller = Finished(baseline.document["environment"])

    code, pushed = ended(
        directory, controller, Gate(baselines=[baseline], thresholds=["memory=1%"])
    )

    verdict = controller.latest.verdict
    assert ExitCode.UNKNOWN == code == verdict.exit_code
    assert verdict.reason.startswith("baseline: too uncertain to tell: memory")
    assert "soak_outcome_exit_code{} 13.0" in pushed
    assert verdict.reason == load_run(directory.path).document["verdict"]["reason"]
