"""Can this run be trusted? What the tester and the machine did while the target was judged.

The rules ask whether a disturbance could have changed a verdict, not whether there was one:
shared machines always disturb. What only makes things slower (neighbours, a late tester) cannot
turn a broken objective into a kept one, because latency counts from when an operation was due; so
it is a reason only where a time or rate objective is broken, and casts doubt on nothing else: no
neighbour makes memory grow or an answer wrong. What makes figures wrong or missing is a reason
always, and voids them all.

Idle lateness (a client was waiting for the operation and
still started late) was measured on two shared virtual CPUs at 200 operations per second, 8,000
each: 0.05 ms median, 0.3 ms p99, 44 ms worst on the idle machine; 0.03 / 1.0 / 5 ms beside two
busy processes of lower priority; 0.44 / 15 / 90 ms beside five of equal priority. Worst and p99
move by a factor of ten and more with the neighbours, the median does not, so the median says
whether the tester keeps its schedule, and the p99 only has to stay small against the tightest
objective that is judged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from soak.detectors._course import SPEED
from soak.judge.machine import Machine
from soak.sentences import count, figure
from soak.snapshot import NAN, Certificate, Gap, Quantiles
from soak.verdict import Status, Verdict

# What neighbours and a late tester can make worse: times and rates, and nothing else.
SLOWED_UNITS = ("s", "1/s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on a run is not trusted.

    idle_lateness_p50_s: above what a crowded machine shows. idle_lateness_p99_ratio: of the
    tightest latency bound judged, because lateness adds to latency; below idle_lateness_p99_s it
    never counts. issued_ratio: of what was due, unless the clients were in the target busy_ratio of
    their time, or hang there. written_late_ratio: share of operations that were due before the
    tester had written them into the schedule.
    tester_cpu_ratio: one thread drives the tester; above this it cannot keep up. steal_ratio,
    memory_pressure_ratio, throttled_ratio: share of the time, on average over the run.
    starved_ratio: of the time the target's threads wanted a CPU, they waited for one, while
    others than target and tester used foreign_ratio of the machine. hiccup_p50_s: how late a
    thread that only sleeps wakes in the worker. clock_step_s: a run that was suspended, or whose
    wall clock jumped. sampler_gap_count: samples that failed or were left out; as many as
    sampler_failure_ratio of all are tolerated in a long run.
    """

    idle_lateness_p50_s: float = 0.001
    idle_lateness_p99_s: float = 0.005
    idle_lateness_p99_ratio: float = 0.5
    min_idle_count: int = 100
    issued_ratio: float = 0.99
    busy_ratio: float = 0.5
    written_late_ratio: float = 0.001
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
class Conditions:
    """Everything the certificate rests on, accumulated since time zero.

    lateness: of all operations (start - due). idle_lateness: of those a client had waited for;
    idle_count how many. due_count and unissued_count: operations that were due, and those of them
    that no client came to in time. busy_ratio: share of the clients' time that they were in the
    target; is_hanging: all of them were at the end. written_late_count: due before the tester had
    scheduled them, worst by written_late_s. is_slow: whether a time or rate objective is broken.
    tightest_s: the smallest latency bound among the checks, nan without one. samples, failures,
    worst_gap: per sampler, all, failed, and most failed in a row. loss: what the record lacks, a
    sentence, empty where it is whole; lost_lines: how many lines of logs that is. gaps: when nobody
    was there; they spoil nothing, because run time stands still in them.
    """

    lateness: Quantiles = field(default_factory=Quantiles)
    idle_lateness: Quantiles = field(default_factory=Quantiles)
    idle_count: int = 0
    due_count: int = 0
    unissued_count: int = 0
    busy_ratio: float = 0.0
    is_hanging: bool = False
    written_late_count: int = 0
    written_late_s: float = 0.0
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
    loss: str = ""
    lost_lines: int = 0
    gaps: tuple[Gap, ...] = ()


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


def is_slow(verdicts: Iterable[Verdict]) -> bool:
    """Whether an objective is broken that a disturbance could have broken."""
    return any(_is_slow(verdict) for verdict in verdicts)


def doubted(verdicts: Iterable[Verdict], certificate: Certificate) -> tuple[Verdict, ...]:
    """The verdicts, with what a disturbance could have broken turned from fail into unknown."""
    if certificate.trusted or certificate.is_void:
        return tuple(verdicts)
    why = "; ".join(certificate.reasons)
    return tuple(
        replace(verdict, status=Status.UNKNOWN, reason=f"{verdict.reason}, but {why}")
        if _is_slow(verdict)
        else verdict
        for verdict in verdicts
    )


def _is_slow(verdict: Verdict) -> bool:
    is_speed = verdict.unit in SLOWED_UNITS or verdict.details.get("measures") == SPEED
    return verdict.status is Status.FAIL and is_speed


def certify(conditions: Conditions, limits: Limits | None = None) -> Certificate:
    """The certificate. Every reason is a sentence with the figure and the limit."""
    limits = limits or Limits()
    machine = conditions.machine
    voids = [*_of_figures(conditions, limits), *_of_samplers(conditions, limits)]
    slowed: list[str] = []
    if conditions.is_slow:
        slowed = [*_of_lateness(conditions, limits), *_of_machine(machine, limits)]
    return Certificate(
        trusted=not (voids or slowed),
        reasons=(*voids, *slowed),
        is_void=bool(voids),
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
        lost_lines=conditions.lost_lines,
        gaps=conditions.gaps,
    )


def _of_figures(conditions: Conditions, limits: Limits) -> Sequence[str]:
    """What makes figures wrong, whatever they say."""
    reasons = []
    machine = conditions.machine
    if conditions.dropped_results:
        reasons.append(f"{count(conditions.dropped_results)} results were lost")
    if conditions.loss:
        reasons.append(conditions.loss)
    if machine.tester_cpu_ratio > limits.tester_cpu_ratio:
        reasons.append(
            f"the tester used {figure(machine.tester_cpu_ratio, 'ratio')} of a CPU, "
            f"above {figure(limits.tester_cpu_ratio, 'ratio')}"
        )
    if abs(machine.clock_step_s) > limits.clock_step_s:
        step = figure(machine.clock_step_s, "s")
        reasons.append(f"wall clock and monotonic clock parted by {step} between two samples")
    late, due = conditions.written_late_count, conditions.due_count
    if late > limits.written_late_ratio * due:
        reasons.append(
            f"{count(late)} of {count(due)} operations were scheduled after they were due, "
            f"up to {figure(conditions.written_late_s, 's')} late: the tester itself stood still"
        )
    reasons.extend(_of_issue(conditions, limits))
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


def _of_issue(conditions: Conditions, limits: Limits) -> Sequence[str]:
    """A target that is too slow for the load is a finding; a tester that is, is none."""
    missed, due = conditions.unissued_count, conditions.due_count
    is_short = missed > (1 - limits.issued_ratio) * due
    if not is_short or conditions.is_hanging or conditions.busy_ratio > limits.busy_ratio:
        return ()
    return (
        f"{count(missed)} of {count(due)} operations were not issued, although the clients were "
        f"in the target {figure(conditions.busy_ratio, 'ratio')} of the time only",
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
        tolerated = max(limits.sampler_gap_count, limits.sampler_failure_ratio * samples)
        if gap > tolerated:
            reasons.append(f"sampler {name} gave nothing {count(gap)} times in a row")
        elif failures > tolerated:
            reasons.append(f"sampler {name} failed {count(failures)} of {count(samples)} times")
    return reasons
