"""How do histograms reach Prometheus whole? The page in protobuf, with native histograms.

Prometheus asks for this format where its feature native-histograms is on. A native histogram has
exponential buckets, here 16 to a doubling (schema 4): bucket i holds (2**((i-1)/16), 2**(i/16)]
seconds. Ours are 256 to a doubling, so each falls whole into one of them, except the one that a
bound cuts: there the middle decides, and at most 0.2 % of the value is the error. Buckets are
written as spans of neighbours and differences between counts (io.prometheus.client, fields 5 to
13 of Histogram); the classic ones stand beside them for those who prefer them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from soak.clock import NS_PER_S
from soak.histogram import BOUNDS_S, SIZE, Histogram, Integers, lower_bound_ns
from soak.show import wire
from soak.show.exemplars import by_bucket, labels_of
from soak.show.exporter import MAX_SERIES, Counts, page
from soak.show.family import Family
from soak.show.metrics import Distribution
from soak.snapshot import Exemplar, Snapshot

PROTOBUF_TYPE = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)
SCHEMA = 4
_ZERO_THRESHOLD_S = 1e-9  # what takes no time at all
_KINDS = {"counter": 0, "gauge": 1, "histogram": 4}
_VALUE_FIELD = {"gauge": 2, "counter": 3}

_EDGES_NS = lower_bound_ns(np.arange(SIZE + 1, dtype=np.int64)).astype(np.float64)
# Durations are whole nanoseconds, so the highest value of a bucket is one below the next bucket.
_MIDDLE_NS = (_EDGES_NS[:-1] + _EDGES_NS[1:] - 1) / 2
# Bucket of each of our counts but the first, which holds zero.
_NATIVE = np.ceil(np.log2(_MIDDLE_NS[1:] / 1e9) * (1 << SCHEMA)).astype(np.int64)
_LOWEST = int(_NATIVE[0])


def native_buckets(counts: Integers) -> tuple[Integers, Integers]:
    """(bucket numbers, counts) of what is not zero, ascending. counts: as of Histogram."""
    filled = np.flatnonzero(counts[1:])
    summed = np.bincount(_NATIVE[filled] - _LOWEST, weights=counts[1:][filled])
    numbers = np.flatnonzero(summed)
    return numbers + _LOWEST, summed[numbers].astype(np.int64)


def render_native(
    snapshot: Snapshot, max_series: int = MAX_SERIES, extra: Sequence[Family] = ()
) -> bytes:
    """The page as a stream of MetricFamily messages, within the same cap on series."""
    identity = snapshot.identity
    shared = _labels(("scenario", "target"), (identity.scenario, identity.target))
    shown = page(snapshot, max_series, extra)
    blocks = [_family(family, shared) for family in shown.families]
    blocks += [
        _histograms(distribution, counts, shared, identity.run_id)
        for distribution, counts in shown.histograms
        if counts
    ]
    return b"".join(map(wire.delimited, blocks))


def _family(family: Family, shared: bytes) -> bytes:
    field = _VALUE_FIELD[family.kind]
    return _head(family.name, family.help, family.kind) + b"".join(
        wire.block(
            4, shared + _labels(family.labels, values) + wire.block(field, wire.double(1, value))
        )
        for values, value in family.samples.items()
    )


def _head(name: str, explanation: str, kind: str) -> bytes:
    return wire.text(1, name) + wire.text(2, explanation) + wire.whole(3, _KINDS[kind])


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> bytes:
    pairs = zip(names, values, strict=True)
    return b"".join(wire.block(1, wire.text(1, name) + wire.text(2, v)) for name, v in pairs)


def _histograms(
    distribution: Distribution, counts: Mapping[str, Counts], shared: bytes, run_id: str
) -> bytes:
    content = _head(distribution.name, distribution.help, "histogram")
    for operation, held in counts.items():
        labels = shared + _labels(("operation",), (operation,))
        # What was folded into `other` has classic counts alone.
        whole = distribution.samples.get(operation)
        # A native histogram is one series, whose exemplars must come in order: the latest alone.
        latest = by_bucket(distribution.exemplars.get(operation, ())[-1:], BOUNDS_S)
        pointers = {place: _exemplar(found, run_id) for place, found in latest.items()}
        message = _classic(held, pointers) + (_native(whole) if whole is not None else b"")
        content += wire.block(4, labels + wire.block(7, message))
    return content


def _classic(held: Counts, pointers: Mapping[int, bytes]) -> bytes:
    """pointers: encoded exemplars by bucket; the last bucket, which is all, is there for one."""
    buckets = enumerate(zip(BOUNDS_S, held.cumulative, strict=True))
    return (
        wire.whole(1, held.cumulative[-1])
        + wire.double(2, held.sum_s)
        + b"".join(
            wire.block(3, wire.whole(1, count) + wire.double(2, bound) + pointers.get(place, b""))
            for place, (bound, count) in buckets
            if place in pointers or not math.isinf(bound)
        )
    )


def _exemplar(found: Exemplar, run_id: str) -> bytes:
    labels = labels_of(found, run_id)
    second, part = divmod(found.wall_time, 1)
    at = wire.whole(1, int(second)) + wire.whole(2, int(part * NS_PER_S))
    pairs = _labels(tuple(labels), tuple(labels.values()))
    return wire.block(3, pairs + wire.double(2, found.duration_s) + wire.block(3, at))


def _native(histogram: Histogram) -> bytes:
    numbers, counts = native_buckets(histogram.counts)
    deltas = np.diff(counts, prepend=0)
    return (
        wire.signed(5, SCHEMA)
        + wire.double(6, _ZERO_THRESHOLD_S)
        + wire.whole(7, int(histogram.counts[0]))
        + b"".join(wire.block(12, span) for span in _spans(numbers))
        + wire.packed_signed(13, deltas.tolist())
    )


def _spans(numbers: Integers) -> Iterator[bytes]:
    """Runs of neighbours: how far after the end of the last one, and how long."""
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    end = 0
    for run in np.split(numbers, breaks):
        if run.size:
            yield wire.signed(1, int(run[0]) - end) + wire.whole(2, run.size)
            end = int(run[-1]) + 1
