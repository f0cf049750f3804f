"""Is a log line one line, stamped by the run's clock, for people and for machines?"""

import io
import json
import sys
from collections.abc import Iterator

import pytest
import structlog

from soak import logs


class StoppedClock:
    def monotonic_ns(self) -> int:
        return 0

    def wall_s(self) -> float:
        return 1_772_366_400.0

    def sleep_s(self, duration_s: float) -> None: ...


@pytest.fixture(autouse=True)
def leave_no_trace() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def written(*, as_json: bool, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(StoppedClock(), as_json=as_json, level=level, stream=stream)
    return stream


def test_a_line_for_people_has_time_level_event_and_facts():
    stream = written(as_json=False)
    logs.log().error("worker_died", pid=42, uptime_s=3.5)
    assert (
        "2026-03-01T12:00:00.000Z [error    ] worker_died pid=42 uptime_s=3.5\n"
        == stream.getvalue()
    )


def test_a_line_for_machines_is_one_json_object():
    stream = written(as_json=True)
    logs.log().info("run_started", target="engine", rate_per_s=200.0)
    assert {
        "time": "2026-03-01T12:00:00.000Z",
        "level": "info",
        "event": "run_started",
        "target": "engine",
        "rate_per_s": 200.0,
    } == json.loads(stream.getvalue())


@pytest.mark.parametrize(("level", "lines"), [("debug", 2), ("info", 1), ("error", 0)])
def test_what_is_below_the_level_is_not_written(level, lines):
    stream = written(as_json=True, level=level)
    logs.log().debug("sampled")
    logs.log().info("run_started")
    assert lines == len(stream.getvalue().splitlines())


@pytest.mark.parametrize("as_json", [True, False], ids=["machines", "people"])
def test_a_traceback_shows_no_variables(as_json):
    stream = written(as_json=as_json)
    secret = "local variable"
    try:
        raise ValueError(f"bad {len(secret)}")
    except ValueError:
        logs.log().exception("job_failed")
    assert "ValueError: bad 14" in stream.getvalue()
    assert secret not in stream.getvalue().replace("secret = ", "")


def test_without_a_stream_lines_go_to_whatever_stderr_is_now(monkeypatch):
    logs.configure(StoppedClock(), as_json=True)
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stderr", replaced)
    logs.log().info("run_started")
    assert "run_started" in replaced.getvalue()
