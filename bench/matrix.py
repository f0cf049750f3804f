"""Is every defect caught by the right check? `python -m bench.matrix [--json FILE] [NAME...]`.

Every defect of the faulty target around the embedded engine (where the defect is one of choosing
whom to forget, around the memory target), one run each, and configurations with nothing wrong. A
row is right when the exit code is the expected one and the expected check failed, if not it alone.
What needs minutes runs five or six times as fast (SOAK_TIME_SCALE). One after the other, so that
they do not disturb each other: about an hour, on a machine that has nothing else to do. Exit code
1 where a row is wrong, 13 where the machine was too busy to tell.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from soak.report.document import as_rows, as_section
from soak.report.record import RunError, load_run
from soak.verdict import ExitCode

BRIEF = """\
question: Is this defect caught by the right check?
rate: 150/s
target: {name: faulty, params: {inner: engine, capacity_records: 20000}, timeout: 2s}
population: {keys: 4000, agents: 8, preload: 800, pinned: 0.02}
phases:
  - name: warm-up
    duration: 2s
    warm: true
    mix: &mix {store: 20, get: 30, search: 20, update: 10, delete: 10, link: 5, traverse: 5}
  - name: steady
    duration: 12s
    mix: {<<: *mix, reopen: 0.3, maintain: 0.3}
checks:
  - {name: wrong-answers, detector: never}
  - {name: errors, detector: slo, params: {total: error_count, per: count, max: 0.1%}}
  - {name: search-p95, detector: slo, params: {operation: search, quantile: p95, max: 100ms}}
  - {name: store-p95, detector: slo, params: {operation: store, quantile: p95, max: 250ms}}
  - {name: recall, detector: recall, params: {min: 0.95, min_samples: 5}}
observe: {window: 2s, judge: 2s, recall_every: 300ms}
"""
FORGETFUL = """\
question: Does it forget the right records?
rate: 300/s
target: {name: faulty, params: {capacity_records: 600}}
population: {keys: 4000, agents: 8, preload: 600}
phases:
  - {name: steady, duration: 14s, popularity: uniform, mix: {store: 50, get: 50, search: 1}}
checks:
  - {name: wrong-answers, detector: never}
  - {name: eviction, detector: slo, params: {total: eviction_inversion_ratio, max: 45%}}
observe: {window: 2s, judge: 2s}
"""
LASTING = """\
question: Is this defect caught by the right check, in twenty minutes?
rate: 40/s
target: {name: faulty, params: {inner: engine, capacity_records: 20000}}
population: {keys: 4000, agents: 8, preload: 1000}
phases:
  - name: warm-up
    duration: 2m
    warm: true
    mix: &mix {store: 20, get: 35, search: 20, update: 5, delete: 20}
  - name: steady
    duration: 22m
    mix: *mix
checks:
  - {name: wrong-answers, detector: never}
  - {name: errors, detector: slo, params: {total: error_count, per: count, max: 0.1%}}
  - {name: leak, detector: leak}
  - {name: disk-growth, detector: leak, params: {column: disk_allocated_bytes, plus: []}}
  - {name: open-files, detector: pile_up}
  - {name: threads, detector: pile_up, params: {column: threads}}
"""
SLOWING = """\
question: Does it get slower, in a quarter of an hour?
rate: 40/s
target: {name: faulty, params: {inner: engine, capacity_records: 20000}}
population: {keys: 4000, agents: 8, preload: 1000}
phases:
  - name: warm-up
    duration: 1m
    warm: true
    mix: &mix {store: 10, get: 35, search: 40, update: 5, delete: 10}
  - name: steady
    duration: 14m
    mix: *mix
checks:
  - {name: wrong-answers, detector: never}
  - {name: errors, detector: slo, params: {total: error_count, per: count, max: 0.1%}}
  - name: search-slows
    detector: degradation
    params: {series: search_service_p50_s, min_change: 0.1}
  - name: stalls
    detector: degradation
    params: {series: error_ratio, stall: 3s, max_stalls: 2}
"""
PAGE = """\
# Matrix: every defect, caught by the right check

Written by `make matrix`: real runs of the target `faulty` around the embedded engine, each with
one defect of the size in the table, after those with nothing wrong. The scenarios are in
`bench/matrix.py`; those that need minutes run five or six times as fast (SOAK_TIME_SCALE). A row
is right when the exit code is the expected one and the check that must fail did.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run. size: the defect, as parameters of the target; check: which must fail, if any."""

    name: str
    scenario: str
    size: tuple[str, ...] = ()
    check: str = ""
    code: int = 0
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it. failed: checks that did; is_right: the one that must is among them."""

    row: Row
    code: int
    failed: tuple[str, ...]
    reason: str

    @property
    def is_right(self) -> bool:
        expected = {self.row.check} if self.row.check else set()
        return self.code == self.row.code and expected <= set(self.failed)

    @property
    def is_unsure(self) -> bool:
        """The run itself says that this machine is too busy to tell: neither right nor wrong."""
        return self.code == ExitCode.UNKNOWN != self.row.code


