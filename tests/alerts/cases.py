"""One case per alert: figures that make it fire and then cease. A value is a promtool series."""

from collections.abc import Mapping
from dataclasses import dataclass, field

RUN = {"job": "soak", "instance": "i", "scenario": "steady", "target": "engine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """series: (metric, own labels, figures a minute). quiet, firing, over: minutes.

    labels: what the alert carries beside its rule's own. value: as {{ $value }} is written.
    """

    alert: str
    series: tuple[tuple[str, Mapping[str, str], str], ...]
    firing: str
    over: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: str = ""
    quiet: str = "0m"


def failing(alert: str, check: str) -> Case:
    """A verdict that is pass for five minutes, fail for five, then pass."""
    return Case(
        alert=alert,
        series=(
            ("soak_verdict_status", {"check": check, "status": "fail"}, "0x4 1x4 0x10"),
            ("soak_verdict_status", {"check": check, "status": "pass"}, "1x4 0x4 1x10"),
        ),
        labels={"check": check, "status": "fail"},
        quiet="4m",
        firing="7m",
        over="12m",
    )


def burning(alert: str, share: float, value: str, firing: str, over: str) -> Case:
    """Of 6000 searches a minute that share takes longer than 50 ms, for three hours."""
    bad = round(6000 * share)
    good = f"0+6000x30 {180000 + 6000 - bad}+{6000 - bad}x180"
    calm = 180000 + 6000 - bad + (6000 - bad) * 180
    return Case(
        alert=alert,
        series=(
            (
                "soak_operation_latency_seconds_bucket",
                {"operation": "search", "le": "0.05"},
                f"{good} {calm + 6000}+6000x600",
            ),
            ("soak_operation_latency_seconds_count", {"operation": "search"}, "0+6000x900"),
        ),
        labels={"check": "search-p99"},
        value=value,
        quiet="25m",
        firing=firing,
        over=over,
    )


EVICT = {"kind": "evict"}
# An eviction every ten minutes for five hours, then none; each ends when it begins.
EVICTIONS = "0x9 " + " ".join(f"{n}x9" for n in range(1, 30)) + " 30x300"
LAST_EVICTION = "0x9 " + " ".join(f"{600 * n}x9" for n in range(1, 30)) + " 18000x300"

CASES = (
    failing("SoakWrongAnswers", "wrong-answers"),
    *(failing("SoakLeak", check) for check in ("leak", "disk-growth")),
    *(failing("SoakPileUp", check) for check in ("open-files", "threads")),
    *(failing("SoakDegrades", check) for check in ("search-slows", "store-slows", "recall-falls")),
    failing("SoakRecallLow", "recall"),
    failing("SoakFootprintHigh", "footprint"),
    *(
        failing("SoakObjectiveMissed", check)
        for check in ("errors", "throughput", "store-p99", "search-p99")
    ),
    burning("SoakObjectiveBurnsFast", 0.1, "10", firing="100m", over="230m"),
    burning("SoakObjectiveBurnsSlowly", 0.03, "3", firing="190m", over="300m"),
    Case(
        alert="SoakTargetAbsent",
        series=(("soak_run_expected_end_timestamp_seconds", {}, "1800x9 _x60"),),
        firing="20m",
        over="35m",
        quiet="9m",
    ),
    Case(
        alert="SoakWorkerDown",
        series=(("soak_run_state", {"state": "failed"}, "0x4 1x4 stale"),),
        labels={"state": "failed"},
        firing="7m",
        over="15m",
    ),
    Case(
        alert="SoakRunFailed",
        series=(("soak_outcome_exit_code", {}, "0x1 12x4 0x10"),),
        value="12",
        firing="4m",
        over="9m",
    ),
    Case(
        alert="SoakRegression",
        series=(
            (
                "soak_schedule_comparison_status",
                {"schedule": "nightly", "status": "fail"},
                "0x4 1x4 0x10",
            ),
        ),
        labels={"schedule": "nightly", "status": "fail"},
        firing="7m",
        over="12m",
    ),
    Case(
        alert="SoakScheduledRunFailed",
        series=(
            ("soak_schedule_last_exit_code", {"schedule": "nightly"}, "0x4 10x20"),
            (
                "soak_schedule_comparison_status",
                {"schedule": "nightly", "status": "fail"},
                "0x8 1x20",
            ),
        ),
        labels={"schedule": "nightly"},
        value="10",
        firing="7m",
        over="12m",
    ),
    Case(
        alert="SoakTargetHangs",
        series=(("soak_hang_seconds", {"operation": "get"}, "0x4 15x4 0x10"),),
        labels={"operation": "get"},
        value="15",
        firing="8m",
        over="12m",
    ),
    Case(
        alert="SoakRunNotTrusted",
        series=(("soak_certificate_trusted", {}, "1x4 0x4 1x10"),),
        firing="8m",
        over="12m",
    ),
    Case(
        alert="SoakTesterLate",
        series=(("soak_tester_hiccup_seconds", {"rank": "p50"}, "0.001x4 0.02x4 0.001x10"),),
        labels={"rank": "p50"},
        value="20ms",
        firing="8m",
        over="12m",
    ),
    Case(
        alert="SoakSamplerFails",
        series=(("soak_sampler_success", {"sampler": "disk"}, "1x4 0x4 1x10"),),
        labels={"sampler": "disk"},
        firing="8m",
        over="12m",
    ),
    Case(
        alert="SoakResultsDropped",
        series=(("soak_results_dropped_total", {}, "0x4 7x20"),),
        firing="7m",
        over="15m",
    ),
    Case(
        alert="SoakExporterFull",
        series=(("soak_exporter_series_dropped", {}, "0x4 40x4 0x10"),),
        value="40",
        firing="7m",
        over="12m",
    ),
    Case(
        alert="SoakRemoteWriteDrops",
        series=(("soak_push_samples_dropped_total", {}, "0x4 500x30"),),
        firing="7m",
        over="20m",
    ),
    Case(
        alert="SoakMemoryRunsOut",
        # A million bytes a minute towards 200 million, then flat.
        series=(
            ("soak_target_anonymous_bytes", {}, "0+1000000x60 60000000x120"),
            ("soak_host_limit_bytes", {}, "200000000x200"),
        ),
        value="286.1Mi",
        firing="60m",
        over="120m",
    ),
    Case(
        alert="SoakDiskRunsOut",
        series=(("soak_target_disk_free_bytes", {}, "200000000-1000000x60 140000000x120"),),
        firing="60m",
        over="120m",
    ),
    Case(
        alert="SoakHealthLow",
        series=(("soak_health_ratio", {}, "0.9x4 0.3x10 0.9x10"),),
        value="30%",
        firing="13m",
        over="20m",
    ),
    Case(
        alert="SoakRecallFalls",
        series=(("soak_recall_ratio", {"k": "10"}, "0.98x90 0.9x200"),),
        labels={"k": "10"},
        value="90%",
        quiet="90m",
        firing="125m",
        over="240m",
    ),
    Case(
        alert="SoakMaintenanceStopped",
        series=(("soak_maintenance_events_total", EVICT, EVICTIONS),),
        labels=EVICT,
        value="12",
        quiet="300m",
        firing="336m",
        over="450m",
    ),
    Case(
        alert="SoakMaintenanceOverdue",
        series=(
            ("soak_maintenance_events_total", EVICT, EVICTIONS),
            ("soak_maintenance_last_end_timestamp_seconds", EVICT, LAST_EVICTION),
        ),
        labels=EVICT,
        value="48m 0s",
        quiet="300m",
        firing="348m",
        over="450m",
    ),
)
