"""How is a figure drawn? Charts as SVG that follows the page's colours, or as PNG; matplotlib."""

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soak.report import ticks
from soak.report.charts import Bands, Chart, Lane, Line, Timeline, Unit
from soak.report.palette import PALETTE
from soak.report.svg_page import CURVE, for_page
from soak.seams import Floats

# Inches. Margins are absolute, so that all wide figures share one time axis, one under another.
WIDTH = {"wide": 10.4, "half": 5.1}
HEIGHT = {"wide": 2.35, "half": 1.95}
LEFT = {"wide": 0.95, "half": 0.72}
RIGHT = {"wide": 0.62, "half": 0.2}
TOP, BOTTOM = 0.27, 0.26
TITLE_ROOM = 0.3
LANE_HEIGHT = 0.235

TIME_TICKS = {"wide": 9, "half": 5}
SMALL = 7.5  # points
MAX_LABEL_LENGTH = 16
# Records go in the lower part of the panel, so that they do not cover the memory they explain.
SECOND_HEADROOM = 1.7


def svg(chart: Chart | Timeline) -> str:
    """An `<svg>` element for a page that defines the palette's custom properties. No title."""
    target = io.StringIO()
    with styled():
        figure = _drawn(chart, title="")
        figure.savefig(target, format="svg", metadata={"Date": None})
    width, height = (72 * inches for inches in figure.get_size_inches())
    panel = figure.axes[0].get_position()
    frame = panel.x0 * width, (1 - panel.y1) * height, panel.width * width, panel.height * height
    return for_page(target.getvalue(), chart.name, chart.title, frame, _curves(figure, chart))


def _curves(figure: Figure, chart: Chart | Timeline) -> list[dict[str, object]]:
    """What turns a place on each curve back into a value; in the order of the chart's lines."""
    told: list[dict[str, object]] = []
    if isinstance(chart, Timeline) or chart.along != "time":
        return told
    for curve in chart.lines:
        axes = figure.axes[-1 if curve.is_second else 0]
        low, high = axes.get_ylim()
        unit = chart.second_unit if curve.is_second else chart.unit
        is_logarithmic = axes.get_yscale() == "log"
        scale = {"low": low, "high": high, "unit": unit, "log": is_logarithmic}
        told.append({"label": curve.label, "tone": curve.tone, "end_s": chart.end_s, **scale})
    return told


def png(chart: Chart | Timeline, dots_per_inch: int = 150) -> bytes:
    """The same on white, with its title."""
    target = io.BytesIO()
    with styled():
        figure = _drawn(chart, title=chart.title)
        figure.savefig(target, format="png", dpi=dots_per_inch, facecolor="white")
    return target.getvalue()


def styled() -> AbstractContextManager[None]:
    """How all figures look, while it lasts."""
    return mpl.rc_context(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "font.size": 8.0,
            "svg.fonttype": "none",
            "svg.hashsalt": "soak",
            "path.simplify": True,
            "path.simplify_threshold": 0.15,
            "axes.spines.left": False,
            "axes.spines.right": False,
            "axes.spines.top": False,
        }
    )


def _drawn(chart: Chart | Timeline, title: str) -> Figure:
    size = chart.width if isinstance(chart, Chart) else "wide"
    panel = _panel_height(chart)
    # A timeline has no legend to make room for.
    top = (TOP if isinstance(chart, Chart) else 0.04) + TITLE_ROOM * bool(title)
    width, height = WIDTH[size], panel + top + BOTTOM
    figure = Figure(figsize=(width, height), facecolor="none")
    across = 1 - (LEFT[size] + RIGHT[size]) / width
    axes = figure.add_axes((LEFT[size] / width, BOTTOM / height, across, panel / height))
    axes.set_facecolor("none")
    axes.set_xlim(0, max(chart.end_s, 1e-3))
    is_timed = isinstance(chart, Timeline) or chart.along == "time"
    _label_across(axes, chart.end_s, TIME_TICKS[size], is_timed=is_timed)
    if title:
        place = LEFT[size] / width, 1 - 0.08 / height
        colour = PALETTE["ink"].light
        figure.text(*place, title, size=10, weight="bold", va="top", color=colour)
    if isinstance(chart, Timeline):
        _draw_timeline(axes, chart)
    else:
        _draw_chart(axes, chart)
    return figure


def _panel_height(chart: Chart | Timeline) -> float:
    if isinstance(chart, Chart):
        return HEIGHT[chart.width] - TOP - BOTTOM
    return LANE_HEIGHT * (len(chart.lanes) + bool(chart.phases))


