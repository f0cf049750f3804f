"""Which scenarios cannot be? Fields that are well formed each and contradict one another."""

from collections.abc import Iterator, Mapping

from soak import plugins
from soak.result import OPERATIONS
from soak.scenario.credentials import passwords_in
from soak.scenario.judged import phases_not_judged
from soak.scenario.model import Scenario
from soak.scenario.quantities import format_duration
from soak.scenario.yaml_source import Path

Contradiction = tuple[Path, str]

_STORING = frozenset({"store", "store_batch"})
# These need no record: everything else of a mix asks for one that was stored before.
_NEED_NOTHING = frozenset({*_STORING, "scan", "maintain", "reopen", "transition"})
MAX_TOTAL_S = 366 * 86_400


def contradictions(scenario: Scenario) -> Iterator[Contradiction]:
    """Paths and what is impossible there, with the remedy."""
    yield from _twice(("phases",), [phase.name for phase in scenario.phases])
    yield from _twice(("checks",), [check.name for check in scenario.checks])
    yield from _phases(scenario)
    yield from _population(scenario)
    yield from _observe(scenario)
    yield from _target(scenario)
    yield from _checks(scenario)
    yield from phases_not_judged(scenario)


def _twice(path: Path, names: list[str]) -> Iterator[Contradiction]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield (*path, i, "name"), f"{name} is also the name of {path[0]}[{names.index(name)}]"


def _phases(scenario: Scenario) -> Iterator[Contradiction]:
    warm = [phase.warm for phase in scenario.phases]
    if all(warm):
        yield ("phases",), "all phases are warm-up; nothing would be judged"
    for i, phase in enumerate(scenario.phases):
        if phase.warm and not all(warm[:i]):
            yield ("phases", i, "warm"), "warm-up comes first; a phase before this one is judged"
        if phase.rate is not None and not phase.arrivals.is_open:
            closed = f"{phase.arrivals.kind} arrivals are closed: the clients decide, not a rate"
            yield ("phases", i, "rate"), f"{closed}; leave it out, or choose open arrivals"
    yield from _turns(scenario)
    if scenario.duration_s > MAX_TOTAL_S:
        yield ("phases",), "together they last more than 366 days"
    asked = set(scenario.operations)
    if not asked & _STORING and not scenario.population.preload and asked - _NEED_NOTHING:
        first = next(name for name in OPERATIONS if name in asked - _NEED_NOTHING)
        remedy = "add store to a mix, or set population.preload"
        yield ("phases",), f"nothing is ever stored, so {first} has no record to ask for; {remedy}"


def _turns(scenario: Scenario) -> Iterator[Contradiction]:
    if scenario.turns is None:
        return
    both_s = 2 * scenario.turns.every
    for i, phase in enumerate(scenario.phases):
        if not phase.arrivals.is_open:
            closed = f"{phase.arrivals.kind} arrivals are closed"
            yield ("phases", i, "arrivals"), f"{closed}: they know of no turns; take open ones"
        if abs(phase.duration / both_s - round(phase.duration / both_s)) > 1e-9:
            text = f"is no multiple of {format_duration(both_s)}, a turn of each"
            yield ("phases", i, "duration"), text


def _population(scenario: Scenario) -> Iterator[Contradiction]:
    population = scenario.population
    for field in ("agents", "batch", "k", "preload"):
        value = getattr(population, field)
        if value > population.keys:
            yield ("population", field), f"is {value}, more than population.keys {population.keys}"


def _observe(scenario: Scenario) -> Iterator[Contradiction]:
    observe = scenario.observe
    for field in ("window", "judge"):
        value = getattr(observe, field)
        if value < observe.sample:
            sample = format_duration(observe.sample)
            text = f"is {format_duration(value)}, shorter than observe.sample {sample}"
            yield ("observe", field), text


