"""Is this run worse than that one? Two runs, each counted from its own start."""

from grafanalib.core import Dashboard

from dashboards.board import Row, board, variable
from dashboards.panels import curve, painted, table
from dashboards.queries import now, per_s, quantile, summed

ANY = 'scenario=~".+"'
LATENCY = "soak_operation_latency_seconds"
OTHER = "$other_run"
COLOURS = [painted("this run", "blue"), painted("other run", "orange")]


def compare() -> Dashboard:
    """Runs beside each other: at the same time, or one after the other on a long time range."""
    others = variable(
        "other_run", "Compared with", "label_values(soak_run_info, run_id)", several=False
    )
    return board(
        "compare",
        "Soak / Compare two runs",
        "Is this run worse than that one?",
        [differences(), curves(), details()],
        extra=[others],
    )


def differences() -> Row:
    """This run over the other: 1 is the same, above 1 is worse."""

    def mean(metric: str, run: str, chosen: str) -> str:
        return f"max(avg_over_time(({now(metric, run=run, chosen=chosen)})[$__range:1m]))"

    def ratio(metric: str) -> str:
        this = mean(metric, "$run_id", 'scenario=~"$scenario", target=~"$target"')
        return f'label_replace({this} / {mean(metric, OTHER, ANY)}, "figure", "{metric}", "", "")'

    figures = (
        "soak_target_anonymous_bytes",
        "soak_target_disk_bytes",
        "soak_target_open_fds",
        "soak_achieved_rate",
        "soak_health_ratio",
    )
    return (
        "Difference",
        8,
        [
            (
                12,
                table(
                    "This run over the other",
                    "Means over the time range, divided; 1 is the same.",
                    ("ratio", "short", " or ".join(ratio(figure) for figure in figures)),
                    by=("figure",),
                ),
            ),
            (
                12,
                table(
                    "Latency p99 by operation",
                    "Over the last hour of the time range.",
                    ("this run", "s", over_hour("$run_id")),
                    ("other run", "s", over_hour(OTHER)),
                    by=("operation",),
                ),
            ),
        ],
    )


def over_hour(run: str) -> str:
    """p99 by operation over an hour, native or classic."""
    native = per_s(LATENCY, run=run, chosen=ANY, window="1h")
    classic = per_s(f"{LATENCY}_bucket", run=run, chosen=ANY, window="1h")
    return (
        f"histogram_quantile(0.99, sum by (operation) ({native}))"
        f" or histogram_quantile(0.99, sum by (le, operation) ({classic}))"
    )


def curves() -> Row:
    return (
        "Side by side",
        9,
        [
            (
                8,
                curve(
                    "Latency p99",
                    "Over all operations.",
                    "s",
                    (quantile(0.99, LATENCY, by="target"), "this run"),
                    (
                        quantile(0.99, LATENCY, by="target", run=OTHER, chosen=ANY),
                        "other run",
                    ),
                    overrides=COLOURS,
                    log=True,
                ),
            ),
            (
                8,
                curve(
                    "Anonymous memory",
                    "What a leak grows.",
                    "bytes",
                    (now("soak_target_anonymous_bytes"), "this run"),
                    (now("soak_target_anonymous_bytes", run=OTHER, chosen=ANY), "other run"),
                    overrides=COLOURS,
                ),
            ),
            (
                8,
                curve(
                    "Live records",
                    "Of all tiers.",
                    "short",
                    (summed(now("soak_records")), "this run"),
                    (summed(now("soak_records", run=OTHER, chosen=ANY)), "other run"),
                    overrides=COLOURS,
                ),
            ),
        ],
    )


def details() -> Row:
    return (
        "More",
        8,
        [
            (
                8,
                curve(
                    title,
                    "Of both runs.",
                    unit,
                    (summed(now(metric)), "this run"),
                    (summed(now(metric, run=OTHER, chosen=ANY)), "other run"),
                    overrides=COLOURS,
                ),
            )
            for title, unit, metric in (
                ("Achieved rate", "ops", "soak_achieved_rate"),
                ("Disk", "bytes", "soak_target_disk_bytes"),
                ("Recall", "percentunit", "soak_recall_ratio"),
            )
        ],
    )
