"""Can this run be trusted? What the tester and the machine did while the target was judged.

The rules ask whether a disturbance could have changed a verdict, not whether there was one:
shared machines always disturb. What only makes things slower (neighbours, a late tester) cannot
turn a broken objective into a kept one, because latency counts from when an operation was due; so
it is a reason only where a time or rate objective is broken. What makes figures wrong or missing
always is one.

Idle lateness (a client was waiting for the operation and
still started late) was measured on two shared virtual CPUs at 200 operations per second, 8,000
each: 0.05 ms median, 0.3 ms p99, 44 ms worst on the idle machine; 0.03 / 1.0 / 5 ms beside two
busy processes of lower priority; 0.44 / 15 / 90 ms beside five of equal priority. Worst and p99
move by a factor of ten and more with the neighbours, the median does not, so the median says
whether the tester keeps its schedule, and the p99 only has to stay small against the tightest
objective that is judged.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from soak.seams import Floats
from soak.sentences import count, figure
from soak.snapshot import NAN, Certificate, Quantiles
from soak.verdict import Status, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on a run is not trusted.

    idle_lateness_p50_s: above what a crowded machine shows. idle_lateness_p99_ratio: of the
    tightest latency bound judged, because lateness adds to latency; below idle_lateness_p99_s it
    never counts. achieved_ratio: of what was offered, unless the target was the one too busy.
    tester_cpu_ratio: one thread drives the tester; above this it cannot keep up. steal_ratio,
    memory_pressure_ratio, throttled_ratio: share of the time, on average over the run.
    starved_ratio: of the time the target's threads wanted a CPU, they waited for one, while
    others than target and tester used foreign_ratio of the machine. hiccup_p50_s: how late a
    thread that only sleeps wakes in the worker. clock_step_s: a run that was suspended, or whose
    wall clock jumped. sampler_gap_count: failed samples in a row; sampler_failure_ratio: of all,
    once there are more than a gap's worth.
    """

    idle_lateness_p50_s: float = 0.001
    idle_lateness_p99_s: float = 0.005
    idle_lateness_p99_ratio: float = 0.5
    min_idle_count: int = 100
    achieved_ratio: float = 0.99
    busy_ratio: float = 0.5
    tester_cpu_ratio: float = 0.9
    steal_ratio: float = 0.10
    memory_pressure_ratio: float = 0.10
    throttled_ratio: float = 0.05
    starved_ratio: float = 0.25
    foreign_ratio: float = 0.25
    hiccup_p50_s: float = 0.010
    clock_step_s: float = 1.0
    sampler_gap_count: int = 3
    sampler_failure_ratio: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Tester and host over the run, as sampled; nan where nothing was read."""

    tester_rss_bytes: float = NAN
    tester_cpu_ratio: float = NAN
    steal_ratio: float = NAN
    cpu_pressure_ratio: float = NAN
    memory_pressure_ratio: float = NAN
    throttled_ratio: float = NAN
    starved_ratio: float = NAN
    foreign_ratio: float = NAN
    clock_step_s: float = NAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Everything the certificate rests on, accumulated since time zero.

    lateness: of all operations (start - due). idle_lateness: of those a client had waited for;
    idle_count how many. busy_ratio: share of operations that started late because all clients
    were in the target. is_slow: whether a time or rate objective is broken (the function below).
    tightest_s: the smallest latency bound among the checks, nan without one. samples, failures,
    worst_gap: per sampler, all, failed, and most failed in a row.
    """

    lateness: Quantiles = field(default_factory=Quantiles)
    idle_lateness: Quantiles = field(default_factory=Quantiles)
    idle_count: int = 0
    busy_ratio: float = 0.0
    hiccup: Quantiles = field(default_factory=Quantiles)
    dropped_results: int = 0
    offered_rate: float = NAN
    achieved_rate: float = NAN
    tightest_s: float = NAN
    is_slow: bool = True
    machine: Machine = field(default_factory=Machine)
    samples: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    worst_gap: Mapping[str, int] = field(default_factory=dict)


# What `machine_of` reads.
MACHINE_COLUMNS = (
    *("t_s", "tester_resident_bytes", "tester_cpu_s", "cpu_s", "cpu_wait_s"),
    *("host_steal_ratio", "host_cpu_pressure_ratio", "host_memory_pressure_ratio"),
    *("host_throttled_s", "host_clock_step_s_max", "host_busy_s", "host_cpus"),
)


