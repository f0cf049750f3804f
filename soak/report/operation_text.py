"""How is one operation told to a person? A line per fact, the times to the nanosecond."""

from collections.abc import Iterator

from soak.report import figures
from soak.report.document import Section, as_rows

WAITED = {
    True: "a client was waiting for it: the tester's own",
    False: "no client was free: they were in the target",
}


def operation_text(known: Section) -> str:
    """known: as operation_document makes it."""
    facts = [(name, text) for name, text in _facts(known) if text]
    width = max(len(name) for name, _ in facts)
    heading = f"operation {known['id']} of {known['run_id']}"
    return "\n".join([heading, "", *(f"{name:{width}}  {text}" for name, text in facts)])


def _facts(known: Section) -> Iterator[tuple[str, str]]:
    yield "kind", str(known["operation"])
    yield "phase", str(known["phase"])
    yield "key", str(known["key"])
    yield "due", f"{_at(known['due_s'])}  {known['due'] or ''}".rstrip()
    yield "sent", _at(known["sent_s"])
    yield "finished", _at(known["finished_s"])
    yield "latency", _with(_exactly(known["latency_s"]), "from due to finished")
    yield "service", _with(_exactly(known["service_s"]), "from sent to finished")
    why = f", {WAITED[bool(known['client_waited'])]}" if figures.number(known["lateness_s"]) else ""
    yield "lateness", _with(_exactly(known["lateness_s"]), f"from due to sent{why}")
    yield "outcome", ": ".join(str(known[name]) for name in ("outcome", "detail") if known[name])
    by = known["slowest_by"]
    if isinstance(by, list) and by:
        yield "kept as", f"the slowest {known['operation']} of its window by {', '.join(by)}"
    for event in as_rows(known["meanwhile"]):
        at, lasted = figures.moment(event.get("time_s")), figures.number(event.get("duration_s"))
        span = f" for {figures.latency(lasted)}" if lasted else ""
        yield "meanwhile", f"{event.get('kind')} ({event.get('source')}) at {at}{span}"
    for check in as_rows(known["checks"]):
        reason = str(check.get("reason")).removeprefix(f"{check.get('name')}: ")
        yield "check", f"{check.get('name')}: {check.get('status')}, {reason}"


def _at(value: object) -> str:
    """Seconds since time zero: hours:minutes:seconds and what the clock does not show."""
    at_s = figures.number(value)
    return "not yet" if at_s != at_s else f"{figures.moment(at_s)}  ({at_s:.9f} s)"


def _exactly(value: object) -> str:
    length_s = figures.number(value)
    return "" if length_s != length_s else f"{length_s * 1e3:.6f} ms"


def _with(length: str, meaning: str) -> str:
    return f"{length}  {meaning}" if length else ""
