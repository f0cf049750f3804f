"""Does a log file tell the run's story: start, progress, news, end?"""

import io
from dataclasses import replace

import pytest

from soak.histogram import Histogram
from soak.show.plain import Plain, new_events
from soak.snapshot import Hang, Quantiles, Snapshot
from soak.verdict import RunVerdict, Status
from tests.snapshots import maintenance_event, six_hours


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return replace(six_hours(1_000), events=())


def said(*snapshots: Snapshot) -> list[str]:
    """What is written while those snapshots come in, without the first line."""
    stream = io.StringIO()
    view = Plain(snapshots[0].identity, stream)
    for snapshot in snapshots:
        view.update(snapshot)
    return stream.getvalue().splitlines()[1:]


def test_the_first_line_names_run_scenario_target_and_address(snapshot):
    stream = io.StringIO()
    Plain(snapshot.identity, stream, url="http://127.0.0.1:9464")
    expected = "soak 20260301T120000Z-steady-1f3a: steady on engine, http://127.0.0.1:9464\n"
    assert expected == stream.getvalue()


def test_progress_is_one_line_with_rate_latency_memory_records_health_and_verdict(snapshot):
    recent = Quantiles(p50=0.0025, p99=0.0125)
    operations = {"search": replace(snapshot.operations["search"], recent=recent)}
    line = said(replace(snapshot, operations=operations, records={"live": 32_800.0}))[-1]
    assert line.startswith(
        "03:00:00 200/s of 200/s | search p50 2.5 ms p99 12.5 ms | memory 171 MiB"
    )
    assert line.endswith("| records 32,800 | health 93 % | FAIL")


def test_health_as_the_target_reports_it_stands_beside_the_score(snapshot):
    resources = {**snapshot.resources, "health_ratio": 1.0}
    line = said(replace(snapshot, resources=resources))[-1]
    assert "| health 93 % (it reports 100 %) |" in line


def test_a_rare_slow_operation_does_not_tell_the_story(snapshot):
    get, store = (snapshot.operations[name] for name in ("get", "store"))
    rare = replace(store, count=1, service=Histogram())
    line = said(replace(snapshot, operations={"reopen": rare, "get": get}))[-1]
    assert "| get p50" in line


def test_progress_comes_every_ten_seconds_however_often_snapshots_come(snapshot):
    lines = said(*(replace(snapshot, elapsed_s=float(t), verdicts=()) for t in range(60)))
    stamps = [line[:8] for line in lines if "|" in line]
    assert [f"00:00:{s:02}" for s in range(0, 60, 10)] == stamps


def test_progress_stops_when_operations_stop(snapshot):
    lines = said(replace(snapshot, state="stopping"))
    assert not any("|" in line for line in lines)


def test_a_phase_is_told_once(snapshot):
    first = replace(snapshot, phase="warm-up", phase_index=0)
    lines = said(first, first, snapshot, snapshot)
    assert [
        "03:00:00 phase warm-up (1 of 3)",
        "03:00:00 phase steady (2 of 3)",
    ] == [line for line in lines if " phase " in line]


def test_a_check_is_told_when_it_changes(snapshot):
    failing = snapshot.verdicts[2]
    unknown = replace(failing, status=Status.UNKNOWN)
    runs = [replace(snapshot, verdicts=(v,)) for v in (unknown, failing, failing)]
    lines = [line for line in said(*runs) if "check" in line]
    assert [f"03:00:00 check memory: FAIL, {failing.reason}"] == lines


def test_an_event_is_told_once_at_its_own_time_with_its_figures(snapshot):
    event = maintenance_event(3_725.0, "evict", 14.0, 9_000)
    eventful = replace(snapshot, events=(event,))
    lines = [line for line in said(eventful, eventful) if "event" in line]
    assert [
        "01:02:05 event evict 14 s (declared): records 9,000, bytes_reclaimed 16.3 MiB, "
        "longest_pause_s 4 ms"
    ] == lines


def test_an_event_noticed_late_is_told_too(snapshot):
    later, earlier = (maintenance_event(t, "evict", 1.0, 1) for t in (100.0, 95.0))
    first = replace(snapshot, events=(later,))
    lines = said(first, replace(snapshot, events=(later, earlier)))
    assert ["00:01:40", "00:01:35"] == [line[:8] for line in lines if "event" in line]


def test_when_the_last_known_event_is_gone_all_are_new():
    first, second, third = (maintenance_event(float(t), "evict", 1.0, 1) for t in range(3))
    assert (third,) == new_events((first, second, third), second)
    assert (second, third) == new_events((second, third), first)
    assert () == new_events((), first)


def test_an_operation_that_hangs_is_named(snapshot):
    line = said(replace(snapshot, hang=Hang(operation="get", index=3, age_s=64.0)))[-1]
    assert line.endswith("HANGING: get for 64 s")


def test_the_last_lines_name_the_checks_that_were_skipped(snapshot):
    stream = io.StringIO()
    view = Plain(snapshot.identity, stream)
    view.update(replace(snapshot, skipped=(("memory", "needs a run of 10 min"),)))
    view.close(snapshot.verdict)
    assert "skipped: memory, needs a run of 10 min" == stream.getvalue().splitlines()[-2]


def test_the_last_lines_give_verdict_exit_code_reason_and_report(snapshot):
    stream = io.StringIO()
    view = Plain(snapshot.identity, stream)
    view.close(RunVerdict(status=Status.PASS, exit_code=0, reason="all 4 checks passed"), "r.html")
    assert [
        "verdict: PASS (exit 0)",
        "because: all 4 checks passed",
        "report:  r.html",
    ] == stream.getvalue().splitlines()[1:]
