"""How does a person read a suite of benchmarks? One HTML file, a section per category."""

from collections.abc import Sequence

from soak.bench import phases, resource_use, retrieval, tiers, transitions
from soak.bench import table as tables
from soak.bench.goals import goal_rows
from soak.bench.pictures import Picture, in_order, pictures
from soak.bench.running import disturbance
from soak.bench.scaling import further_rows, scaling_rows
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
SCALING = (
    *("agents", "operations/s", "ideal", "efficiency", "for each/s", "a round takes", "p95"),
    *("processor", "memory"),
)


def html(documents: Sequence[Section]) -> str:
    """The report of the benchmarks, as one file that needs nothing else."""
    categories = by_category(documents)
    target = _target(documents)
    sections = [_verdict(documents), _goals(documents)]
    sections += [_category(name, found) for name, found in categories.items()]
    sections.append(_circumstances(documents))
    contents = [("objectives", "Objectives"), *((name, name) for name in categories)]
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


def by_category(documents: Sequence[Section]) -> dict[str, list[Section]]:
    """Category to its documents, in the order they come; a category is named for a page."""
    found: dict[str, list[Section]] = {}
    for document in documents:
        found.setdefault(str(document.get("category") or "other"), []).append(document)
    return found


def every_picture(documents: Sequence[Section]) -> list[Picture]:
    """The figures of all categories, for files of their own."""
    return [
        picture
        for category, found in by_category(documents).items()
        for picture in pictures(category, found)
    ]


def _target(documents: Sequence[Section]) -> str:
    names = {str(as_section(_params(d).get("target")).get("name") or "") for d in documents}
    return ", ".join(sorted(names - {""})) or "a target that is not named"


def _params(document: Section) -> Section:
    return as_section(as_section(document.get("metadata")).get("params"))


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
    said = together(
        element("li", f"{tables.name_of(d)}: {as_section(d.get('verdict')).get('reason')}")
        for status in ("fail", "unknown", "skipped")
        for d in by_status.get(status, [])
    )
    said = together((said, *(element("li", text) for text in _disturbed(documents))))
    return together((box, element("ul", said, class_="notes") if said else ""))


def _disturbed(documents: Sequence[Section]) -> list[str]:
    """That several ran at a time on too few processors, where they did."""
    found: dict[str, None] = {}
    for document in documents:
        metadata = as_section(document.get("metadata"))
        parallel = figures.number(metadata.get("parallel"))
        cpus = figures.number(as_section(metadata.get("environment")).get("cpus_allowed"))
        if parallel > 1 and cpus > 0:
            found[disturbance(int(parallel), int(cpus))] = None
    return [text for text in found if text]


def _goals(documents: Sequence[Section]) -> Html:
    rows = [
        (
            badge(str(row["status"])),
            together((element("b", row["objective"]), element("small", f"{row['benchmark']}")), ""),
            figures.in_unit(row["measured"], str(row["unit"])),
            f"at {row['bound']} {figures.in_unit(row['target'], str(row['unit']))}",
        )
        for row in goal_rows(documents)
    ]
    head = ("", "objective", "measured", "target")
    shown = table(head, rows, text_columns=(0, 1)) if rows else element("p", "None was measured.")
    return section("objectives", "Measured against target", shown)


def _category(name: str, documents: Sequence[Section]) -> Html:
    drawn = [_figure(picture) for picture in pictures(name, documents)]
    head, rows = tables.FIGURES, [row for d in in_order(documents) for row in tables.figures_of(d)]
    bounds = [row for d in in_order(documents) for row in tables.objectives_of(d)]
    return section(
        name,
        name.capitalize(),
        _scaling(documents),
        _resource_use(documents),
        _searches(documents),
        _tiers(documents),
        _transitions(documents),
        *drawn,
        folded("All figures", table(head, rows, text_columns=(0, 1, 2))) if rows else "",
        folded("All objectives", table(tables.OBJECTIVES, bounds, text_columns=(0, 1, 2)))
        if bounds
        else "",
        _others(documents),
    )


