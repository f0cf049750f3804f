"""What does a snapshot look like to a remote writer? A WriteRequest of Prometheus, in protobuf.

    WriteRequest  1: TimeSeries...
    TimeSeries    1: Label (1: name, 2: value), by name    2: Sample (1: double, 2: milliseconds)
                  3: Exemplar (1: Label, 2: double, 3: milliseconds), of a bucket that has one

On the wire it is a block of snappy. Ours has one literal after the other and no copies, which is
valid snappy and needs no library; what waits on disk is compressed by zlib instead.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from soak.histogram import BOUNDS_S
from soak.show import wire
from soak.show.exemplars import by_bucket, labels_of
from soak.show.exporter import Counts, page
from soak.show.family import Family
from soak.show.metrics import Distribution
from soak.snapshot import Exemplar, Snapshot

_LITERAL_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class Series:
    """Labels, the name among them, and the value now; the operation behind it, with its labels."""

    labels: Mapping[str, str]
    value: float
    exemplar: tuple[Exemplar, Mapping[str, str]] | None = None


def series(snapshot: Snapshot, extra: Sequence[Family] = ()) -> Iterator[Series]:
    """All that one scrape would show."""
    identity = snapshot.identity
    shared = {"scenario": identity.scenario, "target": identity.target}
    shown = page(snapshot, extra=extra)
    for family in shown.families:
        for values, value in family.samples.items():
            own = dict(zip(family.labels, values, strict=True))
            yield Series({"__name__": family.name, **shared, **own}, value)
    for distribution, counts in shown.histograms:
        for operation, held in counts.items():
            labels = {**shared, "operation": operation}
            yield from _histogram(distribution, held, labels, identity.run_id)


def _histogram(
    distribution: Distribution, held: Counts, labels: Mapping[str, str], run_id: str
) -> Iterator[Series]:
    name = distribution.name
    found = by_bucket(distribution.exemplars.get(labels["operation"], ()), BOUNDS_S)
    pointers = {place: (one, labels_of(one, run_id)) for place, one in found.items()}
    for place, (bound, count) in enumerate(zip(BOUNDS_S, held.cumulative, strict=True)):
        edge = "+Inf" if math.isinf(bound) else repr(bound)
        bucket = {"__name__": f"{name}_bucket", **labels, "le": edge}
        yield Series(bucket, count, pointers.get(place))
    yield Series({"__name__": f"{name}_count", **labels}, held.cumulative[-1])
    yield Series({"__name__": f"{name}_sum", **labels}, held.sum_s)


def write_request(found: Sequence[Series], fixed: Mapping[str, str], wall_s: float) -> bytes:
    """All series at that time. fixed: labels that say where they come from, job and instance."""
    at = _milliseconds(2, wall_s)
    return b"".join(
        wire.block(
            1,
            _labels({**fixed, **one.labels})
            + wire.block(2, wire.double(1, one.value) + at)
            + (_exemplar(*one.exemplar) if one.exemplar else b""),
        )
        for one in found
    )


def _exemplar(found: Exemplar, labels: Mapping[str, str]) -> bytes:
    value = wire.double(2, found.duration_s)
    return wire.block(3, _labels(labels) + value + _milliseconds(3, found.wall_time))


def _milliseconds(number: int, wall_s: float) -> bytes:
    return wire.whole(number, round(wall_s * 1000))


def _labels(labels: Mapping[str, str]) -> bytes:
    # Receivers want them in order of their names.
    pairs = sorted(labels.items())
    return b"".join(
        wire.block(1, wire.text(1, name) + wire.text(2, value)) for name, value in pairs
    )


def snappy(content: bytes) -> bytes:
    """A valid block of snappy: the length, then literals. It does not get smaller."""
    pieces = [wire.varint(len(content))]
    for start in range(0, len(content), _LITERAL_MAX):
        piece = content[start : start + _LITERAL_MAX]
        # 61 << 2: a literal whose length less one is in the next two bytes.
        pieces += [bytes((61 << 2,)), (len(piece) - 1).to_bytes(2, "little"), piece]
    return b"".join(pieces)
