"""How do a run's figures reach Prometheus? A snapshot as text 0.0.4 or OpenMetrics, in bytes.

The text is written here and not by prometheus_client, because histograms dominate the page and
its objects cost ten times as much (bench/scrape.py measures both). `SnapshotCollector` gives the
same numbers to a registry of prometheus_client; a test proves them equal.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from soak.clock import NS_PER_S
from soak.histogram import BOUNDS_S, SIZE, Histogram, lower_bound_ns
from soak.show.exemplars import by_bucket, labels_of
from soak.show.family import Family
from soak.show.metrics import Distribution, distributions, families
from soak.snapshot import Exemplar, Snapshot

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

SERIES_PER_HISTOGRAM = len(BOUNDS_S) + 2
# Where in a histogram's counts each exported bucket begins; a sum between these places is four
# times as fast as Histogram.cumulative, which a test holds it to.
_LOWER_NS = lower_bound_ns(np.arange(SIZE, dtype=np.int64))
_BEGINS = np.searchsorted(_LOWER_NS, [0.0, *(b * NS_PER_S for b in BOUNDS_S[:-1])], side="right")
_BEGINS[0] = 0
OTHER = "other"
MAX_SERIES = 5000


@dataclass(frozen=True, slots=True)
class Counts:
    """One histogram as exported. cumulative: one count per bound, the last one is all."""

    cumulative: Sequence[int]
    sum_s: float

    @staticmethod
    def of(histogram: Histogram) -> "Counts":
        counted = np.add.reduceat(histogram.counts, _BEGINS)
        return Counts(counted.cumsum().tolist(), histogram.sum_ns / NS_PER_S)

    def plus(self, other: "Counts") -> "Counts":
        added = [a + b for a, b in zip(self.cumulative, other.cumulative, strict=True)]
        return Counts(added, self.sum_s + other.sum_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that one scrape shows, within the cap on series."""

    families: list[Family]
    histograms: Sequence[tuple[Distribution, Mapping[str, Counts]]]


def page(snapshot: Snapshot, max_series: int = MAX_SERIES, extra: Sequence[Family] = ()) -> Page:
    """The snapshot's figures, at most max_series of them; extra ones, which are few, come first.

    What is too much is folded into the label value `other` (counters and histograms, whose sums
    mean something) or left out (gauges), and counted in soak_exporter_series_dropped.
    """
    room = max_series - 1
    bounded = []
    dropped = 0
    histograms = []
    for distribution in distributions(snapshot):
        fitting = room // SERIES_PER_HISTOGRAM
        counts = {name: Counts.of(held) for name, held in distribution.samples.items()}
        kept = _fold_histograms(counts, fitting)
        histograms.append((distribution, kept))
        dropped += (len(counts) - len(kept)) * SERIES_PER_HISTOGRAM
        room -= len(kept) * SERIES_PER_HISTOGRAM
    for family in (*extra, *families(snapshot)):
        fitted = _fold(family, room)
        bounded.append(fitted)
        dropped += len(family.samples) - len(fitted.samples)
        room -= len(fitted.samples)
    bounded.append(
        Family(
            name="soak_exporter_series_dropped",
            kind="gauge",
            help="Series folded or left out because the page was full.",
            samples={(): dropped},
        )
    )
    return Page(families=bounded, histograms=histograms)


def _fold(family: Family, room: int) -> Family:
    if len(family.samples) <= room:
        return family
    names = list(family.samples)
    kept = {name: family.samples[name] for name in names[: max(0, room - 1)]}
    if family.kind == "counter" and family.labels and room > 0:
        other = (OTHER,) * len(family.labels)
        rest = sum(family.samples[name] for name in names[len(kept) :])
        kept[other] = kept.get(other, 0) + rest
    return replace(family, samples=kept)


def _fold_histograms(counts: Mapping[str, Counts], fitting: int) -> dict[str, Counts]:
    if len(counts) <= fitting:
        return dict(counts)
    names = list(counts)
    kept = {name: counts[name] for name in names[: max(0, fitting - 1)]}
    for name in names[len(kept) :] if fitting > 0 else []:
        kept[OTHER] = kept[OTHER].plus(counts[name]) if OTHER in kept else counts[name]
    return kept