def _wrong(name: str, *size: str) -> Row:
    return Row(name=name, scenario="brief", size=size, check="wrong-answers", code=11)


def _lasting(name: str, check: str, code: int, *size: str) -> Row:
    return Row(name=name, scenario="lasting", size=size, check=check, code=code)


def _slowing(name: str, check: str, *size: str) -> Row:
    return Row(name=name, scenario="slowing", size=size, check=check, code=10)


DEFECTS = (
    _wrong("lost", "lose_ratio=0.02"),
    _wrong("pinned lost", "lose_pinned_ratio=0.5"),
    _wrong("stale", "stale_ratio=0.1"),
    _wrong("corrupt", "corrupt_ratio=0.02"),
    _wrong("resurrected", "resurrect_ratio=0.1"),
    _wrong("tenant bleed", "bleed_ratio=0.1"),
    _wrong("disorder", "disorder_ratio=0.05"),
    _wrong("ghost", "ghost_ratio=0.05"),
    _wrong("unlinked", "unlink_ratio=0.3"),
    _wrong("lost by reopening", "reopen_loses_records=20"),
    Row(
        name="inverted eviction",
        scenario="forgetful",
        size=("evict=most_important",),
        check="eviction",
        code=10,
    ),
    Row(
        name="pinned evicted",
        scenario="forgetful",
        size=("evict=pinned_first",),
        check="wrong-answers",
        code=11,
        changes=("population.pinned=0.05",),
    ),
    Row(name="errors", scenario="brief", size=("error_ratio=0.01",), check="errors", code=10),
    Row(
        name="refuses when full",
        scenario="brief",
        size=("refuse_above_records=900",),
        check="errors",
        code=10,
    ),
    Row(
        name="slow",
        scenario="brief",
        size=("delay_s=120ms",),
        check="search-p95",
        code=10,
        changes=("target.clients=12", "rate=30/s", "population.preload=100"),
    ),
    Row(
        name="stands still",
        scenario="brief",
        size=("stall_at_s=6s", "stall_s=1500ms"),
        check="search-p95",
        code=10,
    ),
    Row(name="hangs", scenario="brief", size=("hang_at_operation=900",), check="errors", code=10),
    Row(name="crashes", scenario="brief", size=("crash_at_operation=900",), code=14),
    Row(name="cannot start", scenario="brief", size=("unavailable=true",), code=14),
    _lasting("leak per operation", "leak", 12, "leak_bytes_per_operation=1KiB"),
    _lasting(
        "leak per update", "leak", 12, "leak_operation=update", "leak_bytes_per_operation=16KiB"
    ),
    _lasting("leak per time", "leak", 12, "leak_bytes_per_s=32KiB"),
    _lasting("leak from the tenth minute on", "leak", 12, "leak_bytes_per_s=64KiB", "onset_s=10m"),
    _lasting("file leak", "open-files", 12, "fd_leak_every_operations=400"),
    _lasting("thread leak", "threads", 12, "thread_leak_every_operations=400"),
    _slowing("slower from the seventh minute on", "search-slows", "slow_factor=2", "onset_s=7m"),
    _slowing("drifts", "search-slows", "drift_s_per_hour=100ms"),
    _slowing("stalls", "stalls", "stall_at_s=2m", "stall_s=5s", "stall_every_s=3m"),
    _lasting("maintenance that does nothing", "disk-growth", 12, "never_compact=true"),
)
HEALTHY = (
    Row(name="engine, brief", scenario="brief"),
    Row(name="memory, brief", scenario="brief", changes=("target.params.inner=memory",)),
    Row(name="memory, forgetting", scenario="forgetful"),
    Row(name="engine, forgetting", scenario="brief", size=("capacity_records=900",)),
    Row(name="engine, four clients", scenario="brief", changes=("target.clients=4",)),
    Row(name="engine, bursts", scenario="brief", changes=("phases[1].arrivals=burst",)),
    Row(name="engine, latest keys", scenario="brief", changes=("phases[1].popularity=latest",)),
    Row(name="engine, lasting", scenario="lasting"),
    Row(name="engine, a quarter of an hour", scenario="slowing"),
    Row(name="memory, lasting", scenario="lasting", changes=("target.params.inner=memory",)),
    Row(
        name="engine, growing",
        scenario="lasting",
        changes=("phases[*].mix.delete=0", "population.keys=40000"),
    ),
)
# By name: the scenario, and how much faster than real time it lives.
SCENARIOS = {
    "brief": (BRIEF, 1),
    "forgetful": (FORGETFUL, 1),
    "lasting": (LASTING, 6),
    "slowing": (SLOWING, 5),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a row is wrong, 13 where a run says that it cannot be trusted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the outcomes here")
    parser.add_argument("--page", type=Path, help="and as a page of the documentation here")
    parser.add_argument("names", nargs="*", help="only rows whose name or scenario contains one")
    asked = parser.parse_args(arguments)
    rows = [row for row in (*HEALTHY, *DEFECTS) if _is_asked(row, asked.names)]
    vain = [name for name in asked.names if not any(_is_asked(row, [name]) for row in rows)]
    if vain:
        parser.error(f"no row or scenario is called {', '.join(vain)}")
    outcomes = []
    for outcome in run_all(rows):
        outcomes.append(outcome)
        print(said(outcome), flush=True)
    right = sum(outcome.is_right for outcome in outcomes)
    unsure = sum(outcome.is_unsure for outcome in outcomes)
    wrong = len(outcomes) - right - unsure
    print(f"of {len(outcomes)} rows {right} are right, {wrong} wrong, {unsure} unsure")
    if asked.json:
        lines = [{**asdict(one), "is_right": one.is_right} for one in outcomes]
        asked.json.write_text(json.dumps(lines, indent=1))
    if asked.page:
        asked.page.write_text(page(outcomes))
    return 1 if wrong else int(ExitCode.UNKNOWN) if unsure else 0


def run_all(rows: Sequence[Row]) -> Iterator[Outcome]:
    """One run after the other."""
    for row in rows:
        with tempfile.TemporaryDirectory() as folder:
            yield run(row, Path(folder))


def run(row: Row, folder: Path) -> Outcome:
    """`soak run` as typed, and what its report says."""
    scenario = folder / "matrix.yaml"
    text, scale = SCENARIOS[row.scenario]
    scenario.write_text(text)
    changes = [*(f"target.params.{one}" for one in row.size), *row.changes]
    out = folder / "runs"
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("soak")), "run", str(scenario), "--plain"),
            *("--listen", "127.0.0.1:0", "--out", str(out)),
            *(f"--set={change}" for change in changes),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SOAK_TIME_SCALE": str(scale)},
    )
    failed, reason = _verdict(out)
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return Outcome(row=row, code=done.returncode, failed=failed, reason=reason or last)


