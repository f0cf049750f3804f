import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.cluster.shares import NotDivisible, heard, portion, rate_portion, rest, shares
from soak.load.workload import Workload
from soak.scenario import Scenario, dump, resolve

MIX = {"store": 20, "get": 40, "search": 20}
COLLECTION = {"store": {"path": "/memories/$worker/$key", "method": "PUT"}}


def scenario(**changes: object) -> Scenario:
    """Half a minute, of which ten seconds are warm-up."""
    phases = [
        {"name": "warm-up", "duration": "10s", "warm": True, "mix": {"store": 1}},
        {"name": "steady", "duration": "20s", "mix": MIX, "rate": "100/s"},
    ]
    tree = {"name": "test", "seed": 5, "rate": "70/s", "target": "null", "phases": phases}
    population = {"keys": 1003, "agents": 10, "preload": 501}
    return resolve(tree | {"population": population} | changes, "test")


@given(st.integers(0, 1 << 40), st.integers(1, 1000))
def test_portions_add_up_and_differ_by_one_at_most(whole: int, count: int) -> None:
    parts = [portion(whole, index, count) for index in range(count)]

    assert whole == sum(parts)
    assert max(parts) - min(parts) <= 1


@given(st.floats(1e-3, 1e9), st.integers(1, 1000))
def test_rates_add_up_to_the_last_bit(rate_per_s: float, count: int) -> None:
    parts = [rate_portion(rate_per_s, index, count) for index in range(count)]

    assert rate_per_s == math.fsum(parts)
    assert min(parts) > 0
    assert max(parts) == pytest.approx(min(parts))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_what_workers_do_adds_up_to_the_whole(count: int) -> None:
    whole = scenario()
    parts = shares(whole, count)

    for name in ("keys", "agents", "preload"):
        assert getattr(whole.population, name) == sum(getattr(p.population, name) for p in parts)
    for index, phase in enumerate(whole.phases):
        assert phase.rate == math.fsum(part.phases[index].rate or 0.0 for part in parts)
    assert whole.rate == math.fsum(part.rate for part in parts)
    assert {whole.duration_s} == {part.duration_s for part in parts}


def test_workers_ask_different_things_and_the_same_ones_again() -> None:
    first, again = shares(scenario(), 4), shares(scenario(), 4)
    drawn = [Workload(share).next_block() for share in first]

    assert first == again
    assert 4 == len({share.seed for share in first})
    assert 4 == len({block.due_s.tobytes() for block in drawn if block})


def test_checks_of_phases_that_are_over_are_not_asked_of_the_rest() -> None:
    phases = [{"name": name, "duration": "10s", "mix": MIX} for name in ("low", "high")]
    rule = {"detector": "threshold_rule"}
    checks = [
        {**rule, "name": "all"},
        {**rule, "name": "over", "phases": ["low"]},
        {**rule, "name": "both", "phases": ["low", "high"]},
    ]
    left = rest(scenario(phases=phases, checks=checks), 12.0, 1)

    assert left is not None
    assert {"all": None, "both": ("high",)} == {each.name: each.phases for each in left.checks}
    assert left == heard(dump(left))


def test_a_share_travels_as_text() -> None:
    for share in shares(scenario(rate="100/s"), 3):
        assert share == heard(dump(share))


def test_each_worker_has_its_own_place_on_a_common_server() -> None:
    target = {"name": "http", "params": {"url": "http://127.0.0.1:1", **COLLECTION}}
    phases = [{"name": "only", "duration": "5s", "mix": {"store": 1}}]
    found = shares(scenario(target=target, phases=phases), 2)

    paths = [share.target.params.model_dump()["store"]["path"] for share in found]
    assert ["/memories/0/$key", "/memories/1/$key"] == paths


@pytest.mark.parametrize(
    ("changes", "count", "words"),
    [
        ({}, 11, "1003 keys and 10 agents; pass 1 to 10"),
        ({}, 0, "pass 1 to 10"),
        (
            {"phases": [{"name": "up", "duration": "9s", "mix": MIX, "arrivals": "ramp"}]},
            2,
            "has ramp arrivals",
        ),
        (
            {"phases": [{"name": "a", "duration": "4s", "mix": MIX}], "turns": {"every": "1s"}},
            2,
            "leave out turns",
        ),
        (
            {
                "phases": [{"name": "only", "duration": "5s", "mix": {"store": 1}}],
                "checks": [{"name": "oracle", "detector": "never", "abort": "0"}],
            },
            2,
            "aborted by its check oracle",
        ),
        (
            {
                "phases": [{"name": "only", "duration": "5s", "mix": {"store": 1}}],
                "target": {
                    "name": "http",
                    "params": {"url": "http://127.0.0.1:1", "store": {"path": "/memories"}},
                },
            },
            2,
            r"write \$worker where",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused(
    changes: dict[str, object], count: int, words: str
) -> None:
    with pytest.raises(NotDivisible, match=words):
        shares(scenario(**changes), count)


@pytest.mark.parametrize(
    ("from_s", "durations"),
    [
        (0.0, [10.0, 20.0]),
        (4.0, [6.0, 20.0]),
        (9.5, [20.0]),
        (10.0, [20.0]),
        (25.5, [4.5]),
    ],
)
def test_the_rest_of_a_share_ends_when_the_others_do(from_s: float, durations: list[float]) -> None:
    share = shares(scenario(), 2)[1]
    remaining = rest(share, from_s, 1)

    assert remaining is not None
    assert durations == [phase.duration for phase in remaining.phases]
    assert share.phases[-1].rate == remaining.phases[-1].rate
    assert share.seed != remaining.seed
    assert remaining == heard(dump(remaining))


@pytest.mark.parametrize("from_s", [29.5, 30.0, 99.0])
def test_nothing_remains_of_a_share_that_is_as_good_as_over(from_s: float) -> None:
    assert rest(shares(scenario(), 2)[0], from_s, 1) is None
