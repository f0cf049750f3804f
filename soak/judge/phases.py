"""Which time does a check judge? What was seen in the phases it names, and nothing else."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from soak.seams import Evidence

Span = tuple[float, float]


class Lasting(Protocol):
    """A phase as a scenario states it."""

    @property
    def name(self) -> str: ...
    @property
    def duration(self) -> float: ...


def spans(phases: Sequence[Lasting], names: Collection[str]) -> tuple[Span, ...]:
    """From when to when those phases last, in order; what adjoins is one span."""
    found: list[Span] = []
    end_s = 0.0
    for phase in phases:
        begin_s, end_s = end_s, end_s + phase.duration
        if phase.name not in names:
            continue
        if found and found[-1][1] == begin_s:
            begin_s = found.pop()[0]
        found.append((begin_s, end_s))
    return tuple(found)


def within(evidence: Evidence, spans_s: Sequence[Span]) -> Evidence:
    """The rows of these spans, as if the run were no more; all of it where there are none.

    What came before is warm-up, the end of the last span is that of the run. Between two spans the
    rows stay, without figures. Totals are those of the whole run. Figures of a window stand in the
    first row after it, so those of the last window before a span are in it, and its own last not.
    """
    t_s = evidence.columns.get("t_s")
    if not spans_s or t_s is None:
        return evidence
    begin_s, end_s = spans_s[0][0], spans_s[-1][1]
    # A row tells of the time before it.
    kept = slice(*np.searchsorted(t_s, (begin_s, end_s), side="right"))
    columns = {name: column[kept] for name, column in evidence.columns.items()}
    if len(spans_s) > 1:
        t_s = columns["t_s"]
        is_judged = np.any([(t_s > from_s) & (t_s <= to_s) for from_s, to_s in spans_s], axis=0)
        columns = {name: np.where(is_judged, each, np.nan) for name, each in columns.items()}
        columns["t_s"] = t_s
    return replace(
        evidence,
        columns=columns,
        warm_until_s=max(evidence.warm_until_s, begin_s),
        planned_s=end_s,
    )
