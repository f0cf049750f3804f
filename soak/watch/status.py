"""How does the run stand? What was observed, as evidence for detectors and as one snapshot."""

import threading
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from soak.judge.certificate import Conditions, certify, doubted
from soak.judge.health import health
from soak.judge.judge import Judge
from soak.rundir import LineLog
from soak.scenario import Scenario
from soak.seams import Evidence, Floats
from soak.snapshot import (
    NAN,
    Gap,
    Identity,
    Measured,
    OperationTotals,
    Quantiles,
    Recall,
    Snapshot,
)
from soak.verdict import Concern, RunVerdict, Verdict, merge
from soak.watch.conditions import Moment, conditions_of
from soak.watch.events import EventLog
from soak.watch.losses import Losses
from soak.watch.observer import Observer
from soak.watch.outline import outline
from soak.watch.windows import Windows
from soak.watch.worker_log import EVICTED

TREND = (
    *("t_s", "achieved_per_s", "offered_per_s", "live_records", "recall", "score"),
    *("health_ratio", "resident_bytes", "anonymous_bytes", "disk_bytes", "accounted_bytes"),
)
QUANTILES = ("mean", "p50", "p95", "p99", "p999", "max")


# Before the first figures: every check is unknown, and says so.
_NOTHING = Evidence(columns={"t_s": np.empty(0)}, totals={}, warm_until_s=0.0, planned_s=0.0)


