"""How does a person read a suite of benchmarks? One HTML file, a section per category."""

from collections.abc import Sequence

from soak.bench.goals import goal_rows
from soak.bench.pictures import Picture, in_order
from soak.bench.running import disturbances
from soak.bench.sections import Category, by_category, pictures_of
from soak.bench.table import Table, tables
from soak.bench.variants import by_variant, name_of, target_of
from soak.report import figures, ranges
from soak.report.document import Section, as_section
from soak.report.html import figure, page, when
from soak.report.markup import (
    SIGNS,
    Html,
    badge,
    element,
    facts,
    folded,
    section,
    table,
    together,
)

MACHINE = ("cpu_model", "cpus_allowed", "memory_total", "kernel", "python", "soak")
# Beneath a table of that name.
SAID = {
    "Resource use": "TCP is what the target's open connections carried, at least; the loopback's "
    "bytes are of all who use it. A dash is unknown, not nothing.",
    "Footprint": "At the end of each run. Memory is anonymous, resident memory has the pages of "
    "files as well; by 1,000 records it is less what the process holds without any.",
    "Growth": "Latency grows as records to that power: 0 is flat, 1 in proportion.",
    "Searches": "Times are from issue to answer, since some are asked at a rate and others one "
    "after another. What is read from the disk is the process's own count, over all it did.",
    "Records by tier": "Bytes are of one record. Float32 is what vector and text take at full "
    "precision, and of float32 what the target accounts for; memory is measured from outside, "
    "less what was held before the first record. Errors are means over what gets returned: length "
    "of the difference as a share of the vector's, and 1 - cosine; texts is the share of those "
    "that came back to the letter.",
    "Moves between tiers": "What the target declares of its moves. Processor time and bytes "
    "written, of a forced one, are what phase meanwhile took more than phase before under the "
    "same load: chance may make them negative. Tiers add up where their records are all that "
    "live.",
    "Pressure": "Written counts the first records, too; held at most is as many as were live in "
    "any sample. Maintenance asked is of the load, declared by the target, detected from outside. "
    "Search p99 is of the worst phase, then of the last; memory the most, then the last.",
}
# Open, in this order; the rest is folded away below the figures.
SHOWN = (
    *("Highest rates", "Agents", "Growth", "Resource use", "Footprint", "Searches"),
    *("Records by tier", "Moves between tiers", "Pressure", "Phases"),
)
FOLDED = ("Figures", "Checks", "Other figures")
# What a table is called where it is folded away.
CALLED = {"Phases": "Phase by phase", "Figures": "All figures", "Checks": "All objectives"}


def html(documents: Sequence[Section]) -> str:
    """The report of the benchmarks, as one file that needs nothing else."""
    categories = by_category(documents)
    target = _target(documents)
    sections = [_verdict(documents), _goals(documents)]
    sections += [_category(category) for category in categories]
    sections.append(_circumstances(documents))
    contents = [("objectives", "Objectives"), *((each.anchor, each.name) for each in categories)]
    started = min((str(d.get("timestamp") or "") for d in documents), default="")
    return page(
        title=f"benchmarks of {target}",
        heading=f"Benchmarks of {target}",
        run=f"{len(documents)} benchmarks",
        question="What can it do, and what does that take?",
        started=when(started),
        contents=[*contents, ("circumstances", "Circumstances")],
        body=together(sections),
        is_timed=False,
    )


def _target(documents: Sequence[Section]) -> str:
    names = {target_of(document) for document in documents}
    return ", ".join(sorted(names - {""})) or "a target that is not named"


def _verdict(documents: Sequence[Section]) -> Html:
    """How many passed, and which did not."""
    by_status: dict[str, list[Section]] = {}
    for document in documents:
        status = str(as_section(document.get("verdict")).get("status") or "unknown")
        by_status.setdefault(status, []).append(document)
    worst = next((s for s in ("fail", "unknown") if by_status.get(s)), "pass")
    counts = ", ".join(f"{len(found)} {status}" for status, found in sorted(by_status.items()))
    box = element(
        "div",
        element("span", SIGNS[worst], class_="sign"),
        element("p", f"Of {len(documents)} benchmarks: {counts}.", class_="sentence"),
        class_=f"verdict {worst}",
    )
    said = [
        f"{name_of(d)}{f' ({variant})' if variant else ''}: "
        f"{as_section(d.get('verdict')).get('reason')}"
        for status in ("fail", "unknown", "skipped")
        for variant, group in by_variant(documents).items()
        for d in group
        if as_section(d.get("verdict")).get("status", "unknown") == status
    ]
    notes = together(element("li", text) for text in (*said, *disturbances(documents)))
    return together((box, element("ul", notes, class_="notes") if notes else ""))


def _goals(documents: Sequence[Section]) -> Html:
    rows = [
        (
            badge(str(row["status"])),
            together(
                (
                    element("b", row["objective"]),
                    element("small", ", ".join(filter(None, (str(row["benchmark"]), variant)))),
                ),
                "",
            ),
            figures.in_unit(row["measured"], str(row["unit"])),
            f"at {row['bound']} {figures.in_unit(row['target'], str(row['unit']))}",
        )
        for variant, group in by_variant(documents).items()
        for row in goal_rows(group)
    ]
    head = ("", "objective", "measured", "target")
    shown = table(head, rows, text_columns=(0, 1)) if rows else element("p", "None was measured.")
    return section("objectives", "Measured against target", shown)


def _category(category: Category) -> Html:
    drawn = pictures_of(category)
    parts: list[object] = []
    for said, documents in category.variants.items():
        parts += [element("h3", said)] if said else []
        parts += _variant(documents, drawn[said])
    return section(category.anchor, category.name.capitalize(), *parts)


def _variant(documents: Sequence[Section], drawn: Sequence[Picture]) -> list[Html]:
    """Tables, figures, and what is folded away, of one category and variant."""
    told = {each.name: each for each in tables(in_order(documents)) if each.rows}
    shown = [_table(told[name]) for name in SHOWN if name in told]
    more = [_folded(told[name]) for name in FOLDED if name in told]
    return [*shown, *map(_figure, drawn), *more]


def _table(shown: Table) -> Html:
    if shown.name in CALLED:
        return _folded(shown)
    drawn = table(shown.head, shown.rows, text_columns=tuple(shown.words))
    return together((drawn, element("p", SAID[shown.name]) if shown.name in SAID else ""))


def _folded(shown: Table) -> Html:
    drawn = table(shown.head, shown.rows, text_columns=tuple(shown.words))
    return folded(CALLED.get(shown.name, shown.name), drawn)


def _figure(picture: Picture) -> Html:
    if isinstance(picture, ranges.Ranges):
        drawn = Html(ranges.svg(picture))
        caption = element("figcaption", picture.caption)
        return element("figure", element("h3", picture.title), drawn, caption, class_="wide")
    return figure(picture)


def _circumstances(documents: Sequence[Section]) -> Html:
    """Machine and versions, each once for all that are alike."""
    found: dict[str, dict[str, None]] = {}
    for document in documents:
        environment = as_section(as_section(document.get("metadata")).get("environment"))
        for name in MACHINE:
            if environment.get(name) is not None:
                found.setdefault(name, {})[str(environment[name])] = None
    rows = [(name.replace("_", " "), ", ".join(values)) for name, values in found.items()]
    taken = [
        (name_of(d), figures.span(as_section(d.get("metadata")).get("execution_time_s")))
        for d in documents
    ]
    return section(
        "circumstances",
        "Where was this measured?",
        facts(rows),
        folded("How long each took", facts(taken)),
    )
