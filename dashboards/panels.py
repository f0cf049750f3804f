"""Which kinds of panel are there? Each with a unit and a sentence on what it tells.

grafanalib writes what it knows in the current shape; what it knows in an old one only (tables,
heatmaps) is spelled out here. A query is an expression and its legend.
"""

from collections.abc import Sequence
from typing import Any

import attr
from grafanalib.core import Panel, Stat, StateTimeline, Target, Text, TimeSeries

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, RED, GREY, BLUE, ORANGE = "green", "red", "#8e8e8e", "blue", "orange"
Query = tuple[str, str]
Json = dict[str, Any]


def targets(queries: Sequence[Query], *, instant: bool = False, form: str = "time_series") -> list:
    return [
        Target(
            expr=expr,
            legendFormat=legend,
            refId=chr(ord("A") + number),
            datasource=SOURCE,
            instant=instant,
            format=form,
            intervalFactor=1,
        )
        for number, (expr, legend) in enumerate(queries)
    ]


def curve(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    overrides: Sequence[Json] = (),
    log: bool = False,
    from_zero: bool = True,
    stacked: bool = False,
    legend: str = "list",
) -> TimeSeries:
    """Lines over time."""
    return TimeSeries(
        title=title,
        description=description,
        dataSource=SOURCE,
        targets=targets(queries),
        unit=unit,
        overrides=list(overrides),
        scaleDistributionType="log" if log else "linear",
        scaleDistributionLog=10,
        axisSoftMin=0 if from_zero and not log else None,
        valueMax=1 if unit == "percentunit" else None,
        fillOpacity=25 if stacked else 6,
        stacking={"mode": "normal", "group": "A"} if stacked else {"mode": "none", "group": "A"},
        showPoints="never",
        tooltipMode="multi",
        tooltipSort="desc",
        legendDisplayMode=legend,
        legendCalcs=["lastNotNull", "max"] if legend == "table" else [],
        lineWidth=1,
        maxDataPoints=None,
    )


def steps(*colours: tuple[str, float | None]) -> list[Json]:
    """Thresholds: each colour holds from its value on; the first one's value is None."""
    return [{"color": colour, "value": value} for colour, value in colours]


def said(*texts: tuple[int, str, str]) -> list[Json]:
    """Value mappings: value to text and colour."""
    options = {
        str(value): {"text": text, "color": colour, "index": index}
        for index, (value, text, colour) in enumerate(texts)
    }
    return [{"type": "value", "options": options}]


def tile(
    title: str,
    description: str,
    unit: str,
    expr: str,
    *,
    legend: str = "",
    thresholds: Sequence[Json] = (),
    mappings: Sequence[Json] = (),
    sparkline: bool = True,
    text: str = "value",
    decimals: int | None = None,
) -> Stat:
    """One figure; coloured all over where thresholds or mappings say how."""
    return Stat(
        title=title,
        description=description,
        dataSource=SOURCE,
        targets=targets([(expr, legend)], instant=not sparkline),
        format=unit,
        decimals=decimals,
        color={"mode": "thresholds"},
        thresholds=list(thresholds) or steps((BLUE, None)),
        mappings=list(mappings),
        colorMode="background" if mappings or thresholds else "value",
        graphMode="area" if sparkline else "none",
        reduceCalc="lastNotNull",
        textMode=text,
        noValue="–",
        alignment="auto",
        maxDataPoints=None,
    )


def states(
    title: str, description: str, *queries: Query, mappings: Sequence[Json] = ()
) -> StateTimeline:
    """Bands of colour over time, a row per series."""
    return StateTimeline(
        title=title,
        description=description,
        dataSource=SOURCE,
        targets=targets(queries),
        mappings=list(mappings),
        colorMode="thresholds",
        thresholds=steps((GREY, None)),
        showValue="auto",
        rowHeight=0.85,
        maxDataPoints=None,
        mergeValues=True,
    )


def note(title: str, content: str) -> Text:
    return Text(title=title, content=content, description="What this board is for.")


@attr.s
class Modern(Panel):
    """A panel that grafanalib knows in an old shape only."""

    kind: str = attr.ib(default="")
    options: Json = attr.ib(factory=dict)
    defaults: Json = attr.ib(factory=dict)
    overrides: list[Json] = attr.ib(factory=list)

    def to_json_data(self) -> Json:
        return self.panel_json(
            {
                "type": self.kind,
                "options": self.options,
                "fieldConfig": {"defaults": self.defaults, "overrides": self.overrides},
            }
        )


def heatmap(title: str, description: str, unit: str, expr: str) -> Modern:
    """Counts by bucket over time; expr gives a series per upper bound, named by it."""
    return Modern(
        kind="heatmap",
        title=title,
        description=description,
        dataSource=SOURCE,
        targets=targets([(expr, "{{le}}")], form="heatmap"),
        options={
            "calculate": False,
            "cellGap": 1,
            "color": {
                "mode": "scheme",
                "scheme": "Oranges",
                "scale": "exponential",
                "exponent": 0.5,
                "steps": 64,
                "reverse": False,
                "fill": "dark-orange",
            },
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
        },
        defaults={"custom": {}},
        maxDataPoints=None,
    )


def table(
    title: str,
    description: str,
    *columns: tuple[str, str, str],
    by: Sequence[str],
) -> Modern:
    """A row per combination of `by`. columns: heading, unit, expression (labels `by` alone)."""
    renamed = {f"Value #{chr(ord('A') + i)}": heading for i, (heading, _, _) in enumerate(columns)}
    order = {name: i for i, name in enumerate([*by, *renamed])}
    overrides = [
        {
            "matcher": {"id": "byName", "options": heading},
            "properties": [{"id": "unit", "value": unit}],
        }
        for heading, unit, _ in columns
    ]
    return Modern(
        kind="table",
        title=title,
        description=description,
        dataSource=SOURCE,
        targets=targets([(expr, "") for _, _, expr in columns], instant=True, form="table"),
        options={"showHeader": True, "cellHeight": "sm"},
        defaults={"custom": {"align": "auto", "filterable": True}},
        overrides=overrides,
        transformations=[
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": order,
                    "renameByName": renamed,
                },
            },
        ],
        maxDataPoints=None,
    )


def painted(name: str, colour: str, *properties: Json) -> Json:
    """An override: that series in that colour."""
    fixed = {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}
    return {"matcher": {"id": "byName", "options": name}, "properties": [fixed, *properties]}


def dashed(name: str, colour: str) -> Json:
    style = {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}}
    return painted(name, colour, style)


def on_the_right(pattern: str, unit: str) -> Json:
    """An override: series that match go on an axis of their own, even and from zero."""
    return {
        "matcher": {"id": "byRegexp", "options": pattern},
        "properties": [
            {"id": "unit", "value": unit},
            {"id": "custom.axisPlacement", "value": "right"},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "custom.scaleDistribution", "value": {"type": "linear"}},
            {"id": "custom.axisSoftMin", "value": 0},
        ],
    }
