"""Can the tester be believed? Its lateness, its own memory, its samplers, and the machine."""

from grafanalib.core import Dashboard

from dashboards.board import Row, board
from dashboards.panels import GREEN, RED, curve, said, states, steps, tile
from dashboards.queries import now, per_s, quantile, summed

LATENESS = "soak_operation_lateness_seconds"


def tester() -> Dashboard:
    return board(
        "tester",
        "Soak / Tester",
        "Can the tester be believed?",
        [trust(), punctuality(), itself(), machine()],
    )


def trust() -> Row:
    none = steps((GREEN, None), (RED, 1))
    return (
        "",
        5,
        [
            (
                6,
                tile(
                    "Trusted",
                    "Whether the certificate finds a reason to doubt the figures.",
                    "none",
                    f"min({now('soak_certificate_trusted')})",
                    mappings=said((1, "yes", GREEN), (0, "NO", RED)),
                    sparkline=False,
                ),
            ),
            (
                6,
                tile(
                    "Results lost",
                    "Results that were never counted.",
                    "short",
                    f"sum({now('soak_results_dropped_total')})",
                    thresholds=none,
                    sparkline=False,
                ),
            ),
            (
                6,
                tile(
                    "Series left out",
                    "By the exporter's cap.",
                    "short",
                    f"sum({now('soak_exporter_series_dropped')})",
                    thresholds=none,
                    sparkline=False,
                ),
            ),
            (
                6,
                tile(
                    "Answers checked",
                    "Compared with the oracle since the start.",
                    "short",
                    f"sum({now('soak_oracle_checked_total')})",
                ),
            ),
        ],
    )


def punctuality() -> Row:
    return (
        "Punctuality",
        8,
        [
            (
                8,
                curve(
                    "Lateness",
                    "From due to issue, over all operations.",
                    "s",
                    (quantile(0.5, LATENESS, by="target"), "p50"),
                    (quantile(0.99, LATENESS, by="target"), "p99"),
                    log=True,
                ),
            ),
            (
                8,
                curve(
                    "Hiccups",
                    "How late a thread of the worker wakes that only sleeps.",
                    "s",
                    (now("soak_tester_hiccup_seconds"), "{{rank}}"),
                    log=True,
                ),
            ),
            (
                8,
                curve(
                    "Offered and achieved",
                    "Operations per second that were due, and that were done.",
                    "ops",
                    (summed(now("soak_offered_rate")), "offered"),
                    (summed(now("soak_achieved_rate")), "achieved"),
                ),
            ),
        ],
    )


def itself() -> Row:
    return (
        "The tester itself",
        8,
        [
            (
                8,
                curve(
                    "Memory",
                    "Of the controller; flat, or something is wrong with it.",
                    "bytes",
                    (now("soak_tester_resident_bytes"), "resident"),
                    (now("soak_tester_anonymous_bytes"), "anonymous"),
                ),
            ),
            (
                8,
                curve(
                    "Processor",
                    "1 is a core; above 0.9 it cannot keep its schedule.",
                    "short",
                    (summed(per_s("soak_tester_cpu_seconds_total")), "tester"),
                ),
            ),
            (
                8,
                states(
                    "Samplers",
                    "Whether the last reading of each worked.",
                    (summed(now("soak_sampler_success"), "sampler"), "{{sampler}}"),
                    mappings=said((1, "reads", GREEN), (0, "FAILS", RED)),
                ),
            ),
        ],
    )


def machine() -> Row:
    return (
        "The machine",
        8,
        [
            (
                8,
                curve(
                    "Pressure and theft",
                    "Share of time in which a task waited, or the hypervisor took the processor.",
                    "percentunit",
                    (now("soak_host_cpu_pressure_ratio"), "waits for a processor"),
                    (now("soak_host_memory_pressure_ratio"), "waits for memory"),
                    (now("soak_host_io_pressure_ratio"), "waits for storage"),
                    (now("soak_host_steal_ratio"), "stolen"),
                ),
            ),
            (
                8,
                curve(
                    "Load and busy processors",
                    "Of everything on the machine.",
                    "short",
                    (now("soak_host_load1"), "load"),
                    (summed(per_s("soak_host_busy_seconds_total")), "busy"),
                    (now("soak_host_cpus"), "processors"),
                ),
            ),
            (
                8,
                curve(
                    "Memory of the machine",
                    "What is left without swapping, and what is allowed.",
                    "bytes",
                    (now("soak_host_available_bytes"), "available"),
                    (now("soak_host_limit_bytes"), "limit"),
                ),
            ),
        ],
    )