def said(outcome: Outcome) -> str:
    """A line of the table."""
    row = outcome.row
    mark = "right" if outcome.is_right else "unsure" if outcome.is_unsure else "WRONG"
    size = " ".join(row.size) or "healthy"
    failed = ", ".join(outcome.failed) or "none"
    line = f"{mark:6}  {row.name:32} {size:52} exit {outcome.code:2}  failed: {failed}"
    if outcome.is_right:
        return line
    return f"{line}\n       expected {row.code} by {row.check or 'nothing'}: {outcome.reason}"


def page(outcomes: Sequence[Outcome]) -> str:
    """The same as Markdown, with the scenarios that ran."""
    lines = ["| run | defect | check that must fail | exit code | failed | |"]
    lines.append("| --- | --- | --- | --: | --- | --- |")
    for one in outcomes:
        row = one.row
        size = " ".join((*row.size, *row.changes)) or "none"
        cells = (row.name, f"`{size}`", row.check or "none", str(one.code))
        sign = "?" if one.is_unsure else "✕"
        mark = "✓" if one.is_right else f"{sign} expected {row.code}"
        lines.append(f"| {' | '.join(cells)} | {', '.join(one.failed) or 'none'} | {mark} |")
    return PAGE + "\n".join(lines) + "\n"


def _verdict(out: Path) -> tuple[tuple[str, ...], str]:
    """The checks that failed, and the run's reason; nothing where there is no run."""
    for directory in out.glob("*/scenario.yaml"):
        try:
            document = load_run(directory.parent).document
        except RunError:
            continue
        checks = as_rows(document.get("checks"))
        failed = tuple(str(one.get("name")) for one in checks if one.get("status") == "fail")
        return failed, str(as_section(document.get("verdict")).get("reason", ""))
    return (), ""


def _is_asked(row: Row, names: Sequence[str]) -> bool:
    return not names or any(name in f"{row.name}, {row.scenario}" for name in names)


if __name__ == "__main__":
    sys.exit(main())
