"""Which part of a run had one process of the target? A gap ends it, and another one begins."""

from dataclasses import dataclass, replace
from itertools import pairwise

from soak.seams import Evidence
from soak.sentences import clock_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What is judged of a run, and as the end of a sentence which part that is; empty: all."""

    evidence: Evidence
    said: str


def of_one_process(evidence: Evidence) -> Stretch:
    """The longest stretch without a gap in it, after warm-up: what a new process holds is no growth
    of the old one's, and what it fills at first is no leak."""
    t_s = evidence.columns.get("t_s")
    if not evidence.gaps_s or t_s is None or not t_s.size:
        return Stretch(evidence=evidence, said="")
    edges = sorted({0.0, *evidence.gaps_s, max(float(t_s[-1]), *evidence.gaps_s)})
    begin_s, end_s = max(
        pairwise(edges), key=lambda pair: pair[1] - max(pair[0], evidence.warm_until_s)
    )
    inside = (t_s > begin_s) & (t_s <= end_s)
    if not inside.any():
        inside[-1] = True
    said = (
        f"; the run was interrupted, so this is about {clock_time(begin_s)} to "
        f"{clock_time(end_s)} alone, the longest time with one process of the target"
    )
    judged = replace(
        evidence,
        columns={name: column[inside] for name, column in evidence.columns.items()},
        warm_until_s=max(evidence.warm_until_s, begin_s),
    )
    return Stretch(evidence=judged, said=said)
