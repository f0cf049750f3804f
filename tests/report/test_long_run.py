"""Has the report of four weeks room in a pod of 1 GiB, and are its totals right?"""

import json
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import pytest

from soak.report.record import load_run
from soak.watch.windows import HEADER
from tests.runs import write_run

DAY_S = 86_400
WINDOW_S = 10
OPERATIONS = ("store", "get", "search", "update", "delete", "link", "traverse", "scan", "maintain")
EVENT_EVERY_S = 7
MOST_MB = 500
# Of a process of its own: tests before this one may have needed more.
PROGRAM = """
import sys, time
from pathlib import Path
from soak.report.files import write_reports
write_reports(Path(sys.argv[1]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024, time.process_time())
"""


def write_long_run(path: Path, days: int) -> int:
    """A run whose rows repeat themselves; how many operations are in windows.csv."""
    length_s = days * DAY_S
    write_run(path, length_s=length_s, window_s=length_s / 100, sample_s=length_s / 20_000)
    rows = [f"{100 + i},{100 + i},0,0,0,0,0.001,0.002,0.00{3 + i % 5}" for i in range(97)]
    rows = [f"{row},0.009,0.02,0.001234567,0.002345678,0.003,1.2e-05,3.4e-05\n" for row in rows]
    tails = cycle(rows)
    with (path / "windows.csv").open("w") as file:
        file.write(HEADER + "\n")
        for start_s in range(0, length_s, WINDOW_S):
            head = f"{start_s},{start_s + WINDOW_S},{'steady' if start_s >= DAY_S else 'warm-up'}"
            file.writelines(f"{head},{name},{next(tails)}" for name in OPERATIONS)
    with (path / "events.jsonl").open("a") as file:
        for at_s in range(0, length_s, EVENT_EVERY_S):
            event = {"time_s": at_s, "wall_time": 1.7e9 + at_s, "kind": "demote"}
            event |= {"source": "declared", "duration_s": 0.5, "maintenance": True, "records": 3}
            file.write(json.dumps(event) + "\n")
    with (path / "worker.jsonl").open("a") as file:
        for at_s in range(0, length_s, 10):
            said = {"t_ns": at_s, "kind": "counters", "checked": at_s, "violations": {}}
            file.write(json.dumps(said) + "\n")
    windows = length_s // WINDOW_S * len(OPERATIONS)
    return sum(100 + i for i in islice(cycle(range(97)), windows))


@pytest.mark.slow
@pytest.mark.parametrize("days", [1, 28])
def test_a_long_run_has_a_report_within_bounds(
    tmp_path: Path, days: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    count = write_long_run(run, days)

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(run)], capture_output=True, text=True, check=True
    )
    peak_mb, cpu_s = map(float, ended.stdout.split())
    with capsys.disabled():
        sys.stdout.write(f"\nreport of {days} days: {peak_mb:.0f} MB at most, {cpu_s:.1f} s\n")
    (run / "report.json").unlink()
    record = load_run(run)
    document = record.document

    assert peak_mb < MOST_MB
    assert (days > 1) == any("windows are shown as one" in note for note in record.notes)
    assert count == sum(row["count"] for row in document["operations"].values())
    [demoted] = [row for row in document["maintenance"]["counts"] if row["kind"] == "demote"]
    assert -(-days * DAY_S // EVENT_EVERY_S) == demoted["count"]
    assert days * DAY_S - 10 == document["oracle"]["checked"]