class Status:
    """Judges and describes; `judge` is the judging job's, `snapshot` the controller loop's."""

    def __init__(
        self,
        scenario: Scenario,
        identity: Identity,
        observer: Observer,
        events: EventLog,
        log: LineLog,
        losses: Losses,
    ) -> None:
        self._scenario = scenario
        self.identity = identity
        self._observer = observer
        self._events = events
        self._log = log
        self._losses = losses
        self.gaps: tuple[Gap, ...] = ()
        self._planned_s = scenario.duration_s
        self._warm_until_s = warm_until_s(scenario)
        self._judge = Judge(scenario.checks, scenario.duration_s, scenario.phases)
        self.held: dict[str, Verdict] = {}  # by check: what stands, whatever it says from now on
        self._judged_s = NAN
        self._room: dict[str, Floats] = {}  # the evidence of one judgement; the next one's, too
        self._lock = threading.Lock()
        self._verdicts = self._judge.judge(_NOTHING)
        self._health: dict[str, float] = {}
        self.health_min = NAN
        self.environment: Mapping[str, object] = {}

    def judge(self, elapsed_s: float) -> None:
        """Ask every check now; a status that changed is a line of verdicts.jsonl."""
        columns = self._observer.columns(room=self._room)
        totals = self._totals(elapsed_s)
        gaps_s = tuple(gap.at_s for gap in self.gaps)
        evidence = Evidence(
            columns=columns,
            totals=totals,
            warm_until_s=self._warm_until_s,
            planned_s=self._planned_s,
            gaps_s=gaps_s,
            standstills_s=tuple(self._observer.standstills_s),
        )
        verdicts = tuple(self.held.get(v.check, v) for v in self._judge.judge(evidence))
        well = health(columns, totals, self._warm_until_s, gaps_s)
        with self._lock:
            before = {verdict.check: verdict.status for verdict in self._verdicts}
            self._verdicts, self._judged_s = verdicts, elapsed_s
            self._health = well
            self.health_min = float(np.fmin(self.health_min, well.get("score", NAN)))
        for verdict in verdicts:
            if before.get(verdict.check) is not verdict.status:
                self.log_verdict(elapsed_s, verdict)

    def log_verdict(self, elapsed_s: float, verdict: Verdict) -> None:
        fields = ("check", "detector", "concern", "status", "reason", "effect", "threshold")
        line = {name: getattr(verdict, name) for name in (*fields, "unit", "since_s", "interval")}
        self._log.append_json({"t_s": elapsed_s, **line})

    def health_ratio(self) -> float:
        with self._lock:
            return self._health.get("score", NAN)

    def known(self, offered_per_s: float) -> dict[str, float]:
        """What a sample adds to what the samplers read."""
        facts = self._observer.facts
        return {
            "offered_per_s": offered_per_s,
            "operations_total": float(self._observer.result_count),
            "stored_total": facts.counters.get("stored", NAN),
            "deleted_total": facts.counters.get("deleted", NAN),
            "evicted_total": facts.stats.get(EVICTED, NAN),
            "live_records": facts.live_records,
            "violations_total": float(sum(self._observer.windows.violations().values())),
            "recall": facts.new_recall(),
            "score": self.health_ratio(),
            "control_s": facts.hiccup.get("control_s", NAN),
        }

    def snapshot(self, moment: Moment, verdict: RunVerdict | None = None) -> Snapshot:
        """The run now. verdict: the last word where something else than the checks decided it."""
        observer, facts = self._observer, self._observer.facts
        with self._lock:
            verdicts, judged_s = self._verdicts, self._judged_s
            well, worst = self._health, self.health_min
        operations = observer.windows.totals()
        certificate = certify(self._conditions(moment, operations, verdicts))
        verdicts = doubted(verdicts, certificate)
        distrust = "; ".join(certificate.reasons)
        merged = merge(verdicts, trusted=not certificate.is_void, distrust=distrust)
        return Snapshot(
            identity=self.identity,
            state=moment.state,
            phase=moment.phase,
            phase_index=moment.phase_index,
            phases=tuple(phase.name for phase in self._scenario.phases),
            elapsed_s=moment.elapsed_s,
            planned_s=self._planned_s,
            judged_s=judged_s,
            operations=operations,
            errors=self._errors(),
            violations=observer.windows.violations(),
            checked=int(facts.counters.get("checked", 0)),
            resources=dict(observer.latest),
            resource_range=dict(observer.ranges),
            sampler_success=dict(observer.sampler_success),
            records=self._records(),
            recall=self._recall(),
            health=well,
            health_min=worst,
            verdicts=verdicts,
            verdict=verdict or merged,
            certificate=certificate,
            events=tuple(self._events.latest),
            event_counts=dict(self._events.maintenance),
            trend=self._trend(),
            eviction=dict(facts.eviction),
            fidelity=dict(facts.fidelity),
            measured=self._measured(),
            exemplars=observer.outliers.exemplars(),
            hang=moment.hang,
            skipped=self._judge.skipped,
            leaks=tuple(leak_of(v, certificate.achieved_rate) for v in verdicts if is_measured(v)),
            environment=self.environment,
        )

    def _conditions(
        self,
        moment: Moment,
        operations: Mapping[str, OperationTotals],
        verdicts: tuple[Verdict, ...],
    ) -> Conditions:
        found = conditions_of(
            moment,
            self._observer,
            operations,
            verdicts,
            clients=self._scenario.target.clients,
            asked_s=min(moment.elapsed_s, self._planned_s),
            tightest_s=self._judge.tightest_s,
        )
        loss, lost_lines = self._losses.sentence(), self._losses.line_count
        return replace(found, loss=loss, lost_lines=lost_lines, gaps=self.gaps)

    def _totals(self, elapsed_s: float) -> dict[str, float]:
        """Detectors' totals: after warm-up by their name, of the whole run with `all_`."""
        windows, facts, measured = self._observer.windows, self._observer.facts, self._measured()
        totals = flat(measured.operations, measured.length_s)
        everything = flat(windows.totals(), elapsed_s)
        totals |= {f"all_{name}": value for name, value in everything.items()}
        totals |= {f"violations_{kind}": n for kind, n in windows.violations().items()}
        totals["checked_count"] = facts.counters.get("checked", 0.0)
        totals["recall_samples"] = float(facts.recall_samples)
        totals["recall_mean"], totals["recall_sd"] = facts.recall_moments()
        totals["eviction_inversion_ratio"] = facts.eviction.get("inversion_ratio", NAN)
        totals["elapsed_s"] = elapsed_s
        totals["offered_per_s"] = per_second(measured.due_count, measured.length_s)
        return totals

    def _measured(self) -> Measured:
        windows, phases = self._observer.windows, self._scenario.phases
        is_open = all(phase.arrivals.is_open for phase in phases if not phase.warm)
        return Measured(
            operations=windows.after_warm_up(),
            length_s=windows.measured_s,
            due_count=windows.measured_due_count if is_open else NAN,
            recall_sd=self._observer.facts.recall_moments()[1],
        )

    def _errors(self) -> dict[tuple[str, str], int]:
        named: dict[tuple[str, str], int] = {}
        for (operation, index), count in self._observer.windows.errors().items():
            kind = self._observer.facts.error_types.get(index, "other")
            named[operation, kind] = named.get((operation, kind), 0) + count
        return named

    def _records(self) -> dict[str, float]:
        facts = self._observer.facts
        tiers = {
            name.removesuffix("_count"): value
            for name, value in facts.stats.items()
            if name.startswith("tier_") and name.endswith("_count")
        }
        return {
            "live": facts.live_records,
            "stored": facts.counters.get("stored", 0.0),
            "evicted": facts.stats.get(EVICTED, NAN),
            "deleted": facts.counters.get("deleted", 0.0),
            **tiers,
        }

    def _recall(self) -> Recall:
        facts = self._observer.facts
        if not facts.recall_samples:
            return Recall(k=self._scenario.population.k, samples=0)
        return Recall(
            k=facts.recall_k,
            samples=facts.recall_samples,
            mean=facts.recall_sum / facts.recall_samples,
            first=sum(facts.recall_first) / len(facts.recall_first),
            last=sum(facts.recall_last) / len(facts.recall_last),
        )

    def _trend(self) -> dict[str, tuple[float, ...]]:
        names = self._scenario.operations
        latencies = (f"{name}_{which}_s" for name in names for which in ("p50", "p99"))
        wanted = [*TREND, *latencies]
        return outline(self._observer.columns(wanted), wanted)


