"""What do all boards share? Variables, annotations, links, and the shape that Grafana takes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attr
from grafanalib._gen import DashboardEncoder
from grafanalib.core import (
    Annotations,
    Dashboard,
    DashboardLink,
    Panel,
    RowPanel,
    Template,
    Templating,
    Time,
)

from dashboards.panels import SOURCE
from dashboards.queries import CHOSEN, during, selected

SCHEMA_VERSION = 42
WIDTH = 24
ROW_HEIGHT = 1
CROSSHAIR = 1
POINTED = "soak_operation_latency_seconds"  # its buckets have exemplars worth a look
Row = tuple[str, int, Sequence[tuple[int, Panel]]]
Json = dict[str, Any]

# The schema asks for what only Grafana's own annotations use.
UNUSED = {"limit": 100, "matchAny": False, "tags": [], "type": "dashboard"}
# Kinds of maintenance and of events by colour; each annotation has its own switch.
MAINTENANCE = (
    ("Evictions", "evict.*|expir.*|demot.*|emergency", "orange"),
    ("Compactions", "compact.*|consolidate.*", "purple"),
    (
        "Other maintenance",
        "checkpoint.*|explicit|snapshot.*|flush.*|merge.*|rebuild.*|vacuum.*",
        "blue",
    ),
)
EVENTS = (
    ("Faults", "fault.*|kill.*|restart.*|crash.*", "dark-red"),
    ("Gaps", "gap.*|sampler_failed|resumed", "yellow"),
    ("Change points", "change_point.*|change.*", "semi-dark-blue"),
    ("Phases", "phase", "green"),
)


def board(
    name: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    extra: Sequence[Template] = (),
) -> Dashboard:
    """A dashboard with uid soak-<name>. rows: title, height, and panels with their widths."""
    return Dashboard(
        title=title,
        uid=f"soak-{name}",
        description=description,
        tags=["soak"],
        timezone="browser",
        refresh="10s",
        time=Time("now-6h", "now"),
        schemaVersion=SCHEMA_VERSION,
        graphTooltip=CROSSHAIR,
        editable=True,
        templating=Templating([*variables(), *extra]),
        annotations=Annotations(list(annotations())),
        links=[
            DashboardLink(
                type="dashboards", title="soak", tags=["soak"], keepTime=True, includeVars=True
            )
        ],
        panels=list(laid_out(rows)),
    ).auto_panel_ids()


def variables() -> list[Template]:
    """From the general to the special; the run is the last that there was."""
    return [
        Template(name="datasource", label="Source", type="datasource", query="prometheus"),
        variable("scenario", "Scenario", "label_values(soak_run_info, scenario)"),
        variable("target", "Target", 'label_values(soak_run_info{scenario=~"$scenario"}, target)'),
        variable("run_id", "Run", f"label_values(soak_run_info{{{CHOSEN}}}, run_id)"),
    ]


def variable(name: str, label: str, query: str, *, several: bool = True) -> Template:
    """A variable that Prometheus fills, refreshed with the time range, newest name first."""
    return Template(
        name=name,
        label=label,
        query=query,
        dataSource=SOURCE,
        includeAll=several,
        multi=several,
        allValue=".*" if several else None,
        default="$__all" if several else None,
        refresh=2,
        sort=2,
    )


def annotations() -> Iterator[Json]:
    """Maintenance as regions by kind; what has a moment and no length as points."""
    for title, kinds, colour in MAINTENANCE:
        yield annotation(title, during(kinds), colour, "{{kind}} ({{source}})", step="10s")
    onset = selected("soak_check_broken_timestamp_milliseconds", 'detector="leak"')
    yield annotation("Leak onset", onset, "red", "{{check}} begins", is_moment=True)
    broken = selected("soak_check_broken_timestamp_milliseconds", 'detector!="leak"')
    yield annotation("Broken checks", broken, "light-red", "{{check}}", is_moment=True)
    for title, kinds, colour in EVENTS:
        found = selected("soak_event_timestamp_milliseconds", f'kind=~"{kinds}"')
        yield annotation(title, found, colour, "{{kind}}", is_moment=True)


def annotation(
    title: str, expr: str, colour: str, text: str, *, is_moment: bool = False, step: str = "60s"
) -> Json:
    """is_moment: the series' value is the time, in milliseconds."""
    return {
        "name": title,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "datasource": SOURCE,
        "expr": expr,
        "target": {"expr": expr, "refId": "Anno", "interval": step, "range": True, **UNUSED},
        "titleFormat": text,
        "textFormat": "{{scenario}} on {{target}}",
        "tagKeys": "kind,source,check",
        "step": step,
        "useValueForTime": is_moment,
    }


