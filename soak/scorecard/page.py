"""How does the scorecard stand in the documentation? One Markdown table per area."""

from collections.abc import Iterable, Sequence

from soak.scorecard.card import Row
from soak.scorecard.table import SIGNS, goal_text, said

HEAD = """\
# Scorecard: how often the detectors are wrong

Written by `soak scorecard --out docs/scorecard.md --seed {seed}{quick}`. Every figure comes from
simulated runs of which the truth is known, drawn from seed {seed} on (tests use seeds below
10,000). A run is looked at when its detector's plan says, and the first alarm counts as one; it may
be taken back, and *failed at the end* is what the run's exit code says. A real run asks more often,
each minute or each hundredth of its time: *asked as in a run* does so, on some of the clean runs.
Brackets hold 95 % intervals (Wilson for shares, order statistics for medians). *met* and *missed*:
the whole interval says so; *open*: too few runs to tell. `make matrix` has the same for defects in
real runs.
"""
AREAS = {
    "leaks": "Growth that live records do not explain; "
    "live sets that hold, grow, cycle and are evicted; leaks per time, operation, error, "
    "eviction, in chunks, and late.",
    "maintenance": "Evictions and compactions, seen from outside, also in a full store that "
    "forgets all the time as much as it is given; beside it `threshold_rule`, which compares two "
    "moments with fixed thresholds.",
    "degradation": "Latencies of a shared machine, judged beside the tester's own timed work; "
    "what the traces are made of is in `soak/scorecard/speed_traces.py`.",
}


def page(rows: Sequence[Row], seed: int, *, is_quick: bool) -> str:
    """The whole file."""
    quick = " --quick" if is_quick else ""
    parts = [HEAD.replace("{seed}", str(seed)).replace("{quick}", quick)]
    for area in dict.fromkeys(row.area for row in rows):
        parts += [f"\n## {area.capitalize()}\n{AREAS.get(area, '')}\n"]
        parts += _table(row for row in rows if row.area == area)
    return "\n".join(parts) + "\n"


def _table(rows: Iterable[Row]) -> list[str]:
    lines = [
        "| figure | case | measured | of | goal | |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        low, high = (said(edge, row.unit) for edge in row.interval)
        cells = (
            row.figure,
            row.case,
            f"{said(row.value, row.unit)} [{low}, {high}]",
            f"{row.tried:,.4g}",
            goal_text(row.goal, row.unit),
            SIGNS[row.answer],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines
