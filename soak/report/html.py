"""How does a person read a run? One HTML file that needs nothing else and prints well."""

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from soak.report import evidence as report_evidence
from soak.report import judgement as report_judgement
from soak.report.charts import Chart, Timeline
from soak.report.document import as_section
from soak.report.markup import Html, element, facts, section, together
from soak.report.palette import css_variables
from soak.report.picture import Picture, draw
from soak.report.plots import svg
from soak.report.pressure import charts, has_grown, rows
from soak.report.record import RunRecord

CONTENTS = (
    ("checks", "Checks"),
    ("certificate", "Trust"),
    ("story", "Picture"),
    ("growth", "Growth"),
    ("maintenance", "Maintenance"),
    ("answers", "Answers"),
    ("change", "Change"),
    ("failures", "Outcomes"),
    ("circumstances", "Circumstances"),
)


def html(record: RunRecord) -> str:
    """The report of a finished, running or crashed run; under 2 MB whatever its length."""
    document = record.document
    picture = draw(record)
    title = f"{document.get('scenario', '')} on {document.get('target', '')}"
    status = str(as_section(document.get("verdict")).get("status", "unknown"))
    sections = (
        report_judgement.verdict(record),
        report_judgement.checks(record),
        report_judgement.recommendations(record),
        report_judgement.certificate(record),
        story(picture),
        report_evidence.growth(record, grid(picture.growth)),
        pressure(record),
        report_evidence.maintenance(record),
        report_evidence.answers(record),
        report_evidence.change(record),
        report_evidence.failures(record, grid(picture.errors)),
        report_evidence.circumstances(record),
    )
    return page(
        title=f"{status}: {title}",
        heading=title,
        run=str(document.get("run_id", "")),
        question=str(record.plan.get("question") or ""),
        started=when(document.get("started")),
        contents=CONTENTS,
        body=together(sections),
    )


def page(
    *,
    title: str,
    heading: str,
    run: str,
    question: str,
    started: str,
    contents: Sequence[tuple[str, str]],
    body: Html,
    is_timed: bool = True,
) -> str:
    """A whole file around the sections. contents: (id of a section, its name) for the links.

    is_timed: whether its figures share one time axis, so that pointing at one points at all.
    """
    links = together((element("a", name, href=f"#{place}") for place, name in contents), " ")
    return _template("report.html").substitute(
        title=escape(title),
        heading=escape(heading),
        run=escape(run),
        question=escape(question),
        started=escape(started),
        light=css_variables(is_dark=False),
        dark=css_variables(is_dark=True),
        css=_text("report.css"),
        script=_text("print.js") + (_text("report.js") if is_timed else ""),
        links=links,
        body=body,
    )


def when(started: object) -> str:
    """A moment of a document for people: 2026-03-01 12:00 UTC."""
    return f"{str(started)[:16].replace('T', ' ')} UTC" if started else ""


def story(picture: Picture) -> Html:
    """What happened when, and under it how everything went, on one time axis."""
    first = [figure(picture.timeline)] if picture.timeline else []
    wide = [figure(chart) for chart in picture.story]
    return section("story", "The whole run in one picture", *first, *wide, grid(picture.operations))


def pressure(record: RunRecord) -> Html:
    """How much it took, where records grew; else nothing."""
    if not has_grown(record):
        return Html("")
    drawn = (figure(chart) for chart in charts(record))
    return section("pressure", "How much did it take?", facts(rows(record)), *drawn)


def grid(shown: Sequence[Chart]) -> Html:
    """Figures beside each other where there is room; nothing when there is none."""
    if not shown:
        return Html("")
    return element("div", *(figure(chart) for chart in shown), class_="grid")


def figure(chart: Chart | Timeline) -> Html:
    width = chart.width if isinstance(chart, Chart) else "wide"
    return element(
        "figure",
        element("h3", chart.title),
        Html(svg(chart)),
        element("figcaption", chart.caption),
        class_=width,
    )


@cache
def _text(name: str) -> str:
    return (files("soak.report") / "templates" / name).read_text(encoding="utf-8")


def _template(name: str) -> Template:
    return Template(_text(name))
