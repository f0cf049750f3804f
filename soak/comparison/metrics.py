"""Which figures are compared, which way is worse, and how much worse is too much?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from soak.report.document import as_rows, as_section
from soak.verdict import Mistake

Level = Literal["fail", "warn"]

LATENCIES = ("latency_p50", "latency_p95", "latency_p99", "service_p50", "service_p99")
# Results of each run below which a quantile is not compared.
NEEDED: Mapping[str, int] = {"p50": 100, "p95": 200, "p99": 500}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure. scale: a change is a share of the baseline, or a difference in the unit.

    threshold: the largest change for the worse that is allowed, above 0; None where the figure is
    only shown. spread: by how much whole runs of the same thing usually differ, as a standard
    deviation on that scale, before several baseline runs tell. level: whether what is beyond the
    threshold fails the comparison or is a warning in it; asked: how --threshold named what must
    hold, empty where nobody did.
    """

    name: str
    unit: str
    threshold: float | None
    spread: float
    worse: Literal["up", "down"] = "up"
    scale: Literal["ratio", "difference"] = "ratio"
    level: Level = "fail"
    asked: str = ""

    @property
    def operation(self) -> str:
        """Empty where the figure is of all of them."""
        return self.name.rpartition(".")[0]

    @property
    def allowed(self) -> float | None:
        """The threshold as a change, below 0 where less is worse."""
        if self.threshold is None or self.worse == "up":
            return self.threshold
        return -self.threshold


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
    # Of less than the whole, so what runs differ by weighs more.
    Metric(name="memory_per_record", unit="bytes", threshold=0.20, spread=0.01),
    Metric(name="disk", unit="bytes", threshold=0.20, spread=0.005),
    Metric(name="cpu_per_operation", unit="s", threshold=None, spread=TIME_SPREAD),
)
# Latency from due is what a caller feels, and its tail what an objective bounds; but a busy machine
# moves the tail by more than that in runs that are equal, so it warns. The median of service time
# is where a slower target shows first, unmoved by how late the tester's threads wake.
LATENCY_THRESHOLDS: Mapping[str, tuple[float, Level]] = {
    "latency_p95": (0.10, "warn"),
    "latency_p99": (0.10, "warn"),
    "service_p50": (0.10, "fail"),
}
SHOWN: tuple[None, Level] = (None, "fail")


def metrics(operations: Sequence[str], changes: Sequence[str] = ()) -> list[Metric]:
    """All that are compared for those operations.

    changes: `name=threshold` as after --threshold; `latency_p99=25%` is for all operations,
    `search.latency_p99=25%` for one, `recall=0.02` is a difference, `memory=none` only shows it,
    `memory=warn:20%` only warns. Raises Mistake for a name or a value there is not.
    """
    chosen = {metric.name: metric for metric in WHOLE}
    for operation in operations:
        for name in LATENCIES:
            threshold, level = LATENCY_THRESHOLDS.get(name, SHOWN)
            metric = Metric(
                name=f"{operation}.{name}",
                unit="s",
                threshold=threshold,
                spread=TIME_SPREAD,
                level=level,
            )
            chosen[metric.name] = metric
    for change in changes:
        _change(chosen, change)
    return list(chosen.values())


def compared(
    plan: Mapping[str, object], measured: Iterable[str], changes: Sequence[str]
) -> list[Metric]:
    """The metrics of a run: those of what was measured, and what changes ask for of its plan.

    measured: names of figures. An operation that only warm-up has is in the plan and is never
    measured. Raises Mistake as metrics() does.
    """
    seen = dict.fromkeys(name.partition(".")[0] for name in measured if "." in name)
    known = metrics(list(dict.fromkeys([*seen, *planned(plan)])), changes)
    return [each for each in known if each.asked or each.operation in ("", *seen)]


def planned(plan: Mapping[str, object]) -> list[str]:
    """The operations of a scenario as its YAML says it."""
    mixes = [as_section(phase.get("mix")) for phase in as_rows(plan.get("phases"))]
    found = [str(name) for mix in mixes for name, weight in mix.items() if weight]
    return [*dict.fromkeys(found), *(["maintain"] if plan.get("maintain_every") else [])]


def _change(chosen: dict[str, Metric], change: str) -> None:
    asked, equals, text = change.partition("=")
    matching = [name for name in chosen if asked in (name, name.partition(".")[2])]
    if not equals or not matching:
        whole = ", ".join(metric.name for metric in WHOLE)
        raise Mistake(
            f"--threshold {change}: is not METRIC=CHANGE; metrics are {whole}, and of each "
            f"operation {', '.join(LATENCIES)} (search.latency_p99, or all: latency_p99)"
        )
    level: Level = "warn" if text.startswith("warn:") else "fail"
    threshold = _threshold(change, text.removeprefix("warn:"))
    must_hold = threshold is not None and level == "fail"
    for name in matching:
        chosen[name] = replace(
            chosen[name], threshold=threshold, level=level, asked=asked if must_hold else ""
        )


def _threshold(change: str, text: str) -> float | None:
    if text == "none":
        return None
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 100:
        raise Mistake(f"--threshold {change}: is no change like 10%, 0.1, warn:10% or none")
    return value
