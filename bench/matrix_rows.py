"""Which runs make the matrix? Every defect that can be ordered, its size, and who must find it.

The runs with nothing wrong, too, and the scenarios of both. `python -m bench.matrix` runs them.
"""

from dataclasses import dataclass

from soak.result import Violation

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
ROTTING = f"""{SLOWING}\
  - {{name: recall-falls, detector: degradation, params: {{series: recall}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run. size: the defect, as parameters of the target; check: which must fail, if any;
    violation: what wrong answers must be called."""

    name: str
    scenario: str
    size: tuple[str, ...] = ()
    check: str = ""
    code: int = 0
    changes: tuple[str, ...] = ()
    violation: Violation | None = None


def _wrong(name: str, violation: Violation, *size: str) -> Row:
    return Row(
        name=name,
        scenario="brief",
        size=size,
        check="wrong-answers",
        code=11,
        violation=violation,
    )


def _lasting(name: str, check: str, *size: str, changes: tuple[str, ...] = ()) -> Row:
    return Row(name=name, scenario="lasting", size=size, check=check, code=12, changes=changes)


def _slowing(name: str, check: str, *size: str) -> Row:
    return Row(name=name, scenario="slowing", size=size, check=check, code=10)


DEFECTS = (
    _wrong("lost", Violation.LOST, "lose_ratio=0.02"),
    _wrong("pinned lost", Violation.PINNED_LOST, "lose_pinned_ratio=0.5"),
    _wrong("stale", Violation.STALE, "stale_ratio=0.1"),
    _wrong("corrupt", Violation.CORRUPT, "corrupt_ratio=0.02"),
    _wrong("resurrected", Violation.RESURRECTED, "resurrect_ratio=0.1"),
    _wrong("tenant bleed", Violation.BLEED, "bleed_ratio=0.1"),
    _wrong("disorder", Violation.DISORDER, "disorder_ratio=0.05"),
    _wrong("ghost", Violation.GHOST, "ghost_ratio=0.05"),
    _wrong("doubled", Violation.DISORDER, "double_ratio=0.05"),
    _wrong("unlinked", Violation.LOST, "unlink_ratio=0.3"),
    _wrong("lost by reopening", Violation.LOST, "reopen_loses_records=20"),
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
        violation=Violation.PINNED_LOST,
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
    Row(
        name="maintenance stops the world",
        scenario="brief",
        size=("maintain_stops_s=400ms",),
        check="search-p95",
        code=10,
        # Drawn so that none is due at the very end: what is not issued there is not trusted.
        changes=("seed=2",),
    ),
    Row(
        name="recall rots",
        scenario="brief",
        size=("rot_ratio_per_hour=60",),
        check="recall",
        code=10,
    ),
    Row(name="hangs", scenario="brief", size=("hang_at_operation=900",), check="errors", code=10),
    Row(name="crashes", scenario="brief", size=("crash_at_operation=900",), code=14),
    Row(name="cannot start", scenario="brief", size=("unavailable=true",), code=14),
    _lasting("leak per operation", "leak", "leak_bytes_per_operation=1KiB"),
    _lasting("leak per update", "leak", "leak_operation=update", "leak_bytes_per_operation=16KiB"),
    _lasting("leak per time", "leak", "leak_bytes_per_s=32KiB"),
    _lasting("leak from the tenth minute on", "leak", "leak_bytes_per_s=64KiB", "onset_s=10m"),
    _lasting("leak in steps", "leak", "leak_bytes_per_s=64KiB", "leak_step_bytes=4MiB"),
    _lasting(
        "leak per error",
        "leak",
        "leak_bytes_per_error=32KiB",
        "error_ratio=0.03",
        changes=("checks[1].params.max=10%",),
    ),
    _lasting("leak on disk", "disk-growth", "leak_disk_bytes_per_operation=2KiB"),
    _lasting("file leak", "open-files", "fd_leak_every_operations=400"),
    _lasting("thread leak", "threads", "thread_leak_every_operations=400"),
    _slowing("slower from the seventh minute on", "search-slows", "slow_factor=2", "onset_s=7m"),
    _slowing("drifts", "search-slows", "drift_s_per_hour=100ms"),
    Row(
        name="recall rots from the seventh minute on",
        scenario="rotting",
        size=("rot_ratio_per_hour=2", "onset_s=7m"),
        check="recall-falls",
        code=10,
    ),
    _slowing("stalls", "stalls", "stall_at_s=2m", "stall_s=5s", "stall_every_s=3m"),
    _lasting("maintenance that does nothing", "disk-growth", "never_compact=true"),
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
    "rotting": (ROTTING, 5),
}
