"""What happened, seen as stretches of time? Events as lanes, bands and marks of the figures."""

from collections.abc import Sequence

import numpy as np

from soak.report.charts import Bands, Lane, Mark, joined
from soak.report.document import as_rows
from soak.report.ledger import maintenance_of
from soak.report.record import RunRecord
from soak.seams import Floats
from soak.snapshot import Event

# Moments to know of in every figure, and rows of the timeline; a run can have thousands of events.
MAX_MARKS = 12
MAX_LANES = 12
# Stretches closer than this share of the run are one dot on paper.
DOT_RATIO = 1 / 500
# A run of maintenance shorter than this share of the run is a tick at the bottom, not a band.
BAND_RATIO = 1 / 150
# Bands everywhere say nothing; beyond this share of the run they are left out.
MAX_COVER = 0.4

TONE_OF = dict.fromkeys(("fault", "restart", "gap", "standstill", "crash", "abort"), "fault")
QUIET = ("phase", "start", "end", "stop")


def phases(record: RunRecord) -> tuple[tuple[str, float, float], ...]:
    """Name, start and end of each phase as it really went, in order."""
    rows = record.windows
    if not len(rows):
        return ()
    start_s, end_s = rows.figures["start_s"], rows.figures["end_s"]
    begins = np.concatenate(([0], np.flatnonzero(rows.phase[1:] != rows.phase[:-1]) + 1))
    ends = np.append(begins[1:], len(rows))
    return tuple(
        (str(rows.phase[first]), float(start_s[first:last].min()), float(end_s[first:last].max()))
        for first, last in zip(begins, ends, strict=True)
    )


def lanes(events: Sequence[Event], end_s: float) -> tuple[Lane, ...]:
    """A row per kind and source; the busiest MAX_LANES of them, maintenance first."""
    groups: dict[tuple[bool, str, str], list[Event]] = {}
    for event in events:
        if event.kind not in QUIET:
            key = not event.details.get("maintenance"), event.kind, str(event.source)
            groups.setdefault(key, []).append(event)
    busiest = sorted(groups, key=lambda key: -len(groups[key]))[:MAX_LANES]
    return tuple(_lane(key, groups[key], end_s) for key in sorted(busiest))


def maintenance_bands(events: Sequence[Event], end_s: float) -> tuple[Bands, ...]:
    """Long runs of maintenance as bands over the whole panel, all of them as ticks below."""
    start_s, stop_s = stretches(maintenance_of(events), end_s)
    if not start_s.size:
        return ()
    is_long = stop_s - start_s >= end_s * BAND_RATIO
    ticks = Bands(
        label="maintenance",
        tone="maintenance",
        start_s=start_s,
        end_s=np.maximum(stop_s, start_s + end_s / 900),
        height=0.03,
        opacity=0.9,
    )
    cover = float((stop_s - start_s)[is_long].sum()) / end_s
    if not is_long.any() or cover > MAX_COVER:
        return (ticks,)
    long_start, long_stop = start_s[is_long], stop_s[is_long]
    wide = Bands(label="", tone="maintenance", start_s=long_start, end_s=long_stop)
    return (wide, ticks)


def marks(record: RunRecord) -> tuple[Mark, ...]:
    """Faults, gaps, and since when a check has been failing; the first MAX_MARKS in time."""
    found = [
        Mark(at_s=event.time_s, label=event.kind.replace("_", " "), tone=_tone(event))
        for event in record.events
        if not event.details.get("maintenance") and event.kind not in QUIET
    ]
    for check in as_rows(record.document.get("checks")):
        since_s = check.get("since_s")
        if check.get("status") == "fail" and isinstance(since_s, int | float):
            label = f"{check.get('name')} fails since here"
            found.append(Mark(at_s=float(since_s), label=label, tone="fail"))
    return tuple(sorted(found, key=lambda mark: mark.at_s)[:MAX_MARKS])


def stretches(events: Sequence[Event], end_s: float) -> tuple[Floats, Floats]:
    """Starts and ends in order of time, those that would touch on paper made one."""
    ordered = sorted(events, key=lambda event: event.time_s)
    start_s = np.array([event.time_s for event in ordered], dtype=np.float64)
    stop_s = start_s + np.array([event.duration_s for event in ordered], dtype=np.float64)
    return joined(start_s, stop_s, end_s * DOT_RATIO)


def _lane(key: tuple[bool, str, str], events: Sequence[Event], end_s: float) -> Lane:
    _, kind, source = key
    start_s, stop_s = stretches(events, end_s)
    label = kind.replace("_", " ") + (" (seen)" if source == "detected" else "")
    return Lane(label=label, tone=_tone(events[0]), start_s=start_s, end_s=stop_s)


def _tone(event: Event) -> str:
    if event.details.get("maintenance"):
        return "maintenance"
    known = "fault" if event.source == "injected" else "notable"
    return TONE_OF.get(event.kind, known)