class SamplerRecord:
    """How one sampler fared; three integers for the whole run."""

    __slots__ = ("failures", "gap", "samples", "worst_gap")

    def __init__(self) -> None:
        self.samples = 0
        self.failures = 0
        self.gap = 0
        self.worst_gap = 0

    def add(self, *, is_good: bool) -> None:
        self.samples += 1
        self.failures += not is_good
        self.gap = 0 if is_good else self.gap + 1
        self.worst_gap = max(self.worst_gap, self.gap)


def machine_of(columns: Mapping[str, Floats]) -> Machine:
    """Tester and host figures out of the series' columns."""
    return Machine(
        tester_rss_bytes=_last(columns, "tester_resident_bytes"),
        tester_cpu_ratio=_rate(columns, "tester_cpu_s"),
        steal_ratio=_mean(columns, "host_steal_ratio"),
        cpu_pressure_ratio=_mean(columns, "host_cpu_pressure_ratio"),
        memory_pressure_ratio=_mean(columns, "host_memory_pressure_ratio"),
        throttled_ratio=_rate(columns, "host_throttled_s"),
        starved_ratio=_share(_rate(columns, "cpu_wait_s"), _rate(columns, "cpu_s")),
        foreign_ratio=_foreign_ratio(columns),
        clock_step_s=_largest(columns, "host_clock_step_s_max"),
    )


def is_slow(verdicts: Iterable[Verdict]) -> bool:
    """Whether an objective is broken that a disturbance could have broken."""
    return any(v.status is Status.FAIL and v.detector == "slo" for v in verdicts)


def certify(conditions: Conditions, limits: Limits | None = None) -> Certificate:
    """The certificate. Every reason is a sentence with the figure and the limit."""
    limits = limits or Limits()
    machine = conditions.machine
    reasons = [*_of_figures(conditions, limits), *_of_samplers(conditions, limits)]
    if conditions.is_slow:
        reasons += [*_of_lateness(conditions, limits), *_of_machine(machine, limits)]
    return Certificate(
        trusted=not reasons,
        reasons=tuple(reasons),
        lateness=conditions.lateness,
        hiccup=conditions.hiccup,
        dropped_results=conditions.dropped_results,
        offered_rate=conditions.offered_rate,
        achieved_rate=conditions.achieved_rate,
        tester_rss_bytes=machine.tester_rss_bytes,
        tester_cpu_ratio=machine.tester_cpu_ratio,
        host_steal_ratio=machine.steal_ratio,
        host_pressure_ratio=machine.cpu_pressure_ratio,
        clock_step_s=machine.clock_step_s,
        sampler_failures=dict(conditions.failures),
    )


def _of_figures(conditions: Conditions, limits: Limits) -> Sequence[str]:
    """What makes figures wrong, whatever they say."""
    reasons = []
    machine = conditions.machine
    if conditions.dropped_results:
        reasons.append(f"{count(conditions.dropped_results)} results were lost")
    if machine.tester_cpu_ratio > limits.tester_cpu_ratio:
        reasons.append(
            f"the tester used {figure(machine.tester_cpu_ratio, 'ratio')} of a CPU, "
            f"above {figure(limits.tester_cpu_ratio, 'ratio')}"
        )
    if abs(machine.clock_step_s) > limits.clock_step_s:
        step = figure(machine.clock_step_s, "s")
        reasons.append(f"wall clock and monotonic clock parted by {step} between two samples")
    reasons.extend(_of_rate(conditions, limits))
    return reasons


