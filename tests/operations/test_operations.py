"""Does each operation ask the right thing, and judge the answer rightly?"""

import pytest

from soak import plugins
from soak.clock import SystemClock, monotonic_ns
from soak.oracle import importance
from soak.oracle.population import ABSENT, DOUBT, MAYBE, PRESENT, Population, Shape
from soak.result import (
    DETAIL_SHIFT,
    OPERATIONS,
    OUTCOME_MASK,
    VIOLATIONS,
    CapacityRefused,
    Outcome,
    RecordMissing,
    TargetError,
    Violation,
)
from soak.targets.memory import Memory, Params
from soak.targets.null import Null
from tests.mixed_load import DIMENSIONS, small_content, small_population


class Scripted(Memory):
    """The honest memory, but for the answers and errors a test puts in."""

    def __init__(self, directory):
        super().__init__(Params(dimensions=DIMENSIONS), directory, SystemClock())
        self.script = {}
        self.forgets = False

    def may_forget(self):
        return self._answer("may_forget") if "may_forget" in self.script else self.forgets

    def _answer(self, name, *arguments):
        scripted = self.script.get(name)
        if isinstance(scripted, Exception):
            raise scripted
        honest = getattr(super(), name)
        return scripted if name in self.script else honest(*arguments)

    def store(self, record):
        return self._answer("store", record)

    def store_batch(self, records):
        return self._answer("store_batch", records)

    def get(self, key):
        return self._answer("get", key)

    def update(self, record):
        return self._answer("update", record)

    def delete(self, key):
        return self._answer("delete", key)

    def scan(self, limit):
        return self._answer("scan", limit)

    def link(self, edge):
        return self._answer("link", edge)

    def traverse(self, start, depth):
        return self._answer("traverse", start, depth)


@pytest.fixture
def population(tmp_path):
    return small_population(tmp_path)


@pytest.fixture
def target(population, tmp_path):
    made = Scripted(tmp_path / "target")
    population.watch(made)
    return made


def issue(target, population, name, argument=0):
    """("ok", None) or ("wrong", violation) or ("error", None)."""
    operation = plugins.load("operations", name).build(target, population)
    request = operation.prepare(argument, 0)
    start_ns = monotonic_ns()
    try:
        answer = operation.call(request)
    except TargetError:
        operation.abandon(request)
        return "error", None
    code = operation.check(request, answer, start_ns)
    detail = code >> DETAIL_SHIFT
    return Outcome(code & OUTCOME_MASK).name.lower(), VIOLATIONS[detail - 1] if detail else None


def fill(target, population, keys=range(10)):
    for key in keys:
        assert ("ok", None) == issue(target, population, "store", key)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_named_like_its_file(name, population):
    module = plugins.load("operations", name)

    assert name == module.CAPABILITY == module.build(Null(), population).capability


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_contradicts_a_target_that_may_forget_everything(name, population):
    target = Null()
    population.watch(target)
    fill(target, population)
    outcome, violation = issue(target, population, name, 20 if "store" in name else 3)

    assert (True, None) == (outcome in ("ok", "missing"), violation)


def test_store_keeps_what_population_and_content_say(target, population):
    fill(target, population)
    record = target.get(7)

    assert population.content.text(7, 0) == record.text
    assert population.agent_of(7) == record.agent
    assert population.importances[7] == pytest.approx(record.importance)


def test_a_batch_stores_as_many_keys_as_the_scenario_says(target, population):
    issue(target, population, "store_batch", 4)

    assert [None, 4, 5, 6, None] == [target.get(key) and key for key in (3, 4, 5, 6, 7)]
    assert 3 == population.stored


def test_an_update_is_read_back_with_its_importance(target, population):
    fill(target, population)
    before = population.importances[7]
    issue(target, population, "update", 7)

    assert ("ok", None) == issue(target, population, "get", 7)
    assert population.content.text(7, 1) == target.get(7).text
    assert before != population.importances[7] == pytest.approx(target.get(7).importance)


