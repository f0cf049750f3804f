"""What should be looked at first? One recommendation per check that did not pass, with its figure.

Each is derived from the verdict and from what the run recorded beside it; none is a guess about the
target's code. Where nothing more is known than the verdict itself, none is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.report.objectives import Line, asked_checks, worst
from soak.report.record import RunRecord

# A call that takes less than this share of what its caller feels is not what is slow.
WAITING = 0.5
# Recall that fell by more than this since it was first scored is decay, not a weak index.
FALLEN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """check: whose verdict it follows from; what: to be done; figure: what speaks for it."""

    check: str
    status: str
    what: str
    reason: str
    figure: str


def advice(record: RunRecord) -> list[Advice]:
    """What did not pass, failures first; empty where all passed."""
    asked = asked_checks(record)
    found: list[Advice] = []
    for check in as_rows(record.document.get("checks")):
        status, name = str(check.get("status")), str(check.get("name"))
        if status == "fail":
            said = _of_failure(record, check, asked.get(name, {}))
        elif status == "unknown":
            said = _of_unknown(record.document, check)
        else:
            continue
        if said:
            what, figure = said
            reason = str(check.get("reason") or "")
            found.append(Advice(check=name, status=status, what=what, reason=reason, figure=figure))
    return sorted(found, key=lambda each: each.status != "fail")


Said = tuple[str, str]


def _of_failure(record: RunRecord, check: Section, asked: Line) -> Said | None:
    document, params = record.document, as_section(asked.get("params"))
    match check.get("concern"), check.get("detector"), check.get("unit"):
        case "leak", _, _:
            return _of_leak(document, check)
        case _, "never", _:
            return _of_answers(document)
        case _, "recall", _:
            return _of_recall(document)
        case _, "slo", "s":
            return _of_latency(record, check, asked, str(params.get("operation") or ""))
        case _, "slo", "1/s":
            return _of_rate(document)
        case _, "slo", "ratio":
            return _of_errors(document)
        case _, "density", _:
            return _of_density(document)
        case _:
            return None


def _of_leak(document: Section, check: Section) -> Said | None:
    """What is kept, and when it will be full."""
    leaks = [leak for leak in as_rows(document.get("leaks")) if number(leak.get("bytes_per_s")) > 0]
    if not leaks:
        return None
    leak = max(leaks, key=lambda each: number(each.get("bytes_per_s")))
    each = figures.size(leak.get("bytes_per_operation"))
    onset = figures.moment(leak.get("onset_s") or check.get("since_s"))
    left = figures.span(leak.get("exhaustion_s"))
    resource = str(leak.get("resource", "")).replace("_", " ")
    what = f"Look for what an operation leaves behind, and for what began at {onset}."
    return what, f"{each} of {resource} for each operation; full in {left}"


def _of_answers(document: Section) -> Said | None:
    """The same seed asks the same again."""
    violations = as_section(as_section(document.get("oracle")).get("violations"))
    kinds = {str(kind): number(count) for kind, count in violations.items() if number(count) > 0}
    if not kinds:
        return None
    most = max(kinds, key=kinds.__getitem__)
    what = (
        f"Repeat it with --seed {document.get('seed')}, which asks the same again; start with the "
        f"first {most} answer under Answers."
    )
    return what, ", ".join(f"{figures.whole(count)} {kind}" for kind, count in kinds.items())


def _of_recall(document: Section) -> Said | None:
    recall = as_section(document.get("recall"))
    first, last = number(recall.get("first")), number(recall.get("last"))
    said = f"recall {figures.in_unit(first, 'recall')} at first, "
    said += f"{figures.in_unit(last, 'recall')} at the end"
    if first - last > FALLEN:
        return "Rebuild or compact the index as records change: recall falls as it goes.", said
    if last == last:
        return "Search wider (more candidates): recall is low from the beginning.", said
    return None


def _of_latency(record: RunRecord, check: Section, asked: Line, operation: str) -> Said | None:
    """Waiting, maintenance or the call itself: in this order, by what the run measured."""
    row = as_section(as_section(record.document.get("operations")).get(operation))
    latency_s = number(as_section(row.get("latency_s")).get("p99"))
    service_s = number(as_section(row.get("service_s")).get("p99"))
    figure = f"p99 of the call {figures.latency(service_s)} of {figures.latency(latency_s)} felt"
    if service_s < WAITING * latency_s:
        return "Give it more clients (target.clients) or a lower rate: operations queue.", figure
    found = worst(record, asked)
    overlapping = [
        event
        for event in record.events
        if found is not None
        and event.details.get("maintenance")
        and event.time_s <= found.end_s
        and event.time_s + event.duration_s >= found.start_s
    ]
    if found is not None and overlapping:
        longest = max(overlapping, key=lambda event: event.duration_s)
        what = f"Look at {longest.kind}: the worst window of {check.get('name')} lies in one."
        took = figures.span(longest.duration_s)
        at = figures.moment(found.start_s)
        return what, f"{figures.latency(found.value)} at {at}, {longest.kind} took {took}"
    if service_s == service_s:
        said = operation.replace("_", " ")
        what = f"Profile {said} itself (soak profile): it neither queues nor waits for maintenance."
        return what, figure
    return None


def _of_rate(document: Section) -> Said | None:
    certificate = as_section(document.get("certificate"))
    offered, achieved = (number(certificate.get(f"{n}_rate")) for n in ("offered", "achieved"))
    if not offered > 0 or not achieved >= 0:
        return None
    what = "Find the highest rate it keeps (soak bench throughput/max-rate) and plan for that."
    return what, f"{figures.rate(achieved)} done of {figures.rate(offered)} asked for"


def _of_errors(document: Section) -> Said | None:
    errors = as_rows(document.get("errors"))
    if not errors:
        return None
    total = sum(number(row.get("count")) for row in errors)
    most = max(errors, key=lambda row: number(row.get("count")))
    what = f"Start with {most.get('type')} of {most.get('operation')}; an example is in Outcomes."
    return what, f"{figures.whole(most.get('count'))} of {figures.whole(total)} errors"


def _of_density(document: Section) -> Said | None:
    live = number(as_section(document.get("records")).get("live"))
    resources: Mapping[str, object] = as_section(document.get("resources"))
    held = number(as_section(resources.get("anonymous_bytes")).get("last"))
    if not live > 0 or held != held:
        return None
    what = "Look at what is kept beside each record: copies, indexes, caches."
    return what, f"{figures.size(held / live)} for each of {figures.whole(live)} live records"


def _of_unknown(document: Section, check: Section) -> Said | None:
    """Nothing where the check measured nothing: its own reason says what it lacks."""
    certificate = as_section(document.get("certificate"))
    reasons = certificate.get("reasons")
    if certificate.get("trusted") is False and isinstance(reasons, list) and reasons:
        return "Repeat it where the machine is quieter: the run cannot be trusted.", str(reasons[0])
    if check.get("effect") is None:
        return None
    lasted = figures.span(document.get("duration_s"))
    return "Run longer: what it measured does not decide the check.", f"{lasted} so far"
