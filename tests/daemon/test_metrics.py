"""Does one page have the metrics of all, each series once and each figure right?"""

import re
import socket
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from soak.daemon.metrics import fetched, merged, schedule_text
from soak.daemon.passing import passed_on
from soak.daemon.standing import Going, Outcome, Standing
from soak.show.exporter import Exporter
from tests.daemon.test_standing import HOUR_S, NOW_S, soak_of
from tests.snapshots import six_hours

LAST = Outcome(run="r", status="fail", exit_code=10, reason="", ended_s=NOW_S, comparison="fail")


def figures(text: str) -> dict[str, float]:
    """Name and labels, but for scenario and target, to the value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            own = ",".join(v for k, v in sample.labels.items() if k not in ("scenario", "target"))
            assert f"{sample.name} {own}" not in found
            found[f"{sample.name} {own}"] = sample.value
    return found


def test_an_idle_schedule_says_when_it_is_due_and_how_its_last_run_ended():
    counts = {"pass": 3, "fail": 1, "unknown": 0}
    standing = Standing(since_s=NOW_S, last=LAST, counts=counts)

    found = figures(schedule_text(soak_of("a"), standing, NOW_S, None))

    assert {
        "soak_schedule_next_run_timestamp_seconds a": NOW_S + HOUR_S,
        "soak_schedule_state a,idle": 1,
        "soak_schedule_state a,waiting": 0,
        "soak_schedule_state a,running": 0,
        "soak_schedule_runs_total a,pass": 3,
        "soak_schedule_runs_total a,fail": 1,
        "soak_schedule_runs_total a,unknown": 0,
        "soak_schedule_last_exit_code a": 10,
        "soak_schedule_last_end_timestamp_seconds a": NOW_S,
        "soak_schedule_last_verdict_status a,pass": 0,
        "soak_schedule_last_verdict_status a,fail": 1,
        "soak_schedule_last_verdict_status a,unknown": 0,
        "soak_schedule_comparison_status a,pass": 0,
        "soak_schedule_comparison_status a,fail": 1,
        "soak_schedule_comparison_status a,unknown": 0,
    } == found


def test_a_schedule_waits_or_runs_and_says_whether_its_run_answers():
    waiting = Standing(since_s=NOW_S - 2 * HOUR_S)
    running = Standing(since_s=NOW_S, going=Going(scenario="smoke", target="engine", since_s=0.0))

    found = figures(schedule_text(soak_of("a"), waiting, NOW_S, None))
    assert 1 == found["soak_schedule_state a,waiting"]
    assert "soak_schedule_run_up a" not in found
    for page, is_up in ((None, 0), ("", 1)):
        found = figures(schedule_text(soak_of("a"), running, NOW_S, page))
        assert (1, is_up) == (
            found["soak_schedule_state a,running"],
            found["soak_schedule_run_up a"],
        )


def test_pages_become_one_with_every_series_below_the_only_head_of_its_metric():
    page = Exporter().render(six_hours(1_000)).decode()
    other = page.replace('target="engine"', 'target="null"')

    both = merged([page, other, schedule_text(soak_of("a"), Standing(since_s=0), NOW_S, None)])

    heads = re.findall(r"^# TYPE (\S+) ", both, re.MULTILINE)
    assert len(heads) == len(set(heads))
    series = [line for line in both.splitlines() if not line.startswith("#")]
    wanted = [line for text in (page, other) for line in text.splitlines() if line[0] != "#"]
    assert set(wanted) < set(series)
    assert len(series) == len(set(series))
    assert page == merged([page])


def test_a_run_that_does_not_answer_has_no_page():
    assert None is fetched("http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"HTTP/1.0 302 x\r\nLocation: http://127.0.0.1:1/\r\n\r\nthere", (302, b"there")),
        (b"HTTP/1.0 503 x\r\n\r\nnot yet", (503, b"not yet")),
        (b"HTTP/1.0 200 x\r\nContent-Length: 50\r\n\r\nhalf", None),
        (b"HTTP/1.0 599 x\r\n\r\n", None),
        (b"garbage\r\n", None),
    ],
)
def test_what_a_dying_run_says_is_an_answer_or_none(
    said: bytes, expected: tuple[int, bytes] | None
):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reply() -> None:
            connection = server.accept()[0]
            with connection:
                connection.recv(4_096)
                connection.sendall(said)

        thread = threading.Thread(target=reply)
        thread.start()
        answer = passed_on(f"http://127.0.0.1:{server.getsockname()[1]}", "/api/run")
        thread.join()

    assert expected == (answer and (answer.status, answer.body))
