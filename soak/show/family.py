"""What is a metric? A name, a type and labelled numbers, before any format is chosen."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric. labels: names, in the order of the samples' keys; scenario and target not in.

    for_annotations: a time in milliseconds, which Grafana reads and promtool calls bad style; it is
    in the format that Prometheus asks for, and not in the plain text one.
    """

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    labels: tuple[str, ...] = ()
    samples: Samples
    for_annotations: bool = False


def without_nan(family: Family) -> Family:
    if not any(map(math.isnan, family.samples.values())):
        return family
    known = {key: value for key, value in family.samples.items() if not math.isnan(value)}
    return replace(family, samples=known)


def gauge(name: str, explanation: str, value: float) -> Family:
    return Family(name=name, kind="gauge", help=explanation, samples={(): value})


def counter(name: str, explanation: str, value: float) -> Family:
    return Family(name=name, kind="counter", help=explanation, samples={(): value})


def labelled(
    name: str, explanation: str, label: str, samples: Iterable[tuple[str, float]]
) -> Family:
    return Family(
        name=name,
        kind="gauge",
        help=explanation,
        labels=(label,),
        samples={(key,): float(value) for key, value in samples},
    )


def moments(
    stem: str, explanation: str, labels: tuple[str, ...], wall_s: Samples
) -> Iterator[Family]:
    """Times since 1970, in seconds and, for annotations, in milliseconds."""
    seconds = Family(
        name=f"{stem}_timestamp_seconds",
        kind="gauge",
        help=f"{explanation} (UTC).",
        labels=labels,
        samples=wall_s,
    )
    yield seconds
    yield replace(
        seconds,
        name=f"{stem}_timestamp_milliseconds",
        help=f"{explanation} (UTC); milliseconds, as annotations want them.",
        samples={key: 1000 * value for key, value in wall_s.items()},
        for_annotations=True,
    )
