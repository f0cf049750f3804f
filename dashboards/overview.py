"""Is it still well, is it leaking, what did maintenance do, and can I believe it? On one page."""

from grafanalib.core import Dashboard

from dashboards.board import Row, board
from dashboards.panels import (
    BLUE,
    GREY,
    RED,
    curve,
    dashed,
    on_the_right,
    painted,
    states,
    table,
)
from dashboards.queries import (
    maintenance_per_minute,
    now,
    of_run,
    per_s,
    quantile,
    selected,
    summed,
)
from dashboards.verdict import FAILS, PASS_FAIL, UNDECIDED, verdict

LATENCY = "soak_operation_latency_seconds"


def overview() -> Dashboard:
    return board(
        "overview",
        "Soak / Overview",
        "Is it still well, is it leaking, what did maintenance do, and can I believe it?",
        [verdict(), picture(), memory(), growth(), maintenance(), quality(), load(), resources()],
    )


def picture() -> Row:
    """One wide graph of the whole soak, with everything that happened drawn across it."""
    return (
        "The soak",
        10,
        [
            (
                24,
                curve(
                    "Latency and rate",
                    "From when an operation was due, over all operations; events as bands.",
                    "s",
                    (quantile(0.5, LATENCY, by="scenario, target"), "p50 {{target}}"),
                    (quantile(0.99, LATENCY, by="scenario, target"), "p99 {{target}}"),
                    (quantile(0.999, LATENCY, by="scenario, target"), "p99.9 {{target}}"),
                    (summed(now("soak_achieved_rate"), "target"), "achieved {{target}}"),
                    (summed(now("soak_offered_rate"), "target"), "offered {{target}}"),
                    overrides=[on_the_right("achieved.*|offered.*", "ops")],
                    log=True,
                ),
            ),
        ],
    )


def memory() -> Row:
    """Memory, and a line fitted to its lows, which what comes and goes leaves alone and a leak
    raises."""
    lows = f"min_over_time({selected('soak_target_anonymous_bytes')}[2m])"
    # It takes two lows to fit a line.
    floor = of_run(f"(predict_linear({lows}[30m:1m], 0) or {lows})")
    per_record = (
        f"sum by (target) ({now('soak_target_anonymous_bytes')}) "
        f"/ sum by (target) ({now('soak_records')})"
    )
    return (
        "Memory",
        8,
        [
            (
                10,
                curve(
                    "Memory and its floor",
                    "Private memory of the target; dashed: a line fitted to half an hour's lows.",
                    "bytes",
                    (now("soak_target_anonymous_bytes"), "anonymous"),
                    (floor, "floor"),
                    (now("soak_target_resident_bytes"), "resident"),
                    overrides=[
                        painted("anonymous", BLUE),
                        dashed("floor", RED),
                        painted("resident", GREY),
                    ],
                ),
            ),
            (
                7,
                curve(
                    "Disk",
                    "Size of the target's files, and the blocks they take.",
                    "bytes",
                    (now("soak_target_disk_bytes"), "files"),
                    (now("soak_target_disk_allocated_bytes"), "blocks"),
                ),
            ),
            (
                7,
                curve(
                    "Memory per live record",
                    "Rises where deleted or forgotten records are not given back.",
                    "bytes",
                    (per_record, "{{target}}"),
                ),
            ),
        ],
    )


def growth() -> Row:
    return (
        "Growth",
        7,
        [
            (
                12,
                curve(
                    "Live records",
                    "By tier, where the target has tiers.",
                    "short",
                    (summed(now("soak_records"), "tier"), "{{tier}}"),
                    stacked=True,
                ),
            ),
            (
                12,
                curve(
                    "Comings and goings",
                    "Records stored, deleted on request, and forgotten by the target.",
                    "suffix:records/s",
                    (summed(per_s("soak_records_stored_total")), "stored"),
                    (summed(per_s("soak_records_deleted_total")), "deleted"),
                    (summed(per_s("soak_records_evicted_total")), "evicted"),
                ),
            ),
        ],
    )


def maintenance() -> Row:
    return (
        "Maintenance",
        8,
        [
            (
                12,
                curve(
                    "Maintenance per minute",
                    "How often the target looked after itself, by kind.",
                    "short",
                    (maintenance_per_minute(), "{{kind}} ({{source}})"),
                ),
            ),
            (
                12,
                table(
                    "Ledger",
                    "The latest of each kind: what it took and what it gave back.",
                    *latest_figures(),
                    by=("kind", "source"),
                ),
            ),
        ],
    )