def laid_out(rows: Sequence[Row]) -> Iterator[Panel]:
    """Panels with their places: each row's from left to right, below its heading."""
    y = 0
    for title, height, panels in rows:
        if title:
            place = {"x": 0, "y": y, "w": WIDTH, "h": ROW_HEIGHT}
            yield RowPanel(title=title, gridPos=place)
            y += ROW_HEIGHT
        x = 0
        for width, panel in panels:
            if x + width > WIDTH:
                x, y = 0, y + height
            yield attr.evolve(panel, gridPos={"x": x, "y": y, "w": width, "h": height})
            x += width
        y += height


def modern(dashboard: Dashboard) -> Json:
    """The dashboard as JSON of the current schema: without what grafanalib writes for old ones."""
    tree = json.loads(json.dumps(dashboard, cls=DashboardEncoder))
    for old in ("__inputs", "gnetId", "hideControls", "rows", "sharedCrosshair", "style"):
        tree.pop(old, None)
    tree["panels"] = [_panel(panel) for panel in tree["panels"]]
    tree["timepicker"].pop("time_options", None)
    for found in tree["templating"]["list"]:
        _variable(found)
    cleaned: Json = _without_null(tree)
    cleaned["id"] = None
    return cleaned


def _panel(panel: Json) -> Json:
    for old in (
        "cacheTimeout",
        "editable",
        "error",
        "height",
        "hideTimeOverride",
        "span",
        "minSpan",
    ):
        panel.pop(old, None)
    for target in panel.get("targets", []):
        for old in ("query", "target", "metric", "step", "intervalFactor"):
            target.pop(old, None)
        target["range"] = not target["instant"]
        # A dot per slow operation: its id is for `soak show RUN --operation ID`.
        if target["range"] and POINTED in target["expr"]:
            target["exemplar"] = True
        if not target["interval"]:
            del target["interval"]
    if panel["type"] in ("row", "text"):
        panel.pop("fieldConfig", None)
        panel.pop("targets", None)
    if panel["type"] == "row":
        for foreign in ("links", "maxDataPoints", "transformations", "transparent"):
            panel.pop(foreign, None)
    if not panel.get("repeat"):
        panel.pop("repeatDirection", None)
    return panel


def _variable(found: Json) -> None:
    """The query of a variable in its present form, and nothing chosen yet."""
    for old in ("useTags", "tagsQuery", "tagValuesQuery", "auto", "auto_count", "auto_min"):
        found.pop(old, None)
    if found["type"] == "query":
        asked = found["query"]
        found["definition"] = asked
        found["query"] = {"query": asked, "refId": found["name"]}
    chosen = ("All", "$__all") if found["includeAll"] else ("", "")
    found["current"] = {"text": chosen[0], "value": chosen[1], "selected": bool(chosen[0])}


def _without_null(value: Any, key: str = "") -> Any:
    """Nulls out, but for the lowest step of thresholds, which has no value."""
    if isinstance(value, Mapping):
        return {
            name: _without_null(inner, name)
            for name, inner in value.items()
            if inner is not None or (key == "steps" and name == "value")
        }
    if isinstance(value, list):
        return [_without_null(inner, key) for inner in value]
    return value