def warm_until_s(scenario: Scenario) -> float:
    """When the last warm-up phase before the first measured one ends; 0 without warm-up."""
    until_s = 0.0
    for phase in scenario.phases:
        if not phase.warm:
            break
        until_s += phase.duration
    return until_s


def is_measured(verdict: Verdict) -> bool:
    """A leak check of bytes that has an estimate; what piles up by number is none."""
    is_leak = verdict.concern is Concern.LEAK and verdict.unit == "bytes/s"
    return is_leak and verdict.effect is not None


def leak_of(verdict: Verdict, operations_per_s: float) -> dict[str, float | str]:
    """What a leak check measured, as metrics and report name it."""
    rate = NAN if verdict.effect is None else verdict.effect
    low, high = verdict.interval or (NAN, NAN)
    return {
        "resource": verdict.check,
        "status": str(verdict.status),
        "bytes_per_s": rate,
        "low_bytes_per_s": low,
        "high_bytes_per_s": high,
        "bytes_per_operation": rate / operations_per_s if operations_per_s else NAN,
        **verdict.details,
    }


def flat(operations: Mapping[str, OperationTotals], length_s: float) -> dict[str, float]:
    """Operations' totals as `<operation>_<figure>`, and sums over all of them."""
    totals: dict[str, float] = {"count": 0.0, "error_count": 0.0, "wrong_count": 0.0}
    for name, operation in operations.items():
        totals[f"{name}_count"] = float(operation.count)
        totals["count"] += operation.count
        failed = operation.outcomes["error"] + operation.outcomes["timeout"]
        totals["error_count"] += failed
        totals["wrong_count"] += operation.outcomes["wrong"]
        for outcome, count in operation.outcomes.items():
            totals[f"{name}_{outcome}_count"] = float(count)
        for label, held in (("", operation.latency), ("service_", operation.service)):
            quantiles = Quantiles.of(held)
            for which in QUANTILES:
                totals[f"{name}_{label}{which}_s"] = getattr(quantiles, which)
    totals["achieved_per_s"] = per_second(totals["count"], length_s)
    return totals


def per_second(count: float, length_s: float) -> float:
    """nan before anything lasted."""
    return count / length_s if length_s > 0 else NAN


def starting(identity: Identity, scenario: Scenario) -> Snapshot:
    """What there is to show before time zero: every known name, all counts zero."""
    windows = Windows(scenario.operations, scenario.observe.window, scenario.target.timeout)
    return Snapshot(
        identity=identity,
        state="starting",
        phase=scenario.phases[0].name,
        phase_index=0,
        phases=tuple(phase.name for phase in scenario.phases),
        elapsed_s=0.0,
        planned_s=scenario.duration_s,
        operations=windows.totals(),
        errors={},
        violations=windows.violations(),
        checked=0,
        resources={},
        resource_range={},
        sampler_success={},
        records={},
        recall=Recall(k=scenario.population.k, samples=0),
        health={},
        health_min=NAN,
        verdicts=Judge(scenario.checks, scenario.duration_s, scenario.phases).judge(_NOTHING),
        verdict=merge((), trusted=True),
        certificate=certify(Conditions()),
        events=(),
        event_counts={},
        trend={},
    )