def latest_figures() -> list[tuple[str, str, str]]:
    """Heading, unit and expression of the ledger's columns."""
    metrics = (
        ("count", "short", "soak_maintenance_events_total"),
        ("latest", "dateTimeFromNow", "soak_maintenance_last_start_timestamp_seconds"),
        ("took", "s", "soak_maintenance_last_duration_seconds"),
        ("longest pause", "s", "soak_maintenance_last_pause_seconds"),
        ("records", "short", "soak_maintenance_last_records"),
        ("given back", "bytes", "soak_maintenance_last_reclaimed_bytes"),
    )
    found = []
    for heading, unit, metric in metrics:
        factor = " * 1000" if unit == "dateTimeFromNow" else ""
        positive = " > 0" if metric.endswith("_total") else ""
        found.append((heading, unit, f"max by (kind, source) ({now(metric)}){factor}{positive}"))
    return found


def quality() -> Row:
    return (
        "Quality",
        7,
        [
            (
                6,
                curve(
                    "Recall",
                    "Share of the true nearest live records that searches return.",
                    "percentunit",
                    (now("soak_recall_ratio"), "recall@{{k}}"),
                    from_zero=False,
                ),
            ),
            (
                6,
                curve(
                    "Health",
                    "The score, its components, and what the target reports of itself.",
                    "percentunit",
                    (now("soak_health_ratio"), "health"),
                    (now("soak_health_component_ratio"), "{{component}}"),
                    (now("soak_health_reported_ratio"), "as reported"),
                ),
            ),
            (
                6,
                curve(
                    "Wrong answers by kind",
                    "Since the start; any above zero fails the run.",
                    "short",
                    (summed(now("soak_oracle_violations_total"), "kind"), "{{kind}}"),
                ),
            ),
            (
                6,
                states(
                    "Checks",
                    "What each check said when.",
                    (status_code(), "{{check}}"),
                    mappings=PASS_FAIL,
                ),
            ),
        ],
    )


def status_code() -> str:
    """0 pass, 1 fail, 2 unknown, per check."""
    fail, unknown = (
        summed(now("soak_verdict_status", where), "check") for where in (FAILS, UNDECIDED)
    )
    return f"{fail} + 2 * {unknown}"


def load() -> Row:
    """Rate, errors, duration, by operation."""
    bad = 'outcome=~"error|timeout|wrong"'
    return (
        "Operations",
        8,
        [
            (
                8,
                curve(
                    "Rate",
                    "Operations per second, by operation.",
                    "ops",
                    (summed(per_s("soak_operations_total"), "operation"), "{{operation}}"),
                ),
            ),
            (
                8,
                curve(
                    "Errors",
                    "Operations per second that failed, took too long or answered wrongly.",
                    "ops",
                    (summed(per_s("soak_operations_total", bad), "operation"), "{{operation}}"),
                ),
            ),
            (
                8,
                curve(
                    "Latency p99",
                    "From when an operation was due, by operation.",
                    "s",
                    (quantile(0.99, LATENCY), "{{operation}}"),
                    log=True,
                ),
            ),
        ],
    )


def resources() -> Row:
    """Use and saturation of what the target runs on."""
    return (
        "Resources",
        7,
        [
            (
                8,
                curve(
                    "Processor",
                    "Of the target, of the tester, and what the target waited for; 1 is a core.",
                    "short",
                    (summed(per_s("soak_target_cpu_seconds_total")), "target"),
                    (summed(per_s("soak_tester_cpu_seconds_total")), "tester"),
                    (summed(per_s("soak_target_cpu_wait_seconds_total")), "target waits"),
                ),
            ),
            (
                8,
                curve(
                    "Storage",
                    "Bytes that the target read from and sent to storage.",
                    "Bps",
                    (summed(per_s("soak_target_read_bytes_total")), "read"),
                    (summed(per_s("soak_target_written_bytes_total")), "written"),
                ),
            ),
            (
                8,
                curve(
                    "Threads and files",
                    "Of the target's processes.",
                    "short",
                    (summed(now("soak_target_threads")), "threads"),
                    (summed(now("soak_target_open_fds")), "open files"),
                ),
            ),
        ],
    )
