"""How does the whole run stand? The newest snapshots of all workers as one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from soak.cluster import parts
from soak.cluster.judging import certificate_of
from soak.cluster.parts import Part
from soak.scenario import Scenario
from soak.snapshot import NAN, Hang, Identity, Snapshot
from soak.watch.status import is_measured, leak_of, starting

# Figures of a machine, which several workers may share: each worker's own page has them.
OF_HOST = ("host_", "disk_free_")
# A share of something is no sum.
RATIO = "_ratio"
ENDED = ("finished", "failed", "interrupted")


def joined(identity: Identity, scenario: Scenario, found: Sequence[Part]) -> Snapshot:
    """One snapshot of all parts, without what the run's own record and judge know.

    Counts, histograms and resources are summed; health is the worst worker's; recent and worst
    latencies are those of the worker where they are highest. A lost part's results count, what it
    held is gone. Exemplars are left out: each worker has its own operations.csv.
    """
    if not found:
        return starting(identity, scenario)
    going = [part for part in found if not part.is_lost]
    snapshots = [part.snapshot for part in found]
    elapsed_s = max(part.until_s for part in found)
    index = _phase_at(scenario, elapsed_s)
    well = _worst_health([part.snapshot.health for part in going])
    return replace(
        starting(identity, scenario),
        state="running",
        phase=scenario.phases[index].name,
        phase_index=index,
        elapsed_s=elapsed_s,
        operations=parts.operations(found),
        errors=_errors(snapshots),
        violations=parts.counted(each.violations for each in snapshots),
        checked=sum(each.checked for each in snapshots),
        resources=_resources(going),
        sampler_success=_all_good(going),
        records=_records(found),
        recall=parts.recall(found),
        health=well,
        certificate=certificate_of(found),
        event_counts=_event_counts(snapshots),
        eviction=_worst([each.eviction for each in snapshots]),
        fidelity=_worst([each.fidelity for each in snapshots]),
        measured=parts.measured(found),
        hang=_oldest([part.snapshot.hang for part in going]),
    )


def leaks(snapshot: Snapshot) -> tuple[Mapping[str, float | str], ...]:
    """What the leak checks measured at the worker that decides."""
    rate = snapshot.certificate.achieved_rate
    return tuple(leak_of(verdict, rate) for verdict in snapshot.verdicts if is_measured(verdict))


def ranges(
    before: Mapping[str, tuple[float, float, float]], now: Mapping[str, float]
) -> dict[str, tuple[float, float, float]]:
    """First, last and largest of each sum so far."""
    known = {name: value for name, value in now.items() if value == value}
    return dict(before) | {
        name: (before[name][0], value, max(before[name][2], value))
        if name in before
        else (value, value, value)
        for name, value in known.items()
    }


def _phase_at(scenario: Scenario, at_s: float) -> int:
    ends_s = 0.0
    for index, phase in enumerate(scenario.phases):
        ends_s += phase.duration
        if at_s < ends_s:
            return index
    return len(scenario.phases) - 1


def _resources(going: Sequence[Part]) -> dict[str, float]:
    """What the targets and testers take together; nan where one of them did not tell."""
    found = [part.snapshot.resources for part in going]
    names = dict.fromkeys(name for each in found for name in each)
    sums = {n: _sum(found, n) for n in names if not n.startswith(OF_HOST)}
    return {n: v / len(found) if n.endswith(RATIO) else v for n, v in sums.items()}


def _records(found: Sequence[Part]) -> dict[str, float]:
    """Flows of all parts; what lives does so in those that were not lost."""
    flows = [part.snapshot.records for part in found]
    stocks = [part.snapshot.records for part in found if not part.is_lost]
    names = dict.fromkeys(name for each in flows for name in each)
    return {
        name: _sum(flows if name in ("stored", "evicted", "deleted") else stocks, name)
        for name in names
    }


def _sum(found: Sequence[Mapping[str, float]], name: str) -> float:
    return sum(each.get(name, NAN) for each in found) if found else NAN


def _errors(snapshots: Sequence[Snapshot]) -> dict[tuple[str, str], int]:
    total: dict[tuple[str, str], int] = {}
    for each in snapshots:
        for key, count in each.errors.items():
            total[key] = total.get(key, 0) + count
    return total


def _event_counts(snapshots: Sequence[Snapshot]) -> dict[tuple[str, str], int]:
    total: dict[tuple[str, str], int] = {}
    for each in snapshots:
        for key, count in each.event_counts.items():
            total[key] = total.get(key, 0) + count
    return total


def _all_good(going: Sequence[Part]) -> dict[str, bool]:
    names = dict.fromkeys(name for part in going for name in part.snapshot.sampler_success)
    return {n: all(part.snapshot.sampler_success.get(n, True) for part in going) for n in names}


def _worst_health(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in found for name in each)
    known = {n: [each[n] for each in found if each.get(n, NAN) == each.get(n, NAN)] for n in names}
    return {name: min((v for v in values if v == v), default=NAN) for name, values in known.items()}


def _worst(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The largest of each figure: they are errors, or how many were seen; of survival the least."""
    names = dict.fromkeys(name for each in found for name in each)
    seen = {name: [each[name] for each in found if name in each] for name in names}
    worst = {name: min if name.startswith("survival_") else max for name in names}
    return {n: worst[n]((v for v in seen[n] if v == v), default=NAN) for n in names}


def _oldest(found: Sequence[Hang | None]) -> Hang | None:
    known = [hang for hang in found if hang is not None]
    return max(known, key=lambda hang: hang.age_s, default=None)
