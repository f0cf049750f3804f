"""How long do operations take, and whose fault is it? By operation, quantile and moment."""

from grafanalib.core import Dashboard

from dashboards.board import Row, board
from dashboards.panels import curve, heatmap
from dashboards.queries import per_s, quantile

LATENCY = "soak_operation_latency_seconds"
SERVICE = "soak_operation_service_seconds"
LATENESS = "soak_operation_lateness_seconds"


def latency() -> Dashboard:
    return board(
        "latency",
        "Soak / Latency",
        "How long do operations take, and whose fault is it?",
        [spread(), quantiles(), causes()],
    )


def spread() -> Row:
    """Counts by bucket. A Prometheus with native histograms draws this from latency itself."""
    classic = f"sum by (le) ({per_s(f'{LATENCY}_bucket')})"
    native = f"sum ({per_s(LATENCY)})"
    return (
        "All of them",
        10,
        [
            (
                24,
                heatmap(
                    "Latency of all operations",
                    "From when they were due; a band that parts is a pause that some waited for.",
                    "s",
                    f"{classic} or {native}",
                ),
            )
        ],
    )


def quantiles() -> Row:
    return (
        "By operation",
        9,
        [
            (
                8,
                curve(
                    f"Latency {title}",
                    "From when an operation was due to its answer.",
                    "s",
                    (quantile(share, LATENCY), "{{operation}}"),
                    log=True,
                    legend="table",
                ),
            )
            for title, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))
        ],
    )


def causes() -> Row:
    """Latency is lateness and service time; this parts them."""
    total, count = per_s(f"{SERVICE}_sum"), per_s(f"{SERVICE}_count")
    mean = f"sum by (operation) ({total}) / sum by (operation) ({count})"
    native = (
        f"histogram_sum(sum by (operation) ({per_s(SERVICE)})) "
        f"/ histogram_count(sum by (operation) ({per_s(SERVICE)}))"
    )
    return (
        "Whose fault",
        9,
        [
            (
                8,
                curve(
                    "Service time p99",
                    "From issue to answer: the target alone.",
                    "s",
                    (quantile(0.99, SERVICE), "{{operation}}"),
                    log=True,
                ),
            ),
            (
                8,
                curve(
                    "Lateness p99",
                    "From due to issue: a client was late, or all were inside the target.",
                    "s",
                    (quantile(0.99, LATENESS), "{{operation}}"),
                    log=True,
                ),
            ),
            (
                8,
                curve(
                    "Mean service time",
                    "What an operation costs on average.",
                    "s",
                    (f"({mean}) or ({native})", "{{operation}}"),
                    log=True,
                ),
            ),
        ],
    )