class Exporter:
    """Writes pages; keeps the label text of histograms, at most one entry per exported one."""

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self._max_series = max_series
        self._templates: dict[tuple[str, str, bool], str] = {}
        self._identity = ""

    def render(
        self, snapshot: Snapshot, *, openmetrics: bool = False, extra: Sequence[Family] = ()
    ) -> bytes:
        """The page in UTF-8: text 0.0.4, or OpenMetrics 1.0 with its `# EOF`."""
        identity = snapshot.identity
        shared = _labels(("scenario", "target"), (identity.scenario, identity.target))
        if shared != self._identity:
            self._templates, self._identity = {}, shared
        shown = page(snapshot, self._max_series, extra)
        blocks = [
            _family_text(family, shared, openmetrics)
            for family in shown.families
            if openmetrics or not family.for_annotations
        ]
        blocks += [
            self._histogram_text(distribution, counts, shared, identity.run_id * openmetrics)
            for distribution, counts in shown.histograms
            if counts
        ]
        if openmetrics:
            blocks.append("# EOF\n")
        return "".join(blocks).encode()

    def _histogram_text(
        self, distribution: Distribution, counts: Mapping[str, Counts], shared: str, run_id: str
    ) -> str:
        """run_id: of the exemplars, empty in a format that has none."""
        name = distribution.name
        lines = [_head(name, "histogram", distribution.help)]
        for operation, held in counts.items():
            template = self._templates.get((name, operation, bool(run_id)))
            if template is None:
                template = _histogram_template(name, operation, shared, bool(run_id))
                self._templates[name, operation, bool(run_id)] = template
            buckets: Sequence[object] = held.cumulative
            if run_id:
                tails = _exemplar_tails(distribution.exemplars.get(operation, ()), run_id)
                buckets = list(chain.from_iterable(zip(held.cumulative, tails, strict=True)))
            lines.append(template % (*buckets, held.cumulative[-1], held.sum_s))
        return "".join(lines)


def _exemplar_tails(exemplars: Sequence[Exemplar], run_id: str) -> list[str]:
    """What follows the count of each bucket: most have no exemplar."""
    tails = [""] * len(BOUNDS_S)
    for place, found in by_bucket(exemplars, BOUNDS_S).items():
        labels = labels_of(found, run_id)
        told = _labels(labels, labels.values())
        tails[place] = f" # {{{told}}} {found.duration_s!r} {found.wall_time:.3f}"
    return tails


def _histogram_template(name: str, operation: str, shared: str, has_exemplars: bool) -> str:
    figure = "%d%s" if has_exemplars else "%d"
    labels = f"{shared},{_labels(('operation',), (operation,))}".replace("%", "%%")
    buckets = "".join(
        f'{name}_bucket{{{labels},le="{_number(bound)}"}} {figure}\n' for bound in BOUNDS_S
    )
    return f"{buckets}{name}_count{{{labels}}} %d\n{name}_sum{{{labels}}} %r\n"


def families_text(found: Iterable[Family], scenario: str, target: str) -> str:
    """Metrics of that scenario on that target as text 0.0.4."""
    shared = _labels(("scenario", "target"), (scenario, target))
    return "".join(_family_text(family, shared, False) for family in found)


def _family_text(family: Family, shared: str, openmetrics: bool) -> str:
    # OpenMetrics names the family, text 0.0.4 the series; only counters differ.
    title = family.name.removesuffix("_total") if openmetrics else family.name
    lines = [_head(title, family.kind, family.help)]
    for values, value in family.samples.items():
        own = f",{_labels(family.labels, values)}" if values else ""
        lines.append(f"{family.name}{{{shared}{own}}} {_number(value)}\n")
    return "".join(lines)


def _head(name: str, kind: str, explanation: str) -> str:
    return f"# HELP {name} {explanation}\n# TYPE {name} {kind}\n"


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))


def _labels(names: Iterable[str], values: Iterable[str]) -> str:
    pairs = zip(names, values, strict=True)
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


class SnapshotCollector(Collector):
    """The newest snapshot for a registry of prometheus_client, figure by figure.

    source gives the snapshot to show; it is asked once per scrape.
    """

    def __init__(self, source: Callable[[], Snapshot], max_series: int = MAX_SERIES) -> None:
        self._source = source
        self._max_series = max_series

    def describe(self) -> Iterator[Metric]:
        """Nothing: what there is depends on the run, and asking for it is not free."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        snapshot = self._source()
        identity = snapshot.identity
        shared = (identity.scenario, identity.target)
        shown = page(snapshot, self._max_series)
        for family in shown.families:
            yield _metric(family, shared)
        for distribution, counts in shown.histograms:
            metric = HistogramMetricFamily(
                distribution.name, distribution.help, labels=("scenario", "target", "operation")
            )
            for operation, held in counts.items():
                buckets = [
                    (_number(bound), float(count))
                    for bound, count in zip(BOUNDS_S, held.cumulative, strict=True)
                ]
                metric.add_metric((*shared, operation), buckets, held.sum_s)
            yield metric


def _metric(family: Family, shared: tuple[str, str]) -> Metric:
    labels = ("scenario", "target", *family.labels)
    metric: CounterMetricFamily | GaugeMetricFamily
    if family.kind == "counter":
        metric = CounterMetricFamily(family.name, family.help, labels=labels)
    else:
        metric = GaugeMetricFamily(family.name, family.help, labels=labels)
    for values, value in family.samples.items():
        metric.add_metric((*shared, *values), value)
    return metric
