"""Is one operation told as the files of its run know it, whatever state they are in?"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soak.load.ring import Block, Ring
from soak.report.document import Document
from soak.report.operation import _wall, operation_document
from soak.report.operation_text import operation_text
from soak.report.record import RunError, load_run
from soak.result import OPERATIONS
from soak.snapshot import Event
from tests.runs import write_run

T0_NS = 7 * 10**15
S = 10**9
HEADER = "id,operation,phase,key,due_ns,start_ns,end_ns,outcome,detail,is_idle,slowest_by"
AT = 1_470 * S
ROWS = f"""\
{HEADER}
4711,search,steady,312,{AT},{AT + 1_000},{AT + 67_123_456},ok,0,0,latency service
12,get,warm-up,3,{2 * S},{2 * S + 7},{2 * S + 900},wrong,3,1,
13,store,warm-up,4,{3 * S},{3 * S + 7},{3 * S + 900},error,2,1,
14,get,drain,4,{5 * S},5
"""
SAID = (
    {"t_ns": 1, "kind": "error_class", "index": 2, "type": "DiskFull", "text": "no room"},
    {"t_ns": 2, "kind": "violation", "violation": "stale", "operation": "get", "key": 3}
    | {"start_ns": T0_NS + 2 * S + 7, "note": "version 4 is current, got 3"},
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Of half an hour; the ring holds two operations, of which the first is in the target."""
    path = write_run(tmp_path / "run", length_s=1_800.0, window_s=60.0, sample_s=60.0)
    (path / "operations.csv").write_text(ROWS)
    (path / "worker.jsonl").write_text("".join(json.dumps(line) + "\n" for line in SAID))
    ring = Ring.create(path / "ring.bin", 16)
    ring.start(T0_NS)
    ring.write(
        Block(
            phase=1,
            is_open=True,
            begin_s=0.0,
            end_s=1_800.0,
            due_s=np.array([1_795.0, 1_799.0]),
            operation=np.full(2, OPERATIONS.index("get"), dtype=np.uint8),
            argument=np.array([77, 78], dtype=np.int64),
        )
    )
    ring.slots().start[0] = -(T0_NS + 1_795 * S + 5)
    return path


def known(run: Path, index: int) -> Document:
    return operation_document(load_run(run), index)


def test_times_are_told_to_the_nanosecond(run):
    found = known(run, 4_711)
    assert ("search", "steady", 312, "ok") == tuple(
        found[name] for name in ("operation", "phase", "key", "outcome")
    )
    assert (1_470.0, "2026-03-01T12:24:30.000Z") == (found["due_s"], found["due"])
    assert (0.067123456, 0.067122456, 1e-6) == tuple(
        found[name] for name in ("latency_s", "service_s", "lateness_s")
    )


def test_after_a_gap_the_time_of_day_has_moved_on():
    first = Event(kind="phase", source="tester", time_s=0.0, wall_time=1e6)
    events = [first, replace(first, time_s=100.0, wall_time=1e6 + 3_700.0)]
    told = [_wall(due_s * S, events) for due_s in (50, 150)]
    assert ["1970-01-12T13:47:30.000Z", "1970-01-12T14:49:10.000Z"] == told


def test_what_went_on_meanwhile_is_told(run):
    happened = [(event["kind"], event["source"]) for event in known(run, 4_711)["meanwhile"]]
    assert [("evict", "declared"), ("evict", "detected")] == happened


def test_only_checks_that_the_operation_had_a_part_in_are_named(run):
    named = {index: [c["name"] for c in known(run, index)["checks"]] for index in (4_711, 12, 13)}
    assert {4_711: ["search-p99"], 12: ["oracle"], 13: ["store-p99", "errors"]} == named


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (12, "stale: version 4 is current, got 3"),
        (13, "DiskFull; the first of them said: no room"),
    ],
)
def test_a_failure_comes_with_the_words_of_the_worker(run, index, said):
    assert said == known(run, index)["detail"]


def test_what_is_in_the_target_is_found_in_the_ring(run):
    found, waiting = known(run, 0), known(run, 1)
    assert ("in the target", "get", "steady", 77) == tuple(
        found[name] for name in ("outcome", "operation", "phase", "key")
    )
    assert (1_795.000000005, None) == (found["sent_s"], found["finished_s"])
    assert ("not sent", None) == (waiting["outcome"], waiting["sent_s"])
    assert "finished  not yet" in operation_text(found)


@pytest.mark.parametrize("index", [2, 14, 999_999])
def test_what_is_not_on_record_is_a_mistake_that_names_others(run, index):
    with pytest.raises(RunError, match=rf"operation {index} is not on record.*are 4711"):
        known(run, index)


def test_a_run_without_those_files_has_no_operations(run):
    (run / "operations.csv").unlink()
    (run / "ring.bin").write_bytes(b"torn")
    with pytest.raises(RunError, match="there are none yet"):
        known(run, 4_711)


def test_bytes_that_are_no_text_are_passed_over(run):
    (run / "operations.csv").write_bytes(ROWS.encode().replace(b"12,get", b"\xff\0,get"))
    (run / "worker.jsonl").write_bytes(b'{"kind": "error_class" \xff\n[]\n')
    assert "ok" == known(run, 4_711)["outcome"]
    assert "" == known(run, 13)["detail"]


def test_a_person_reads_a_line_per_fact(run):
    expected = """\
operation 4711 of run

kind       search
phase      steady
key        312
due        00:24:30  (1470.000000000 s)  2026-03-01T12:24:30.000Z
sent       00:24:30  (1470.000001000 s)
finished   00:24:30  (1470.067123456 s)
latency    67.123456 ms  from due to finished
service    67.122456 ms  from sent to finished
lateness   0.001000 ms  from due to sent, no client was free: they were in the target
outcome    ok
kept as    the slowest search of its window by latency, service
meanwhile  evict (declared) at 00:24:20 for 14 s
meanwhile  evict (detected) at 00:24:21 for 12 s
check      search-p99: pass, search p99 is 11.2 ms, not above 50 ms"""
    document = {**known(run, 4_711), "run_id": "run"}
    assert expected == operation_text(document)