def _of_lateness(conditions: Conditions, limits: Limits) -> Sequence[str]:
    """What the tester added to the latencies."""
    reasons = []
    idle = conditions.idle_lateness
    is_known = conditions.idle_count >= limits.min_idle_count
    if is_known and idle.p50 > limits.idle_lateness_p50_s:
        reasons.append(
            f"half of the operations that a client waited for started {figure(idle.p50, 's')} "
            f"late or more, above {figure(limits.idle_lateness_p50_s, 's')}"
        )
    allowed_s = limits.idle_lateness_p99_ratio * conditions.tightest_s
    if is_known and idle.p99 > max(limits.idle_lateness_p99_s, allowed_s):
        reasons.append(
            f"1 % of the operations that a client waited for started {figure(idle.p99, 's')} "
            f"late or more, too much beside an objective of {figure(conditions.tightest_s, 's')}"
        )
    if conditions.hiccup.p50 > limits.hiccup_p50_s:
        reasons.append(
            f"a sleeping thread of the worker woke {figure(conditions.hiccup.p50, 's')} late "
            f"in the median, above {figure(limits.hiccup_p50_s, 's')}"
        )
    return reasons


def _of_rate(conditions: Conditions, limits: Limits) -> Sequence[str]:
    """A target that is too slow for the load is a finding; a tester that is, is none."""
    offered, achieved = conditions.offered_rate, conditions.achieved_rate
    is_short = achieved < limits.achieved_ratio * offered
    if not is_short or conditions.busy_ratio > limits.busy_ratio:
        return ()
    return (
        f"{figure(achieved, '1/s')} of {figure(offered, '1/s')} operations were issued "
        "although clients were free",
    )


def _of_machine(machine: Machine, limits: Limits) -> Sequence[str]:
    """What the machine took from the target."""
    rules = (
        (machine.steal_ratio, limits.steal_ratio, "the host took {} of the CPU time away"),
        (
            machine.memory_pressure_ratio,
            limits.memory_pressure_ratio,
            "processes of this machine waited for memory {} of the time",
        ),
        (
            machine.throttled_ratio,
            limits.throttled_ratio,
            "the control group held processes back {} of the time",
        ),
    )
    reasons = [
        f"{sentence.format(figure(value, 'ratio'))}, above {figure(limit, 'ratio')}"
        for value, limit, sentence in rules
        if value > limit
    ]
    is_crowded = machine.foreign_ratio > limits.foreign_ratio
    if machine.starved_ratio > limits.starved_ratio and is_crowded:
        reasons.append(
            f"the target waited for a CPU {figure(machine.starved_ratio, 'ratio')} of the time "
            f"it wanted one, while other processes used {figure(machine.foreign_ratio, 'ratio')} "
            "of this machine"
        )
    return reasons


def _of_samplers(conditions: Conditions, limits: Limits) -> Sequence[str]:
    reasons = []
    for name, failures in conditions.failures.items():
        samples = conditions.samples.get(name, 0)
        gap = conditions.worst_gap.get(name, 0)
        is_frequent = failures > limits.sampler_failure_ratio * samples
        if gap > limits.sampler_gap_count:
            reasons.append(f"sampler {name} failed {count(gap)} times in a row")
        elif failures > limits.sampler_gap_count and is_frequent:
            reasons.append(f"sampler {name} failed {count(failures)} of {count(samples)} times")
    return reasons


def _present(columns: Mapping[str, Floats], name: str) -> Floats:
    column = columns.get(name, np.empty(0))
    return column[~np.isnan(column)]


def _mean(columns: Mapping[str, Floats], name: str) -> float:
    seen = _present(columns, name)
    return float(seen.mean()) if seen.size else math.nan


def _last(columns: Mapping[str, Floats], name: str) -> float:
    seen = _present(columns, name)
    return float(seen[-1]) if seen.size else math.nan


def _largest(columns: Mapping[str, Floats], name: str) -> float:
    seen = _present(columns, name)
    return float(seen.max()) if seen.size else math.nan


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else math.nan


def _foreign_ratio(columns: Mapping[str, Floats]) -> float:
    """Of all CPUs, what neither target nor tester used."""
    busy = _rate(columns, "host_busy_s")
    own = _rate(columns, "cpu_s") + _rate(columns, "tester_cpu_s")
    return max(0.0, busy - own) / _last(columns, "host_cpus")


def _rate(columns: Mapping[str, Floats], name: str) -> float:
    """How fast a cumulative column rose over the run, per second."""
    if name not in columns:
        return math.nan
    is_seen = ~np.isnan(columns[name])
    t_s, value = columns["t_s"][is_seen], columns[name][is_seen]
    return float((value[-1] - value[0]) / (t_s[-1] - t_s[0])) if t_s.size >= 2 else math.nan
