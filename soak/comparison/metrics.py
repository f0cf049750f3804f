"""Which figures are compared, which way is worse, and how much worse is too much?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from soak.verdict import Mistake

LATENCIES = ("latency_p50", "latency_p95", "latency_p99", "service_p50", "service_p99")
# Results of each run below which a quantile is not compared.
NEEDED: Mapping[str, int] = {"p50": 100, "p95": 200, "p99": 500}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure. scale: a change is a share of the baseline, or a difference in the unit.

    threshold: the largest change for the worse that is allowed, above 0; None where the figure is
    only shown. spread: by how much whole runs of the same thing usually differ, as a standard
    deviation on that scale, before several baseline runs tell.
    """

    name: str
    unit: str
    threshold: float | None
    spread: float
    worse: Literal["up", "down"] = "up"
    scale: Literal["ratio", "difference"] = "ratio"


# Where the program lies in memory, what else the machine does: a run of the same thing is faster or
# slower as a whole. Assumed for a quiet machine; `make compare-check` prints what it is on yours.
TIME_SPREAD = 0.015
WHOLE = (
    Metric(name="throughput", unit="1/s", threshold=0.10, spread=0.002, worse="down"),
    Metric(name="errors", unit="ratio", threshold=0.001, spread=0.0, scale="difference"),
    Metric(
        name="recall",
        unit="recall",
        threshold=0.01,
        spread=0.001,
        worse="down",
        scale="difference",
    ),
    Metric(name="memory", unit="bytes", threshold=0.20, spread=0.005),
    Metric(name="memory_per_record", unit="bytes", threshold=0.20, spread=0.005),
    Metric(name="disk", unit="bytes", threshold=0.20, spread=0.005),
    Metric(name="cpu_per_operation", unit="s", threshold=None, spread=TIME_SPREAD),
)
# Latency from due is what a caller feels, and its tail is the objective; the median of service
# time is where a slower target shows first, unmoved by how late the tester's threads wake.
LATENCY_THRESHOLDS: Mapping[str, float] = {"latency_p99": 0.10, "service_p50": 0.10}


def metrics(operations: Sequence[str], changes: Sequence[str] = ()) -> list[Metric]:
    """All that are compared for those operations.

    changes: `name=threshold` as after --threshold; `latency_p99=25%` is for all operations,
    `search.latency_p99=25%` for one, `recall=0.02` is a difference, `memory=none` only shows it.
    Raises Mistake for a name or a value there is not.
    """
    chosen = {metric.name: metric for metric in WHOLE}
    for operation in operations:
        for name in LATENCIES:
            metric = Metric(
                name=f"{operation}.{name}",
                unit="s",
                threshold=LATENCY_THRESHOLDS.get(name),
                spread=TIME_SPREAD,
            )
            chosen[metric.name] = metric
    for change in changes:
        _change(chosen, change)
    return list(chosen.values())


def _change(chosen: dict[str, Metric], change: str) -> None:
    asked, equals, text = change.partition("=")
    matching = [name for name in chosen if asked in (name, name.partition(".")[2])]
    if not equals or not matching:
        whole = ", ".join(metric.name for metric in WHOLE)
        raise Mistake(
            f"--threshold {change}: is not METRIC=CHANGE; metrics are {whole}, and of each "
            f"operation {', '.join(LATENCIES)} (search.latency_p99, or all: latency_p99)"
        )
    threshold = _threshold(change, text)
    for name in matching:
        chosen[name] = replace(chosen[name], threshold=threshold)


def _threshold(change: str, text: str) -> float | None:
    if text == "none":
        return None
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 100:
        raise Mistake(f"--threshold {change}: is no change like 10%, 0.1 or none")
    return value
