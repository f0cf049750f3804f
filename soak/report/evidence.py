"""What supports the answer? Growth, maintenance, answers, change, failures, conditions as HTML."""

import json
from collections.abc import Mapping, Sequence

from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.ledger import Entry, entries
from soak.report.markdown import effect_text, interval_text, violation_count
from soak.report.markup import Html, badge, element, facts, folded, section, table, together
from soak.report.objectives import warm_until
from soak.report.record import RunRecord
from soak.report.stretches import Comparison, Stretch, compare, stretch_length_s

MAX_VIOLATIONS = 20
MAX_RUNS = 60


def growth(record: RunRecord, charts: Html) -> Html:
    """Leak verdicts with their figures, and first, last and most of everything sampled."""
    leaks = as_rows(record.document.get("leaks"))
    names = list(dict.fromkeys(name for leak in leaks for name in leak))
    found = [[_leak_text(name, leak.get(name)) for name in names] for leak in leaks]
    head = [name.replace("_per_", "/").replace("_", " ").removesuffix(" s") for name in names]
    judged = [
        (
            badge(str(check.get("status", "unknown"))),
            together((element("b", check.get("name", "")), element("small", check["reason"])), ""),
            effect_text(check),
            interval_text(check) or figures.NOT_KNOWN,
            figures.moment(check.get("since_s")),
        )
        for check in as_rows(record.document.get("checks"))
        if check.get("concern") == "leak"
    ]
    said = "" if judged else element("p", "No check of this run judged growth.")
    rows = [
        (name.replace("_", " "), *_range(name, as_section(figures_of)))
        for name, figures_of in as_section(record.document.get("resources")).items()
    ]
    resources = table(("sampled", "first", "last", "change", "most"), rows)
    return section(
        "growth",
        "Does anything grow?",
        said,
        table(("", "check", "grows by", "interval", "since"), judged, text_columns=(0, 1)),
        table(head, found),
        charts,
        folded("Every sampled resource", resources) if rows else "",
    )


def maintenance(record: RunRecord) -> Html:
    """Each kind of maintenance: how often, what it gave back, and what it cost."""
    rows = [_entry_row(entry) for entry in entries(record.events)]
    head = ("kind", "known from", "runs", "mean", "longest", "records", "given back", "worst pause")
    seen = as_section(record.document.get("maintenance"))
    if not rows:
        said = "No maintenance was declared by the target or seen from outside."
        return section("maintenance", "What did maintenance do?", element("p", said))
    agreement = (
        f"Of what the target declared, {figures.share(seen.get('recall'))} was also seen from "
        f"outside; of what was seen, {figures.share(seen.get('precision'))} had been declared."
    )
    is_compared = seen.get("recall") is not None and figures.number(seen.get("detected")) > 0
    runs = [event for event in record.events if event.details.get("maintenance")][-MAX_RUNS:]
    listed = [
        (
            figures.moment(event.time_s),
            event.kind,
            str(event.source),
            figures.latency(event.duration_s),
            figures.whole(event.details.get("records")),
            figures.size(event.details.get("bytes_reclaimed")),
            figures.latency(event.details.get("longest_pause_s")),
        )
        for event in runs
    ]
    latest_head = ("at", "kind", "known from", "took", "records", "given back", "worst pause")
    return section(
        "maintenance",
        "What did maintenance do?",
        table(head, rows, text_columns=(0, 1)),
        element("p", agreement, class_="caption") if is_compared else "",
        folded(f"The last {len(listed)} runs", table(latest_head, listed, text_columns=(0, 1, 2))),
    )


def answers(record: RunRecord) -> Html:
    """Checked and wrong answers, and the first wrong ones with what it takes to repeat them."""
    document = record.document
    oracle = as_section(document.get("oracle"))
    count = violation_count(document)
    checked = figures.whole(oracle.get("checked"))
    kinds = as_section(oracle.get("violations"))
    broken = [(k.replace("_", " "), figures.whole(n)) for k, n in kinds.items() if n]
    said = "What the oracle found is not on record."
    if count == count:
        said = f"{checked} answers were compared with what had been written; "
        said += f"{figures.whole(count)} were wrong." if count else "none was wrong."
    first = [line for line in record.worker if line.get("kind") == "violation"][:MAX_VIOLATIONS]
    rows = [
        (
            figures.whole(line.get("index")),
            line.get("operation", ""),
            figures.whole(line.get("key")),
            str(line.get("violation", "")).replace("_", " "),
            line.get("note", ""),
        )
        for line in first
    ]
    seed = f"The same scenario with seed {document.get('seed')} issues the same operations; the "
    recall = as_section(document.get("recall"))
    return section(
        "answers",
        "Were the answers right?",
        element("p", said),
        table(("promise broken", "times"), broken),
        table(
            ("operation no.", "operation", "key", "promise", "what"), rows, text_columns=(1, 3, 4)
        ),
        element("p", f"{seed}number says which one it was.", class_="caption") if rows else "",
        facts(
            [
                *_named(recall, "recall", ("mean", "first", "last"), figures.share),
                *_named(recall, "searches scored", ("samples",), figures.whole),
                *_spelled("eviction", as_section(document.get("eviction"))),
                *_spelled("what comes back", as_section(document.get("fidelity"))),
            ]
        ),
    )


def change(record: RunRecord) -> Html:
    """First, last and worst five minutes of each operation, side by side."""
    if not len(record.windows):
        return Html("")
    from_s = warm_until(record)
    compared = [compare(record.windows, name, from_s) for name in record.windows.operations()]
    found = [comparison for comparison in compared if comparison is not None]
    if not found:
        return Html("")
    columns = record.windows.figures
    length_s = stretch_length_s(columns["start_s"], columns["end_s"])
    head = ("operation", "", "when", "per second", "p50", "p99", "slowest", "failed or wrong")
    rows = [row for comparison in found for row in _stretch_rows(comparison)]
    said = (
        f"Stretches of {figures.span(length_s)} after warm-up; p50 and p99 are means over the "
        "windows in each, and the worst stretch is the one with the highest p99."
    )
    return section(
        "change",
        "Was the end worse than the beginning?",
        table(head, rows, text_columns=(0, 1, 2)),
        element("p", said, class_="caption"),
    )


