"""How do all schedules stand, and the runs that go on? One page of metrics for a scraper.

A run's own figures are asked of its own server when the page is asked for. Series of different
runs cannot meet: they carry the target, and a target has one run at a time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus

from soak.daemon.config import Soak
from soak.daemon.passing import passed_on
from soak.daemon.standing import Standing, due_s
from soak.show.exporter import families_text
from soak.show.family import Family, labelled
from soak.verdict import Status

STATES = ("idle", "waiting", "running")


def state_of(soak: Soak, standing: Standing, now_s: float) -> str:
    """waiting: it is due, and its target is in use."""
    if standing.going:
        return "running"
    return "waiting" if due_s(soak, standing, now_s) <= now_s else "idle"


def schedule_text(soak: Soak, standing: Standing, now_s: float, page: str | None) -> str:
    """One schedule's own metrics. page: that of its run, None where there is none."""
    found = _families(soak, standing, now_s, is_seen=page is not None)
    return families_text(found, soak.scenario, soak.target)


def fetched(url: str) -> str | None:
    """The metrics of the run whose server is there; None where it does not answer."""
    answer = passed_on(url, "/metrics")
    if answer is None or answer.status != HTTPStatus.OK:
        return None
    return answer.body.decode(errors="replace")


def merged(pages: Iterable[str]) -> str:
    """Pages of text 0.0.4 as one: the head of each metric once, its series below it."""
    heads: dict[str, str] = {}
    series: dict[str, list[str]] = {}
    for page in pages:
        for block in f"\n{page}".split("\n# HELP ")[1:]:
            name = block.partition(" ")[0]
            explanation, kind, rest = f"{block.rstrip()}\n".split("\n", 2)
            heads.setdefault(name, f"# HELP {explanation}\n{kind}\n")
            series.setdefault(name, []).append(rest)
    return "".join(head + "".join(series[name]) for name, head in heads.items())


def _families(soak: Soak, standing: Standing, now_s: float, *, is_seen: bool) -> Iterator[Family]:
    state = state_of(soak, standing, now_s)
    yield _one(
        soak,
        "soak_schedule_next_run_timestamp_seconds",
        "When the schedule is due next; past while it waits for its target.",
        due_s(soak, standing, now_s),
    )
    states = {each: each == state for each in STATES}
    yield _by(soak, "soak_schedule_state", "1 for what the schedule does now.", "state", states)
    if standing.going:
        explanation = "1 where the run that goes on has answered with its own metrics."
        yield _one(soak, "soak_schedule_run_up", explanation, float(is_seen))
    explanation = "Runs of the schedule that ended, by verdict."
    ended = _by(soak, "soak_schedule_runs_total", explanation, "status", standing.counts)
    yield replace(ended, kind="counter")
    yield from _last(soak, standing)


def _last(soak: Soak, standing: Standing) -> Iterator[Family]:
    last = standing.last
    if last is None:
        return
    told = "the last run of the schedule"
    name = "soak_schedule_last"
    yield _one(soak, f"{name}_exit_code", f"Exit code of {told}.", last.exit_code)
    yield _one(soak, f"{name}_end_timestamp_seconds", f"End of {told} (UTC).", last.ended_s)
    verdict = {str(each): each == last.status for each in Status}
    yield _by(soak, f"{name}_verdict_status", f"1 for the verdict on {told}.", "status", verdict)
    if last.comparison:
        against = {str(each): each == last.comparison for each in Status}
        explanation = f"1 for how {told} compares with its baseline; fail is a regression."
        yield _by(soak, "soak_schedule_comparison_status", explanation, "status", against)


def _one(soak: Soak, name: str, explanation: str, value: float) -> Family:
    return labelled(name, explanation, "schedule", [(soak.name, value)])


def _by(soak: Soak, name: str, explanation: str, label: str, values: Mapping[str, float]) -> Family:
    return Family(
        name=name,
        kind="gauge",
        help=explanation,
        labels=("schedule", label),
        samples={(soak.name, key): float(value) for key, value in values.items()},
    )
