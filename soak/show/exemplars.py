"""Which operation stands behind a slow bucket? Exemplars, by the bucket that each falls into."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from soak.snapshot import Exemplar

MOST_CHARACTERS = 128  # of an exemplar's names and values together, says OpenMetrics


def by_bucket(exemplars: Iterable[Exemplar], bounds_s: Sequence[float]) -> Mapping[int, Exemplar]:
    """The latest exemplar of each bucket, by its place among the upper bounds."""
    return {bisect_left(bounds_s, found.duration_s): found for found in exemplars}


def labels_of(exemplar: Exemplar, run_id: str) -> dict[str, str]:
    """What `soak show RUN --operation ID` needs; the run is left out where its name is too long."""
    labels = {"run_id": run_id, "operation_id": str(exemplar.index)}
    if sum(len(name) + len(value) for name, value in labels.items()) > MOST_CHARACTERS:
        del labels["run_id"]
    return labels
