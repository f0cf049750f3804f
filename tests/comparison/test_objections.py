import pytest

from soak.comparison.judgement import compare
from soak.comparison.objections import NotComparable
from soak.verdict import ExitCode, Status
from tests.comparison.simulated import ENVIRONMENT, PLAN, simulated

OTHER_LOADS = [
    {"rate": 200.0},
    {"phases": [{"name": "steady", "duration": 60.0, "mix": {"get": 1.0}}]},
    {"population": {"keys": 5}},
    {"target": {**PLAN["target"], "clients": 4}},
]


def test_a_run_is_not_compared_with_itself():
    with pytest.raises(NotComparable, match="the baseline itself"):
        compare(simulated(1), [simulated(1)])


@pytest.mark.parametrize("other", OTHER_LOADS, ids=str)
def test_another_load_is_refused(other: dict[str, object]):
    with pytest.raises(NotComparable, match=next(iter(other))):
        compare(simulated(1, plan={**PLAN, **other}), [simulated(2)])


def test_another_load_is_compared_when_asked_for_and_said():
    comparison = compare(simulated(1, plan={**PLAN, "rate": 50.0}), [simulated(2)], anyway=True)

    assert "the loads differ: rate" in comparison.objections.notes


@pytest.mark.parametrize("same", [{"checks": []}, {"name": "other"}, {"listen": None}], ids=str)
def test_what_is_not_load_may_differ(same: dict[str, object]):
    comparison = compare(
        simulated(1, spread=0.02, plan={**PLAN, **same}), [simulated(2, spread=0.02)]
    )

    assert Status.PASS == comparison.verdict.status


def test_another_seed_is_said():
    comparison = compare(simulated(1, plan={**PLAN, "seed": 2}), [simulated(2)])

    assert any(
        note.startswith("the seeds differ (2 and 1)") for note in comparison.objections.notes
    )


@pytest.mark.parametrize(
    "machine",
    [{"cpu_model": "Other"}, {"cpus_allowed": 8}, {"memory_total": "8000000 kB"}],
    ids=str,
)
def test_another_machine_makes_it_unknown_unless_asked_for(machine: dict[str, object]):
    elsewhere = simulated(1, environment={**ENVIRONMENT, **machine})
    comparison = compare(elsewhere, [simulated(2)])

    assert ExitCode.UNKNOWN == comparison.verdict.exit_code
    assert "the machines differ" in comparison.verdict.reason
    assert Status.UNKNOWN != compare(elsewhere, [simulated(2)], anyway=True).verdict.status


def test_a_little_less_memory_is_the_same_machine():
    alike = simulated(1, environment={**ENVIRONMENT, "memory_total": "23999000 kB"})

    assert () == compare(alike, [simulated(2)]).objections.distrust
