"""How do things stand beside each other? A row each: bars from zero, or a spread of quantiles."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soak.report import figures, ticks
from soak.report.charts import Unit
from soak.report.palette import PALETTE
from soak.report.plots import SMALL, WIDTH, clipped, draw_legend, styled
from soak.report.svg_page import for_page

# Inches, as in plots.py: the names of benchmarks need more room on the left than an axis.
LEFT, RIGHT, TOP, BOTTOM = 2.3, 0.75, 0.27, 0.26
TITLE_ROOM = 0.3
ROW_HEIGHT = 0.215
LONGEST_NAME = 34
MARKER = 4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing. values: (series, value) each, as many series as there are; nan is left out."""

    label: str
    values: tuple[tuple[str, float], ...]
    bound: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Rows one under another on one axis of values. tones: series to its colour, in order.

    One series is drawn as bars from zero, several as dots on a line from the least to the most.
    """

    name: str
    title: str
    caption: str
    unit: Unit
    tones: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]

    @property
    def is_spread(self) -> bool:
        """Quantiles lie orders of magnitude apart, so their axis is logarithmic."""
        return len(self.tones) > 1


def svg(ranges: Ranges) -> str:
    """An `<svg>` element for a page that defines the palette's custom properties. No title."""
    target = io.StringIO()
    with styled():
        figure = _drawn(ranges, title="")
        figure.savefig(target, format="svg", metadata={"Date": None})
    width, height = (72 * inches for inches in figure.get_size_inches())
    return for_page(target.getvalue(), ranges.name, ranges.title, (0, 0, width, height), ())


def png(ranges: Ranges, dots_per_inch: int = 150) -> bytes:
    """The same on white, with its title."""
    target = io.BytesIO()
    with styled():
        figure = _drawn(ranges, title=ranges.title)
        figure.savefig(target, format="png", dpi=dots_per_inch, facecolor="white")
    return target.getvalue()


def known(row: Row) -> list[tuple[str, float]]:
    return [(series, value) for series, value in row.values if np.isfinite(value)]


def _drawn(ranges: Ranges, title: str) -> Figure:
    rows = [row for row in ranges.rows if known(row)]
    panel = ROW_HEIGHT * max(1, len(rows))
    width, height = WIDTH["wide"], panel + TOP + BOTTOM + TITLE_ROOM * bool(title)
    figure = Figure(figsize=(width, height), facecolor="none")
    across = 1 - (LEFT + RIGHT) / width
    axes = figure.add_axes((LEFT / width, BOTTOM / height, across, panel / height))
    axes.set_facecolor("none")
    axes.set_ylim(max(1, len(rows)), 0)
    if title:
        place = LEFT / width, 1 - 0.08 / height
        colour = PALETTE["ink"].light
        figure.text(*place, title, size=10, weight="bold", va="top", color=colour)
    _scale(axes, ranges, rows)
    _draw_rows(axes, ranges, rows)
    _label(axes, rows)
    if ranges.is_spread:
        _draw_names(axes, ranges)
    return figure


def _scale(axes: Axes, ranges: Ranges, rows: Sequence[Row]) -> None:
    values = np.array([value for row in rows for _, value in known(row)])
    high = float(values.max(initial=0.0)) or 1.0
    if ranges.is_spread and bool((values > 0).any()):
        low, high = float(values[values > 0].min()) / 1.3, high * 1.3
        axes.set_xscale("log")
        pairs = ticks.of_logarithm(low, high, ranges.unit)
    else:
        low, high = 0.0, high * 1.04
        pairs = ticks.of_values(low, high, ranges.unit)
    axes.set_xlim(low, high)
    axes.set_xticks([value for value, _ in pairs], [label for _, label in pairs])
    axes.set_xticks([], minor=True)
    axes.grid(visible=True, axis="x", color=PALETTE["grid"].light, linewidth=0.7)
    axes.set_axisbelow(True)


def _draw_rows(axes: Axes, ranges: Ranges, rows: Sequence[Row]) -> None:
    tones = dict(ranges.tones)
    faint = PALETTE["faint"].light
    right = axes.get_xlim()[1]
    for place, row in enumerate(rows):
        found = known(row)
        values = [value for _, value in found]
        if ranges.is_spread:
            line = [min(values), max(values)]
            axes.plot(line, [place + 0.5] * 2, color=PALETTE["line"].light, linewidth=1.6)
            for series, value in found:
                colour = PALETTE[tones[series]].light
                axes.plot([value], [place + 0.5], "o", color=colour, markersize=MARKER)
        else:
            colour = PALETTE[tones[found[0][0]]].light
            axes.barh(place + 0.5, values[0], height=0.62, color=colour, linewidth=0)
            said = figures.in_unit(values[0], ranges.unit)
            _write(axes, said, (values[0], place + 0.5), faint)
        if np.isfinite(row.bound) and row.bound <= right:
            ends = place + 0.08, place + 0.92
            axes.plot([row.bound] * 2, ends, color=PALETTE["bound"].light, linewidth=1.1)


def _write(axes: Axes, text: str, point: tuple[float, float], colour: str) -> None:
    """Right of the point."""
    axes.annotate(
        text,
        point,
        xytext=(3, -0.5),
        textcoords="offset points",
        va="center",
        color=colour,
        size=SMALL,
        annotation_clip=False,
    )


def _label(axes: Axes, rows: Sequence[Row]) -> None:
    faint = PALETTE["faint"].light
    names = [clipped(row.label, LONGEST_NAME) for row in rows]
    axes.set_yticks([place + 0.5 for place in range(len(rows))], names)
    axes.tick_params(axis="y", length=0, labelcolor=faint, labelsize=SMALL)
    axes.tick_params(axis="x", length=2.5, color=faint, labelcolor=faint, labelsize=SMALL)
    axes.spines["bottom"].set_color(PALETTE["line"].light)


def _draw_names(axes: Axes, ranges: Ranges) -> None:
    """The series, and what the upright mark is."""
    handles = [
        axes.plot([], [], "o", color=PALETTE[tone].light, markersize=MARKER, label=series)[0]
        for series, tone in ranges.tones
    ]
    if any(np.isfinite(row.bound) for row in ranges.rows):
        colour = PALETTE["bound"].light
        handles += axes.plot([], [], "|", color=colour, markersize=7, label="objective")
    draw_legend(axes, handles, [str(handle.get_label()) for handle in handles])