def _target(scenario: Scenario) -> Iterator[Contradiction]:
    target = scenario.target
    module = plugins.load("targets", target.name)
    capabilities_of = getattr(module, "capabilities_of", lambda _: module.CAPABILITIES)
    can = frozenset[str](capabilities_of(target.params))
    lacking = [name for name in scenario.operations if _capability(name) not in can]
    if lacking:
        yield from _lacking(scenario, lacking)
    for i, feature in enumerate(scenario.requires):
        if feature not in can:
            remedy = "take another target, or another scenario"
            yield ("requires", i), f"the target {target.name} has no {feature}; {remedy}"
    if scenario.population.preload and not can & _STORING:
        yield ("population", "preload"), f"the target {target.name} can store nothing"
    # Of all targets that search, only one whose module names this may lack it.
    scoped = "search" in scenario.operations and scenario.population.agent_filter > 0
    if scoped and "search_agent" in module.CAPABILITIES - can:
        lacks = f"the target {target.name} lacks search_agent, a search in one agent's records"
        yield ("population", "agent_filter"), f"{lacks}; set it to 0, or map that"
    for place in passwords_in(target.params.model_dump(mode="json")):
        written = "has a secret, which would stand in all that the run writes"
        remedy = "leave it out, and name a variable that has it: docs/targets, Secrets"
        yield ("target", "params", *place), f"{written}; {remedy}"
    if target.time_scale != 1 and not hasattr(module, "build_aging"):
        remedy = "set it to 1, or take the target engine"
        yield ("target", "time_scale"), f"the clock of {target.name} cannot be set; {remedy}"
    wanted = getattr(target.params, "dimensions", None)
    given = _content_dimensions(scenario)
    if None not in (wanted, given) and wanted != given:
        path = ("target", "params", "dimensions")
        yield path, f"is {wanted}, and the content's vectors have {given}; make them equal"


def _content_dimensions(scenario: Scenario) -> int | None:
    """How long the content's vectors are: its parameter, or what its file holds."""
    content = scenario.content
    dimensions_of = getattr(plugins.load("content", content.kind), "dimensions_of", None)
    if dimensions_of is not None:
        return int(dimensions_of(content.params))
    dimensions: int | None = getattr(content.params, "dimensions", None)
    return dimensions


def _lacking(scenario: Scenario, lacking: list[str]) -> Iterator[Contradiction]:
    lacks = f"the target {scenario.target.name} lacks {', '.join(lacking)}"
    remedy = "leave it out, or give it no weight: --set 'phases[*].mix.{}=0'"
    for i, phase in enumerate(scenario.phases):
        for name in lacking:
            if phase.mix.get(name, 0):
                yield ("phases", i, "mix", name), f"{lacks}; {remedy.format(name)}"
    if scenario.maintain_every and "maintain" in lacking:
        yield ("maintain_every",), f"{lacks}; set it to null"


def _capability(operation: str) -> str:
    module = plugins.load("operations", operation)
    return str(module.CAPABILITY)


def _checks(scenario: Scenario) -> Iterator[Contradiction]:
    """A check on an operation that never happens could only ever be unknown."""
    there = ", ".join(scenario.operations)
    for i, check in enumerate(scenario.checks):
        for parameter, operation in _asks_of(check.params).items():
            if operation in scenario.operations:
                continue
            text = f"no phase's mix contains {operation}; there are: {there}"
            near = plugins.nearest(operation, scenario.operations)
            # What a default asks for nobody wrote, so the check is named.
            written = parameter in check.params.model_fields_set
            yield ("checks", i, *(("params", parameter) if written else ())), text + near


def undecidable(scenario: Scenario) -> Iterator[Contradiction]:
    """Checks that ask for a longer window than a run of the scenario's own length has.

    Not of a run whose length a flag says. A resolved scenario, which names every parameter, may
    have been shortened by one.
    """
    warm_s = sum(phase.duration for phase in scenario.phases if phase.warm)
    judged_s = scenario.duration_s - warm_s
    for i, check in enumerate(scenario.checks):
        written, known = check.params.model_fields_set, type(check.params).model_fields
        asked_s = getattr(check.params, "min_window", 0.0)
        if "min_window" not in written or written == set(known) or asked_s <= judged_s:
            continue
        if check.needs <= scenario.duration_s:
            text = f"is {format_duration(asked_s)}, and {format_duration(judged_s)} follow warm-up"
            remedy = f"make it shorter, or give the check needs: {format_duration(asked_s)}"
            yield ("checks", i, "params", "min_window"), f"{text}; {remedy}"


def _asks_of(params: object) -> Mapping[str, str]:
    """By parameter, the operations whose results a check needs; "": whatever its parameters."""
    asks_of: Mapping[str, str] | None = getattr(params, "asks_of", None)
    if asks_of is not None:
        return asks_of
    operation = getattr(params, "operation", None)
    return {"operation": operation} if isinstance(operation, str) else {}
