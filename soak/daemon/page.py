"""What does a person see of a daemon? Its schedules, and the latest runs of each with reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from soak.clock import iso_utc
from soak.daemon.config import Soak
from soak.daemon.metrics import state_of
from soak.daemon.standing import Standing, due_s
from soak.report import figures
from soak.report.catalogue import RunSummary
from soak.report.markup import Html, badge, element, section, table, together

REFRESH_S = 30
HEAD = ("schedule", "soak", "times (UTC)", "now", "next", "last verdict", "against baseline")
RUN_HEAD = ("started", "verdict", "why", "length", "report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A schedule as it is shown. runs: the newest first."""

    soak: Soak
    standing: Standing
    runs: Sequence[RunSummary]


def page(shown: Sequence[Shown], now_s: float) -> str:
    """A whole page, without scripts; it asks for itself again every half minute."""
    schedules = table(HEAD, [_row(each, now_s) for each in shown], text_columns=range(len(HEAD)))
    histories = [section(each.soak.name, each.soak.name, _history(each)) for each in shown]
    head = together(
        [
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="refresh" content="{REFRESH_S}">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="color-scheme" content="light dark">'),
            Html('<link rel="icon" href="/icon.svg">'),
            Html('<link rel="stylesheet" href="/colours.css">'),
            Html('<link rel="stylesheet" href="/report.css">'),
            element("title", "soak daemon"),
        ]
    )
    told = element("p", f"as of {_moment(now_s)} UTC", class_="question")
    header = element("header", element("h1", "Scheduled soaks"), told)
    body = element("body", header, schedules, *histories)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>{body}</html>\n'


def _row(each: Shown, now_s: float) -> tuple[object, ...]:
    soak, standing = each.soak, each.standing
    last = standing.last
    state = state_of(soak, standing, now_s)
    return (
        element("a", soak.name, href=f"#{soak.name}"),
        f"{soak.scenario} on {soak.target}",
        soak.said,
        element("a", state, href=f"/live/{soak.name}/") if standing.going else state,
        _moment(due_s(soak, standing, now_s)),
        badge(last.status, f"{last.status} ({last.exit_code})") if last else "",
        badge(last.comparison) if last and last.comparison else "",
    )


def _history(each: Shown) -> Html:
    rows = [_run(each.soak.name, run) for run in each.runs]
    last = each.standing.last
    is_told = last is None or last.reason in [run.reason for run in each.runs]
    # Of what never began, or could not go on, no report tells.
    note = "" if last is None or is_told else element("p", f"The last one: {last.reason}")
    if not rows:
        return together([note, element("p", "No run yet.")])
    return together([note, table(RUN_HEAD, rows, text_columns=(0, 1, 2, 4))])


def _run(schedule: str, run: RunSummary) -> tuple[object, ...]:
    return (
        (run.started or "")[:16].replace("T", " "),
        badge(run.status, f"{run.status} ({run.exit_code})") if run.status else "",
        run.reason,
        figures.span(run.duration_s) if run.status else "",
        element("a", run.name, href=f"/runs/{schedule}/{run.name}/report.html")
        if run.status
        else run.name,
    )


def _moment(wall_s: float) -> str:
    return iso_utc(wall_s)[:16].replace("T", " ") if isfinite(wall_s) else "never"