def _draw_chart(axes: Axes, chart: Chart) -> None:
    """Bands at the back, then the second axis, the lines, bounds and marks."""
    first = [curve for curve in chart.lines if not curve.is_second]
    second = [curve for curve in chart.lines if curve.is_second]
    other = axes.twinx() if second else None
    if other is not None:
        other.set_facecolor("none")
        _draw_lines(other, second, chart)
        high = float(_finite(second).max(initial=1.0))
        other.set_ylim(0, high * SECOND_HEADROOM)
        _label_values(other, 0, high, chart.second_unit, PALETTE[second[0].tone].light)
        # The other axes are made last, and would be drawn over the memory.
        other.set_zorder(axes.get_zorder() - 1)
    _draw_lines(axes, first, chart)
    _scale(axes, chart, first)
    for bands in chart.bands:
        _draw_bands(axes, bands)
    for bound in chart.bounds:
        _draw_bound(axes, bound.value, bound.label)
    for mark in chart.marks:
        axes.axvline(
            mark.at_s, color=PALETTE[mark.tone].light, linewidth=0.9, linestyle=(0, (2, 2))
        )
    for number, mark in enumerate(chart.marks if chart.has_mark_labels else ()):
        is_late = mark.at_s > 0.8 * chart.end_s
        place = (mark.at_s, 1), (-3 if is_late else 3, -1 - 11 * (number % 3))
        _write(axes, mark.label, mark.tone, place, is_late=is_late)
    _draw_names(axes, other)


def _draw_bands(axes: Axes, bands: Bands) -> None:
    spans = zip(bands.start_s, bands.end_s - bands.start_s, strict=True)
    axes.broken_barh(
        list(spans),
        (0, bands.height),
        transform=axes.get_xaxis_transform(),
        color=PALETTE[bands.tone].light,
        alpha=bands.opacity,
        linewidth=0,
        label=bands.label or None,
    )


def _draw_lines(axes: Axes, curves: Sequence[Line], chart: Chart) -> None:
    for curve in curves:
        colour = PALETTE[curve.tone].light
        known = int(np.isfinite(curve.y).sum())
        axes.plot(
            curve.t,
            curve.y,
            color=colour,
            linewidth=0.9 if curve.is_dashed or curve.is_second else 1.25,
            linestyle=(0, (4, 2)) if curve.is_dashed else "-",
            # A line of few points is drawn with them: a short run has six windows.
            marker="o" if known <= 40 else "",
            markersize=2.6,
            label=curve.label,
            solid_joinstyle="round",
            gid=f"{CURVE}{chart.lines.index(curve)}",
        )
        if curve.is_filled:
            axes.fill_between(curve.t, curve.y, color=colour, alpha=0.18, linewidth=0)


