"""How does the scorecard stand on a screen? A table with goals beside what was measured."""

import math
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from soak.scorecard.card import Goal, Row

STYLES = {"met": "green", "missed": "bold red", "open": "yellow", "": "dim"}
TINY = 1e-12
SIGNS = {"met": "✓ met", "missed": "✕ missed", "open": "? open", "": ""}


def table(rows: Iterable[Row]) -> Table:
    """One line per figure, a rule between areas."""
    shown = Table(title="Detectors, on runs of which the truth is known", title_justify="left")
    for name in ("", "figure", "case", "measured", "95 % interval", "of", "goal", ""):
        shown.add_column(name, justify="right" if name in ("measured", "of", "goal") else "left")
    area = ""
    for row in rows:
        if area and row.area != area:
            shown.add_section()
        low, high = (said(edge, row.unit) for edge in row.interval)
        shown.add_row(
            row.area if row.area != area else "",
            row.figure,
            row.case,
            said(row.value, row.unit),
            f"{low} to {high}",
            f"{row.tried:,.4g}",
            goal_text(row.goal, row.unit),
            Text(SIGNS[row.answer], STYLES[row.answer]),
        )
        area = row.area
    return shown


def said(value: float, unit: str) -> str:
    """In three digits at most: shares and ratios as per cent."""
    if not math.isfinite(value):
        return "–"
    if unit in ("share", "ratio"):
        # What rounding leaves of zero.
        return f"{100 * value if abs(value) > TINY else 0.0:.3g} %"
    ending = {"per_hour": "/h"}.get(unit, f" {unit}")
    return f"{value:.3g}{ending}"


def goal_text(goal: Goal | None, unit: str) -> str:
    """What was asked for; empty where nothing was."""
    if goal is None:
        return ""
    if goal.at_most is not None:
        return f"≤ {said(goal.at_most, unit)}"
    return "" if goal.at_least is None else f"≥ {said(goal.at_least, unit)}"
