"""What does the target do for itself, what does it give back, and what does it cost callers?"""

from grafanalib.core import Dashboard

from dashboards.board import Row, board
from dashboards.overview import latest_figures
from dashboards.panels import curve, on_the_right, table
from dashboards.queries import (
    CHOSEN,
    SAME_RUN,
    maintenance_per_minute,
    now,
    of_run,
    quantile,
    summed,
)

SERVICE = "soak_operation_service_seconds"


def maintenance() -> Dashboard:
    return board(
        "maintenance",
        "Soak / Maintenance",
        "What does the target do for itself, what does it give back, and what does it cost?",
        [ledger(), rhythm(), effects()],
    )


def ledger() -> Row:
    return (
        "Ledger",
        7,
        [
            (
                24,
                table(
                    "The latest of each kind",
                    "Declared by the target, or detected from outside.",
                    *latest_figures(),
                    by=("kind", "source"),
                ),
            )
        ],
    )


def rhythm() -> Row:
    """Regular maintenance has a period; one that drifts or stops is a finding."""
    events = f"increase(soak_maintenance_events_total{{{CHOSEN}}}[1h]) > 0"
    # A run that is younger than an hour has had less time for them.
    watched = f"clamp_max(soak_run_elapsed_seconds{{{CHOSEN}}}, 3600)"
    period = of_run(f"{watched} / {SAME_RUN} group_right () ({events})")
    since = f"time() - ({now('soak_maintenance_last_end_timestamp_seconds')})"
    return (
        "Rhythm",
        8,
        [
            (
                8,
                curve(
                    "Per minute",
                    "How often, by kind.",
                    "short",
                    (maintenance_per_minute(), "{{kind}} ({{source}})"),
                ),
            ),
            (
                8,
                curve(
                    "Period",
                    "Mean time between two of a kind over the last hour.",
                    "s",
                    (period, "{{kind}} ({{source}})"),
                    log=True,
                ),
            ),
            (
                8,
                curve(
                    "Time since the latest",
                    "A saw whose teeth grow is maintenance that falls behind.",
                    "s",
                    (since, "{{kind}} ({{source}})"),
                ),
            ),
        ],
    )


def effects() -> Row:
    return (
        "Gain and cost",
        9,
        [
            (
                8,
                curve(
                    "Given back",
                    "Bytes that the latest of each kind gave back, by its own account.",
                    "bytes",
                    (now("soak_maintenance_last_reclaimed_bytes"), "{{kind}}"),
                ),
            ),
            (
                8,
                curve(
                    "Duration and pause",
                    "How long the latest took, and the longest it held callers up.",
                    "s",
                    (now("soak_maintenance_last_duration_seconds"), "{{kind}} took"),
                    (now("soak_maintenance_last_pause_seconds"), "{{kind}} paused"),
                    log=True,
                ),
            ),
            (
                8,
                curve(
                    "What callers feel",
                    "p99 of service time, and disk beside it.",
                    "s",
                    (quantile(0.99, SERVICE), "{{operation}}"),
                    (summed(now("soak_target_disk_bytes")), "disk"),
                    overrides=[on_the_right("disk", "bytes")],
                    log=True,
                ),
            ),
        ],
    )