@pytest.mark.parametrize("name", ["store", "store_batch", "update", "delete"])
def test_a_write_that_raised_leaves_doubt(name, target, population):
    fill(target, population)
    target.script[name] = TargetError("broken pipe")
    argument = 20 if "store" in name else 3

    assert ("error", None) == issue(target, population, name, argument)
    assert DOUBT == population.state[argument]


@pytest.mark.parametrize(
    ("name", "argument", "state"), [("store", 20, ABSENT), ("update", 3, PRESENT)]
)
def test_a_refused_write_is_known_to_have_changed_nothing(
    name, argument, state, target, population
):
    fill(target, population)
    target.script[name] = CapacityRefused("full")

    assert ("error", None) == issue(target, population, name, argument)
    assert state == population.state[argument]


@pytest.mark.parametrize("name", ["get", "update", "delete", "traverse"])
def test_a_record_that_must_exist_and_is_not_found_is_lost(name, target, population):
    fill(target, population)
    target.script[name] = None if name == "get" else RecordMissing("no record 3")

    assert ("wrong", Violation.LOST) == issue(target, population, name, 3)


@pytest.mark.parametrize("name", ["get", "update", "delete", "traverse", "link"])
def test_a_record_that_may_be_forgotten_may_be_missing(name, target, population):
    fill(target, population)
    target.forgets = True
    population.refresh_forgetting()
    target.script[name] = None if name == "get" else RecordMissing("no record 3")

    assert ("missing", None) == issue(target, population, name, 3)
    assert (ABSENT if name == "delete" else MAYBE) == population.state[3]


def test_an_edge_between_records_that_must_exist_cannot_be_refused(target, population):
    fill(target, population)
    target.script["link"] = RecordMissing("no record 3")

    assert ("wrong", Violation.LOST) == issue(target, population, "link", 3)


def test_an_edge_to_a_deleted_record_may_be_refused(target, population):
    fill(target, population)
    issue(target, population, "delete", 2)

    assert ("missing", None) == issue(target, population, "link", 3)


def test_an_acknowledged_edge_is_walked(target, population):
    fill(target, population)
    issue(target, population, "link", 3)

    assert ("ok", None) == issue(target, population, "traverse", 3)
    target.script["traverse"] = [5]
    assert ("wrong", Violation.LOST) == issue(target, population, "traverse", 3)


WALKS = {
    "never stored": ([900], Violation.GHOST),
    "deleted": ([2], Violation.RESURRECTED),
    "twice": ([4, 4], Violation.DISORDER),
    "not keys": (["a"], Violation.CORRUPT),
    "not a list": (7, Violation.CORRUPT),
}


@pytest.mark.parametrize(("answer", "violation"), WALKS.values(), ids=WALKS)
def test_a_walk_that_breaks_a_promise_is_named(answer, violation, target, population):
    fill(target, population)
    issue(target, population, "delete", 2)
    target.script["traverse"] = answer

    assert ("wrong", violation) == issue(target, population, "traverse", 3)


@pytest.mark.parametrize(
    ("seen", "result"),
    [
        (10, ("ok", None)),
        (9, ("wrong", Violation.LOST)),
        (101, ("wrong", Violation.DISORDER)),
        (-1, ("wrong", Violation.DISORDER)),
        (None, ("wrong", Violation.DISORDER)),
    ],
)
def test_a_scan_sees_what_must_exist_and_no_more_than_asked(seen, result, target, population):
    fill(target, population)
    target.script["scan"] = seen

    assert result == issue(target, population, "scan")


