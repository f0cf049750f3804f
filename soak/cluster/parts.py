"""What did each worker do? A share's stays on nodes, and sums over the figures of all of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from soak.histogram import Histogram
from soak.snapshot import NAN, Measured, OperationTotals, Quantiles, Recall, Snapshot

MEASURES = ("latency", "service", "lateness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stay of a share on one node. from_s: where in the run's time its own time zero lies.

    is_lost: its node went away before its end; what it had told until then counts.
    """

    worker: int
    node: str
    from_s: float
    snapshot: Snapshot
    is_lost: bool = False

    @property
    def until_s(self) -> float:
        """How far it came, in the run's time."""
        return self.from_s + self.snapshot.elapsed_s


def operations(parts: Sequence[Part]) -> dict[str, OperationTotals]:
    """All operations since the start; their histograms add up exactly.

    What was recent on a lost node is not so any more.
    """
    return _summed(
        [_without_recent(part) if part.is_lost else part.snapshot.operations for part in parts]
    )


def _without_recent(part: Part) -> dict[str, OperationTotals]:
    seen = part.snapshot.operations
    return {name: replace(totals, recent=Quantiles()) for name, totals in seen.items()}


def measured(parts: Sequence[Part]) -> Measured:
    """What is judged. The workers run side by side, so it lasted as long as the longest of them."""
    seen = [part.snapshot.measured for part in parts]
    lengths_s: dict[int, float] = {}
    for part in parts:
        before_s = lengths_s.get(part.worker, 0.0)
        lengths_s[part.worker] = before_s + part.snapshot.measured.length_s
    return Measured(
        operations=_summed([each.operations for each in seen]),
        length_s=max(lengths_s.values(), default=0.0),
        due_count=sum(each.due_count for each in seen),
        recall_sd=_spread([(part.snapshot.recall, part.snapshot.measured) for part in parts]),
    )


def recall(parts: Sequence[Part]) -> Recall:
    """Of all scored searches; first and last are means over the workers' own."""
    known = [part.snapshot.recall for part in parts if part.snapshot.recall.samples]
    if not known:
        return parts[0].snapshot.recall
    samples = sum(each.samples for each in known)
    return replace(
        known[0],
        samples=samples,
        mean=sum(each.mean * each.samples for each in known) / samples,
        first=_mean(each.first for each in known),
        last=_mean(each.last for each in known),
    )


def counted(found: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by name, added up."""
    total: dict[str, int] = {}
    for each in found:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


def of_worst(found: Iterable[Quantiles]) -> Quantiles:
    """That with the highest p99: quantiles of parts give none of the whole."""
    known = [each for each in found if each.p99 == each.p99]
    return max(known, key=lambda each: each.p99, default=Quantiles())


def _summed(found: Sequence[Mapping[str, OperationTotals]]) -> dict[str, OperationTotals]:
    names = dict.fromkeys(name for each in found for name in each)
    return {name: _together([each[name] for each in found if name in each]) for name in names}


def _together(found: Sequence[OperationTotals]) -> OperationTotals:
    held = {measure: Histogram() for measure in MEASURES}
    for each in found:
        for measure, histogram in held.items():
            histogram.merge(getattr(each, measure))
    return OperationTotals(
        count=sum(each.count for each in found),
        outcomes=counted(each.outcomes for each in found),
        latency=held["latency"],
        service=held["service"],
        lateness=held["lateness"],
        recent=of_worst(each.recent for each in found),
        worst=of_worst(each.worst for each in found),
    )


def _spread(found: Sequence[tuple[Recall, Measured]]) -> float:
    """Standard deviation over all scored searches, from those of the parts; nan while unknown.

    The sum of squares around the common mean is that around each part's own, plus the parts' own
    means around the common one.
    """
    known = [(r.samples, r.mean, m.recall_sd) for r, m in found if r.samples]
    n = sum(samples for samples, _, _ in known)
    if n < 2:
        return NAN
    mean = sum(samples * own for samples, own, _ in known) / n
    squares = 0.0
    for samples, own, sd in known:
        within = (samples - 1) * sd * sd if samples > 1 else 0.0
        squares += within + samples * (own - mean) ** 2
    return float((squares / (n - 1)) ** 0.5)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