def _figure(picture: Picture) -> Html:
    if isinstance(picture, ranges.Ranges):
        drawn = Html(ranges.svg(picture))
        caption = element("figcaption", picture.caption)
        return element("figure", element("h3", picture.title), drawn, caption, class_="wide")
    return figure(picture)


def _scaling(documents: Sequence[Section]) -> Html:
    """Ideal against actual for agents, and the law of growth over records."""
    agents, laws = scaling_rows(documents)
    parts: list[object] = [table(SCALING, agents, text_columns=())] if agents else []
    if laws:
        said = ", ".join(f"{name} {quantile} by {b:+.2f}" for name, quantile, b in laws)
        text = f"Latency grows as records to the power of b (0 is flat, 1 in proportion): {said}."
        parts.append(element("p", text))
    parts += [
        element("p", f"Each further record takes {figures.size(held)} of {name}.")
        for name, held in further_rows(documents)
    ]
    return together(parts)


def _explained(
    head: Sequence[str], rows: Sequence[Sequence[object]], text_columns: Sequence[int], said: str
) -> Html:
    """A table and what there is to say of it; nothing where it has no row."""
    if not rows:
        return Html("")
    return together((table(head, rows, text_columns=text_columns), element("p", said)))


def _resource_use(documents: Sequence[Section]) -> Html:
    """What a set rate takes; its course is drawn below."""
    rows = resource_use.resource_rows(documents)
    said = (
        "TCP is what the target's open connections carried, at least; the loopback's bytes are of "
        "all who use it. A dash is unknown, not nothing."
    )
    return _explained(resource_use.HEAD, rows, (0,), said)


def _searches(documents: Sequence[Section]) -> Html:
    """Searches beside their counterparts: by tier, exact, cold."""
    rows = retrieval.retrieval_rows(in_order(documents))
    said = (
        "Times are from issue to answer, since some are asked at a rate and others one after "
        "another. What is read from the disk is the process's own count, over all it did."
    )
    return _explained(retrieval.HEAD, rows, (0, 1, 2), said)


def _tiers(documents: Sequence[Section]) -> Html:
    """What a record takes in each tier beside full precision, and what became of it."""
    rows = tiers.tier_rows(in_order(documents))
    said = (
        "Bytes are of one record. Float32 is what vector and text take at full precision, and of "
        "float32 what the target accounts for; memory is measured from outside, less 40 MB. Errors "
        "are means over what gets returned: length of the difference as a share of the vector's, "
        "and 1 - cosine; texts is the share of those that came back to the letter."
    )
    return _explained(tiers.HEAD, rows, (0, 1), said)


def _transitions(documents: Sequence[Section]) -> Html:
    """What moves between tiers took, and what others felt of them."""
    ordered = in_order(documents)
    moves, rows = transitions.transition_rows(ordered), phases.phase_rows(ordered)
    said = (
        "What the target declares of its moves. Processor time and bytes written, of a forced one, "
        "are what phase meanwhile took more than phase before under the same load: chance may make "
        "them negative. Tiers add up where their records are all that live."
    )
    return together(
        (
            _explained(transitions.HEAD, moves, (0, 1), said),
            folded("Phase by phase", table(phases.HEAD, rows, text_columns=(0, 1, 2)))
            if rows
            else "",
        )
    )


def _others(documents: Sequence[Section]) -> Html:
    """Figures that soak does not know by name: those of results from elsewhere."""
    rows = [
        (tables.name_of(document), path, text)
        for document in in_order(documents)
        for path, text in tables.foreign_figures(document)
    ]
    if not rows:
        return Html("")
    shown = table(("benchmark", "figure", "value"), rows, text_columns=(0, 1))
    return folded("Figures of results from elsewhere", shown)


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
        (tables.name_of(d), figures.span(as_section(d.get("metadata")).get("execution_time_s")))
        for d in documents
    ]
    return section(
        "circumstances",
        "Where was this measured?",
        facts(rows),
        folded("How long each took", facts(taken)),
    )