def test_a_scan_and_a_traversal_go_as_far_as_the_population_says(tmp_path):
    shape = Shape(keys=50, scan_count=7, depth=3)
    population = Population(tmp_path / "p.bin", small_content(50), shape, [importance.beta()])
    asked = {}

    class Asked(Scripted):
        def scan(self, limit):
            asked["scan"] = limit
            return super().scan(limit)

        def traverse(self, start, depth):
            asked["traverse"] = depth
            return super().traverse(start, depth)

    target = Asked(tmp_path / "target")
    population.watch(target)
    fill(target, population)

    assert [("ok", None)] * 2 == [issue(target, population, n) for n in ("scan", "traverse")]
    assert {"scan": 7, "traverse": 3} == asked


def test_a_reopen_that_forgot_the_latest_record_is_found(target, population):
    fill(target, population, range(200))
    target.delete(199)

    assert ("wrong", Violation.LOST) == issue(target, population, "reopen")


def test_a_reopen_that_brought_a_deleted_record_back_is_found(target, population):
    fill(target, population, range(200))
    record = target.get(77)
    issue(target, population, "delete", 77)
    target.store(record)

    assert ("wrong", Violation.RESURRECTED) == issue(target, population, "reopen")


def test_an_honest_reopen_is_good(target, population):
    fill(target, population, range(200))

    assert ("ok", None) == issue(target, population, "reopen")


def test_a_target_that_raises_what_it_likes_when_read_back_is_not_the_tester_s_fault(
    target, population
):
    fill(target, population)
    target.script["get"] = OSError("connection reset")

    assert ("ok", None) == issue(target, population, "reopen")


def test_a_target_that_cannot_say_whether_it_forgets_gets_the_benefit_of_the_doubt(
    target, population
):
    fill(target, population)
    target.script["get"] = None
    target.script["may_forget"] = ConnectionError("gone")

    assert ("missing", None) == issue(target, population, "get", 3)


@pytest.mark.parametrize("answer", ["text", 7, {"key": 3}], ids=repr)
def test_what_is_no_record_is_corrupt(answer, target, population):
    fill(target, population)
    target.script["get"] = answer

    assert ("wrong", Violation.CORRUPT) == issue(target, population, "get", 3)


def test_searches_are_filtered_by_agent_as_often_as_the_scenario_says(population):
    search = plugins.load("operations", "search").build(Null(), population)
    agents = [search.prepare(7, 0).agent for _ in range(1_000)]

    assert {None, population.agent_of(7)} == set(agents)
    assert 500 == pytest.approx(agents.count(None), abs=60)


def test_two_searches_near_one_key_differ(population):
    search = plugins.load("operations", "search").build(Null(), population)
    first, second = search.prepare(7, 0), search.prepare(7, 0)

    assert 0.5 < float(first.vector @ second.vector) < 0.999


class Moving(Scripted):
    """Says of its tiers what a test puts in, and drops what it is told to on the way."""

    def __init__(self, directory):
        super().__init__(directory)
        self.moved, self.tiers, self.drops = [], {}, []

    def transition(self, share):
        self.moved.append(share)
        for key in self.drops:
            self.delete(key)
        return 3

    def stats(self):
        return {**super().stats(), **self.tiers}


@pytest.mark.parametrize(
    ("tiers", "drops", "result"),
    [
        ({"tier_short_count": 6.0, "tier_long_count": 4.0}, [], ("ok", None)),
        ({}, [], ("ok", None)),
        ({"tier_short_count": 5.0, "tier_long_count": 4.0}, [], ("wrong", Violation.LOST)),
        ({"tier_short_count": 7.0, "tier_long_count": 4.0}, [], ("wrong", Violation.GHOST)),
        ({}, [9], ("wrong", Violation.LOST)),
    ],
    ids=["all there", "no tiers told", "one too few", "one too many", "one gone"],
)
def test_a_transition_moves_its_share_and_loses_nothing(tiers, drops, result, population, tmp_path):
    target = Moving(tmp_path / "target")
    population.watch(target)
    fill(target, population)
    target.tiers, target.drops = tiers, drops

    assert result == issue(target, population, "transition")
    assert [population.shape.transition_ratio] == target.moved