def _draw_bound(axes: Axes, value: float, label: str) -> None:
    low, high = axes.get_ylim()
    if not low <= value <= high:
        return
    colour = PALETTE["bound"].light
    axes.axhline(value, color=colour, linewidth=0.9, linestyle=(0, (5, 3)))
    axes.annotate(
        label,
        (1, value),
        xycoords=("axes fraction", "data"),
        xytext=(-2, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        color=colour,
        size=SMALL,
    )


def _write(
    axes: Axes,
    text: str,
    tone: str,
    place: tuple[tuple[float, float], tuple[float, float]],
    *,
    is_late: bool,
) -> None:
    """Text at the top of the panel beside a mark, on a patch of page so that lines do not cross."""
    point, offset = place
    axes.annotate(
        text,
        point,
        xycoords=("data", "axes fraction"),
        xytext=offset,
        textcoords="offset points",
        ha="right" if is_late else "left",
        va="top",
        color=PALETTE[tone].light,
        size=SMALL,
        bbox={"facecolor": PALETTE["card"].light, "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
    )


def _draw_names(axes: Axes, other: Axes | None) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if other is not None:
        more_handles, more_labels = other.get_legend_handles_labels()
        handles, labels = handles + more_handles, labels + more_labels
    # What is measured comes first, what it is measured against last.
    order = sorted(range(len(labels)), key=lambda i: labels[i] == "maintenance")
    draw_legend(axes, [handles[i] for i in order], [labels[i] for i in order])


def draw_legend(axes: Axes, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """In one row above the panel, from its left edge on."""
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(-0.008, 1.0),
        ncols=8,
        frameon=False,
        borderpad=0.1,
        handlelength=1.3,
        handleheight=0.5,
        columnspacing=1.6,
        handletextpad=0.5,
        labelcolor=PALETTE["faint"].light,
    )


def _draw_timeline(axes: Axes, chart: Timeline) -> None:
    rows = len(chart.lanes) + bool(chart.phases)
    axes.set_ylim(rows, 0)
    faint = PALETTE["faint"].light
    for number, (name, start_s, end_s) in enumerate(chart.phases):
        tone = PALETTE["phase" if number % 2 == 0 else "phase_next"].light
        axes.broken_barh([(start_s, end_s - start_s)], (0.06, 0.88), color=tone, linewidth=0)
        # About 120 letters fit across; a name wider than its phase would run into the next one.
        if (end_s - start_s) / chart.end_s * 120 > len(name):
            middle = (start_s + end_s) / 2
            axes.text(middle, 0.53, name, ha="center", va="center", size=SMALL, color=faint)
    for number, lane in enumerate(chart.lanes, start=bool(chart.phases)):
        _draw_lane(axes, lane, number, chart.end_s)
    names = [clipped(lane.label) for lane in chart.lanes]
    places = [row + 0.5 for row in range(rows)]
    axes.set_yticks(places, ["phase", *names] if chart.phases else names)
    axes.tick_params(axis="y", length=0, labelcolor=faint, labelsize=SMALL)


def _draw_lane(axes: Axes, lane: Lane, row: int, end_s: float) -> None:
    axes.axhline(row + 0.5, color=PALETTE["grid"].light, linewidth=0.7, zorder=0)
    lengths = np.maximum(lane.end_s - lane.start_s, end_s / 600)
    spans = list(zip(lane.start_s, lengths, strict=True))
    axes.broken_barh(spans, (row + 0.2, 0.6), color=PALETTE[lane.tone].light, linewidth=0)


def clipped(label: str, most: int = MAX_LABEL_LENGTH) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"


def _scale(axes: Axes, chart: Chart, curves: Sequence[Line]) -> None:
    values = _finite(curves)
    bounds = np.array([bound.value for bound in chart.bounds])
    # A bound far away would flatten the curve; then it is left outside and said in words.
    near = bounds[bounds <= 8 * values.max(initial=0.0)]
    is_logarithmic = chart.is_logarithmic and bool((values > 0).any())
    if is_logarithmic:
        shown = np.append(values[values > 0], near[near > 0])
        low, high = float(shown.min()) / 1.25, float(shown.max()) * 1.35
        axes.set_yscale("log")
    else:
        low, high = _linear_limits(np.append(values, near), chart)
    axes.set_ylim(low, high)
    colour = PALETTE["faint"].light
    _label_values(axes, low, high, chart.unit, colour, is_logarithmic=is_logarithmic)
    axes.grid(visible=True, axis="y", color=PALETTE["grid"].light, linewidth=0.7)
    axes.set_axisbelow(True)


def _linear_limits(values: Floats, chart: Chart) -> tuple[float, float]:
    high = float(values.max(initial=0.0))
    low = 0.0 if chart.starts_at_zero or not values.size else float(values.min())
    # Noise must not fill the panel: the axis spans at least a tenth of what it shows.
    padding = max((high - low) * 0.07, abs(high) * 0.05, 1e-12)
    top = min(high + padding, 1.004) if chart.unit == "ratio" else high + padding
    return (0.0 if low <= padding else low - padding), top


def _label_values(
    axes: Axes, low: float, high: float, unit: Unit, colour: str, *, is_logarithmic: bool = False
) -> None:
    marks = ticks.of_logarithm if is_logarithmic else ticks.of_values
    pairs = marks(low, high, unit)
    axes.set_yticks([value for value, _ in pairs], [label for _, label in pairs])
    axes.set_yticks([], minor=True)
    axes.tick_params(axis="y", which="both", length=0, labelcolor=colour, labelsize=SMALL)
    axes.spines["bottom"].set_color(PALETTE["line"].light)


def _label_across(axes: Axes, end: float, most: int, *, is_timed: bool) -> None:
    pairs = ticks.of_time(end, most) if is_timed else ticks.of_values(0.0, end, "count", most)
    axes.set_xticks([at_s for at_s, _ in pairs], [label for _, label in pairs])
    colour = PALETTE["faint"].light
    axes.tick_params(axis="x", length=2.5, color=colour, labelcolor=colour, labelsize=SMALL)
    axes.spines["bottom"].set_color(PALETTE["line"].light)


def _finite(curves: Sequence[Line]) -> Floats:
    values = np.concatenate([curve.y for curve in curves]) if curves else np.empty(0)
    known: Floats = values[np.isfinite(values)]
    return known
