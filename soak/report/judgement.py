"""What is the answer, and may it be believed? The first screen of the report as HTML."""

from collections.abc import Mapping

from soak.report import figures
from soak.report.advice import advice
from soak.report.document import Section, as_rows, as_section
from soak.report.markdown import (
    bound_text,
    effect_text,
    gaps_text,
    interval_text,
    key_figures,
    sentence,
)
from soak.report.markup import SIGNS, Html, badge, element, facts, section, table, together
from soak.report.objectives import Worst, asked_checks, worst
from soak.report.record import RunRecord


def verdict(record: RunRecord) -> Html:
    """One word, one sentence, the key figures, and what is missing from the record."""
    document = record.document
    status = str(as_section(document.get("verdict")).get("status", "unknown"))
    known = status if status in SIGNS else "unknown"
    code = figures.whole(as_section(document.get("verdict")).get("exit_code"))
    tiles = together(
        element("div", element("b", text), element("span", name), class_="tile")
        for name, text in key_figures(document)
    )
    notes = together(element("li", note) for note in record.notes)
    return together(
        (
            element(
                "div",
                element("span", SIGNS[known], class_="sign"),
                element("p", sentence(document), class_="sentence"),
                element("span", f"exit code {code}", class_="code"),
                class_=f"verdict {known}",
            ),
            element("ul", notes, class_="notes") if notes else "",
            element("div", tiles, class_="tiles"),
        )
    )


def checks(record: RunRecord) -> Html:
    """Each check with figure, bound, and the window that came closest to breaking it."""
    asked = asked_checks(record)
    rows: list[tuple[object, ...]] = []
    # What went wrong is what one came to see.
    order = {"fail": 0, "unknown": 1}
    checked = as_rows(record.document.get("checks"))
    for check in sorted(checked, key=lambda row: order.get(str(row.get("status")), 2)):
        name = str(check.get("name", ""))
        found = worst(record, asked[name]) if name in asked else None
        since_s = check.get("since_s")
        rows.append(
            (
                badge(str(check.get("status", "unknown"))),
                together((element("b", name), element("small", check.get("reason", ""))), ""),
                _measured(check),
                bound_text(check),
                _worst_text(found, check),
                figures.moment(since_s),
            )
        )
    rows += [
        (
            element("span", "not asked", class_="badge"),
            together((element("b", row.get("name", "")), element("small", row["reason"])), ""),
            *([figures.NOT_KNOWN] * 4),
        )
        for row in as_rows(record.document.get("skipped"))
    ]
    head = ("", "check", "measured", "bound", "worst window", "broken since")
    shown = table(head, rows, text_columns=(0, 1))
    said = (
        "Measured after warm-up. Times count from the start of the run, as hours:minutes:seconds. "
        "How often the detectors behind these are wrong: docs/scorecard.md, `soak scorecard`."
    )
    if not rows:
        return section("checks", "What was judged", element("p", "No check was judged."))
    return section("checks", "What was judged", shown, element("p", said, class_="caption"))


def recommendations(record: RunRecord) -> Html:
    """What to look at first, with the figure that speaks for it; nothing where all passed."""
    rows = [
        (
            badge(each.status),
            together((element("b", each.check), element("small", each.what)), ""),
            each.figure,
        )
        for each in advice(record)
    ]
    if not rows:
        return Html("")
    shown = table(("", "recommended", "because"), rows, text_columns=(0, 1, 2))
    return section("recommendations", "What to look at first", shown)


def _measured(check: Section) -> Html:
    interval = interval_text(check)
    return together((effect_text(check), element("small", interval) if interval else ""), "")


def _worst_text(found: Worst | None, check: Section) -> Html | str:
    if found is None:
        return figures.NOT_KNOWN
    value = figures.in_unit(found.value, str(check.get("unit", "")))
    return together((value, element("small", f"at {figures.moment(found.start_s)}")), "")


def certificate(record: RunRecord) -> Html:
    """What the tester and the machine did meanwhile, and whether that spoils the figures."""
    found = as_section(record.document.get("certificate"))
    reasons = found.get("reasons")
    reasons = reasons if isinstance(reasons, list) else []
    if found.get("trusted") is True:
        said = element(
            "p",
            badge("pass", "yes"),
            " The load was on time, nothing was lost, and the machine left the run alone.",
        )
    else:
        listed = together(element("li", reason) for reason in reasons)
        said = together(
            (
                element("p", badge("unknown", "no"), " Figures that depend on time prove nothing:"),
                element("ul", listed) if reasons else "",
            )
        )
    return section("certificate", "Can this run be trusted?", said, facts(_conditions(found)))


def _conditions(found: Mapping[str, object]) -> list[tuple[str, object]]:
    """What is known of the conditions, as (name, text)."""
    late, hiccup = as_section(found.get("lateness_s")), as_section(found.get("hiccup_s"))
    failures = as_section(found.get("sampler_failures"))
    failed = [f"{name} {figures.whole(n)}" for name, n in failures.items() if figures.number(n)]
    rows = [
        ("operations started late by", _spread(late)),
        ("a sleeping thread woke late by", _spread(hiccup)),
        ("results lost", figures.whole(found.get("dropped_results"))),
        ("lines of logs lost", figures.whole(found.get("lost_lines"))),
        ("interrupted", gaps_text(found)),
        ("asked for", figures.rate(found.get("offered_rate"))),
        ("achieved", figures.rate(found.get("achieved_rate"))),
        ("the tester's own memory", figures.size(found.get("tester_rss_bytes"))),
        ("the tester's own processor time", figures.share(found.get("tester_cpu_ratio"))),
        ("processor time taken by other guests", figures.share(found.get("host_steal_ratio"))),
        ("time that work waited for a processor", figures.share(found.get("host_pressure_ratio"))),
        ("steps of the clock", figures.latency(found.get("clock_step_s"))),
        ("samples that failed", ", ".join(failed) if failed else "none" if failures else ""),
    ]
    return [(name, text) for name, text in rows if text not in ("", figures.NOT_KNOWN)]


def _spread(quantiles: Section) -> str:
    names = ("p50", "p99", "max")
    known = [name for name in names if figures.number(quantiles.get(name)) >= 0]
    texts = [f"{name} {figures.latency(quantiles.get(name))}" for name in known]
    return ", ".join(texts)
