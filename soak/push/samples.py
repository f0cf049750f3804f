"""What does a snapshot look like to a remote writer? A WriteRequest of Prometheus, in protobuf.

    WriteRequest  1: TimeSeries...
    TimeSeries    1: Label (1: name, 2: value), by name    2: Sample (1: double, 2: milliseconds)

On the wire it is a block of snappy. Ours has one literal after the other and no copies, which is
valid snappy and needs no library; what waits on disk is compressed by zlib instead.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from soak.show import wire
from soak.show.exporter import BOUNDS_S, page
from soak.show.family import Family
from soak.snapshot import Snapshot

Series = tuple[dict[str, str], float]
_LITERAL_MAX = 1 << 16


def series(snapshot: Snapshot, extra: Sequence[Family] = ()) -> Iterator[Series]:
    """Labels, the name among them, and value of all that one scrape would show."""
    identity = snapshot.identity
    shared = {"scenario": identity.scenario, "target": identity.target}
    shown = page(snapshot, extra=extra)
    for family in shown.families:
        for values, value in family.samples.items():
            own = dict(zip(family.labels, values, strict=True))
            yield {"__name__": family.name, **shared, **own}, value
    for distribution, counts in shown.histograms:
        for operation, held in counts.items():
            labels = {**shared, "operation": operation}
            for bound, count in zip(BOUNDS_S, held.cumulative, strict=True):
                edge = "+Inf" if math.isinf(bound) else repr(bound)
                yield {"__name__": f"{distribution.name}_bucket", **labels, "le": edge}, count
            yield {"__name__": f"{distribution.name}_count", **labels}, held.cumulative[-1]
            yield {"__name__": f"{distribution.name}_sum", **labels}, held.sum_s


def write_request(found: Sequence[Series], fixed: Mapping[str, str], wall_s: float) -> bytes:
    """All series at that time. fixed: labels that say where they come from, job and instance."""
    at = wire.whole(2, round(wall_s * 1000))
    return b"".join(
        wire.block(1, _labels({**fixed, **labels}) + wire.block(2, wire.double(1, value) + at))
        for labels, value in found
    )


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
