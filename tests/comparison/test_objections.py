from dataclasses import replace

import numpy as np
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


@pytest.mark.parametrize("same", [{"name": "other"}, {"listen": None}], ids=str)
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


@pytest.mark.parametrize("environment", [{"soak": "0.1.0"}, {**ENVIRONMENT, "cpu_model": None}])
def test_two_machines_of_which_nothing_is_known_are_not_the_same(environment: dict[str, object]):
    unknown = [simulated(seed, spread=0.02, environment=environment) for seed in (1, 2)]
    comparison = compare(unknown[0], unknown[1:])

    assert ExitCode.UNKNOWN == comparison.verdict.exit_code
    assert "the machine of the baseline is unknown: environment.json has no cpu_model" in (
        comparison.verdict.reason
    )
    allowed = compare(unknown[0], unknown[1:], anyway=True)
    assert Status.PASS == allowed.verdict.status
    assert any("machine of the run is unknown" in note for note in allowed.objections.notes)


def test_a_processor_that_the_kernel_does_not_name_is_the_same_as_another_such():
    nameless = {**ENVIRONMENT, "cpu_model": ""}
    runs = [simulated(seed, environment=nameless) for seed in (1, 2)]

    assert () == compare(runs[0], runs[1:]).objections.distrust


@pytest.mark.parametrize(
    ("target", "note"),
    [
        (
            {"python": "/new/bin/python"},
            "the interpreters (target.python) differ: /new/bin/python against none",
        ),
        ({"timeout": 2}, "the timeouts (target.timeout, in seconds) differ: 2 against none"),
    ],
    ids=["python", "timeout"],
)
def test_another_interpreter_or_timeout_is_said(target: dict[str, object], note: str):
    other = simulated(1, plan={**PLAN, "target": {**PLAN["target"], **target}})

    assert note in compare(other, [simulated(2)]).objections.notes


def test_other_checks_are_said():
    checks = [{"name": "recall", "detector": "recall"}]
    comparison = compare(simulated(1, plan={**PLAN, "checks": checks}), [simulated(2)])

    assert "the checks differ: recall" in comparison.objections.notes


def test_another_python_and_another_scenario_are_said():
    other = simulated(1, environment={**ENVIRONMENT, "python": "3.13.1"})
    named = replace(other, document={**other.document, "scenario": "other"})
    comparison = compare(named, [simulated(2)])

    assert "Python's versions differ: 3.13.1 against 3.11.7" in comparison.objections.notes
    assert "the scenarios' names differ: other against simulated" in comparison.objections.notes
    assert () == comparison.objections.distrust


def test_a_little_less_memory_is_the_same_machine():
    alike = simulated(1, environment={**ENVIRONMENT, "memory_total": "23999000 kB"})

    assert () == compare(alike, [simulated(2)]).objections.distrust


def test_a_run_that_went_on_in_another_process_is_said_and_its_memory_is_of_one():
    run, baseline = simulated(1), simulated(2)
    is_later = baseline.samples["t_s"] > 400
    held = np.where(is_later, 0.6, 1.0) * baseline.samples["anonymous_bytes"]
    certificate = {"trusted": True, "gaps": [{"at_s": 400.0, "absent_s": 60.0}]}
    resumed = replace(
        baseline,
        samples={**baseline.samples, "anonymous_bytes": held},
        document={**baseline.document, "certificate": certificate},
    )

    comparison = compare(run, [resumed])

    said = "the baseline was interrupted (gaps: 1): its memory is that of its longest process"
    assert said in comparison.objections.notes
    (memory,) = [row for row in comparison.changes if row.metric.name == "memory"]
    assert Status.PASS == memory.status


def test_a_run_that_was_never_sampled_is_compared_by_its_windows():
    run = simulated(1)
    unsampled = replace(run, samples={name: np.empty(0) for name in run.samples})

    comparison = compare(unsampled, [simulated(2)])

    assert "memory" in [name for name, _ in comparison.skipped]
