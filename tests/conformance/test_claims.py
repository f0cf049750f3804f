"""Is a target that breaks a promise told so, by the claim it broke, and is a sound one not?"""

import pytest

from soak.conformance.certifying import exit_code
from soak.conformance.interview import Answer, answers_of
from soak.conformance.plan import everything_it_can
from soak.result import TargetUnavailable
from soak.verdict import ExitCode

SMALL = [
    "target.params.dimensions=32",
    "content.params={dimensions: 32, latent_dimensions: 8, text_bytes: 80B}",
]
FAULTS = {
    "lose_ratio": {"a record comes back as it was stored", "a batch is stored whole"},
    "stale_ratio": {"an update replaces the text", "an update replaces the vector"},
    "corrupt_ratio": {"a record comes back as it was stored", "an update replaces the text"},
    "resurrect_ratio": {"a deleted record is gone from get", "an edge goes with its end"},
    "bleed_ratio": {"an agent's search sees its own records only"},
    "disorder_ratio": {"a search answers the nearest, best first"},
    "ghost_ratio": {"a deleted record is gone from search"},
    "unlink_ratio": {"an edge goes with its end"},
}


def answers(tmp_path, target: str, *changes: str) -> dict[str, Answer]:
    scenario = everything_it_can(target, [*SMALL, *changes])
    return {answer.name: answer for answer in answers_of(scenario, tmp_path)}


def test_a_sound_target_keeps_all_it_claims(tmp_path):
    found = answers(tmp_path, "memory")

    assert [] == [answer for answer in found.values() if answer.status == "fail"]
    assert 21 == len(found)
    assert ExitCode.PASS == exit_code(list(found.values()))


@pytest.mark.parametrize(("fault", "broken"), FAULTS.items(), ids=FAULTS)
def test_a_broken_promise_is_found_by_its_claim(tmp_path, fault, broken):
    found = answers(tmp_path, "faulty", f"target.params.{fault}=1")

    failed = {name for name, answer in found.items() if answer.status == "fail"}
    assert broken <= failed
    assert "an empty target has no records" not in failed
    assert all(found[name].reason for name in failed)
    assert ExitCode.CORRECTNESS == exit_code(list(found.values()))


def test_what_is_raised_is_told(tmp_path):
    found = answers(tmp_path, "faulty", "target.params.error_ratio=1")

    assert "it raised TargetError: " in found["a record comes back as it was stored"].reason


def test_what_a_target_cannot_is_not_asked_of_it(tmp_path):
    found = answers_of(everything_it_can("null", []), tmp_path)
    skipped = {answer.name: answer.reason for answer in found if answer.status == "skipped"}

    assert "it remembers nothing, and says so" == skipped["a record comes back as it was stored"]


def test_a_target_that_does_not_start_is_unavailable(tmp_path):
    with pytest.raises(TargetUnavailable, match="connection refused"):
        answers(tmp_path, "faulty", "target.params.unavailable=true")


def test_under_load_it_is_asked_for_what_it_can_only():
    assert "reopen" in everything_it_can("engine", []).operations
    assert {"link", "traverse"}.isdisjoint(everything_it_can("faiss", []).operations)