def failures(record: RunRecord, charts: Html) -> Html:
    """Outcomes of every operation, and errors by class with an example of each."""
    operations = as_section(record.document.get("operations"))
    rows = [
        (name.replace("_", " "), figures.whole(as_section(row).get("count")), *_outcomes(row))
        for name, row in operations.items()
    ]
    examples = {
        str(line.get("type")): str(line.get("text", ""))
        for line in record.worker
        if line.get("kind") == "error_class"
    }
    errors = [
        (
            str(row.get("operation", "")),
            str(row.get("type", "")),
            figures.whole(row.get("count")),
            examples.get(str(row.get("type")), ""),
        )
        for row in as_rows(record.document.get("errors"))
    ]
    return section(
        "failures",
        "What became of the operations?",
        table(("operation", "issued", "ok", "missing", "wrong", "error", "timeout"), rows),
        element(
            "p",
            "Missing: not there, and it was allowed not to be. Wrong: the oracle was contradicted.",
            class_="caption",
        ),
        table(("operation", "error", "times", "example"), errors, text_columns=(0, 1, 3)),
        charts,
    )


def circumstances(record: RunRecord) -> Html:
    """Machine, versions, seed, command and the scenario as it ran."""
    document = record.document
    environment = as_section(document.get("environment"))
    command = environment.get("command")
    packages = as_section(environment.get("packages"))
    rows: list[tuple[str, object]] = [
        ("run", document.get("run_id", "")),
        ("directory", record.directory.name),
        ("started", str(document.get("started") or figures.NOT_KNOWN)),
        ("lasted", figures.span(document.get("duration_s"))),
        ("seed", str(document.get("seed"))),
        ("soak", document.get("version") or environment.get("soak", "")),
    ]
    plain = ("python", "kernel", "machine", "cpu_model", "cpus", "cpus_allowed", "memory_total")
    rows += [(name.replace("_", " "), environment[name]) for name in plain if name in environment]
    rows += [("packages", ", ".join(f"{name} {version}" for name, version in packages.items()))]
    line = " ".join(map(str, command)) if isinstance(command, list | tuple) else ""
    target = environment.get("target")
    told = json.dumps(target, indent=1, ensure_ascii=False) if target else ""
    return section(
        "circumstances",
        "Under which circumstances?",
        element("pre", line, class_="command") if line else "",
        facts(rows),
        folded("The scenario as it ran", element("pre", record.scenario))
        if record.scenario
        else "",
        folded("What the target said of itself", element("pre", told)) if told else "",
    )


def _leak_text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    if name.endswith("bytes_per_s"):
        return figures.in_unit(value, "bytes/s")
    if "bytes" in name:
        return figures.size(value)
    if name.startswith("exhaustion"):
        return figures.span(value)
    return figures.moment(value) if name.endswith("_s") else figures.digits(figures.number(value))


def _range(name: str, row: Section) -> tuple[str, str, str, str]:
    unit = "bytes" if name.endswith("_bytes") else "ratio" if name.endswith("_ratio") else "count"
    first, last, most = (figures.in_unit(row.get(key), unit) for key in ("first", "last", "max"))
    return first, last, figures.change(row.get("first"), row.get("last")), most


def _entry_row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.kind.replace("_", " "),
        "the target" if entry.source == "declared" else "outside",
        figures.whole(entry.count),
        figures.latency(entry.duration_s / entry.count),
        figures.latency(entry.longest_s),
        figures.whole(entry.records),
        figures.size(entry.bytes_reclaimed),
        figures.latency(entry.longest_pause_s) if entry.longest_pause_s else figures.NOT_KNOWN,
    )


def _stretch_rows(comparison: Comparison) -> list[tuple[object, ...]]:
    name = comparison.operation.replace("_", " ")
    parts = (("first", comparison.first), ("last", comparison.last), ("worst", comparison.worst))
    return [
        (element("b", name) if label == "first" else "", label, *_stretch_cells(part))
        for label, part in parts
    ]


def _stretch_cells(part: Stretch) -> tuple[str, ...]:
    return (
        f"{figures.moment(part.start_s)} – {figures.moment(part.end_s)}",
        figures.digits(part.rate_per_s),
        figures.latency(part.p50_s),
        figures.latency(part.p99_s),
        figures.latency(part.max_s),
        figures.share(part.bad_ratio),
    )


def _outcomes(row: object) -> Sequence[str]:
    outcomes = as_section(as_section(row).get("outcomes"))
    return [figures.whole(outcomes.get(n)) for n in ("ok", "missing", "wrong", "error", "timeout")]


def _spelled(label: str, row: Mapping[str, object]) -> list[tuple[str, object]]:
    """Every figure of it that is known."""
    known = [
        (name, figures.error(v) if "error" in name else figures.digits(figures.number(v)))
        for name, v in row.items()
    ]
    return [
        (f"{label}, {name}".replace("_", " "), text)
        for name, text in known
        if text != figures.NOT_KNOWN
    ]


def _named(
    row: Mapping[str, object], label: str, names: Sequence[str], say: figures.Say
) -> list[tuple[str, object]]:
    known = [(name, say(row.get(name))) for name in names]
    return [
        (f"{label}, {name}" if len(names) > 1 else label, text)
        for name, text in known
        if text != figures.NOT_KNOWN
    ]
