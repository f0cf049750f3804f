"""Is a target that breaks a promise told so, by the claim it broke, and is a sound one not?"""

import pytest

from soak.conformance.certifying import exit_code
from soak.conformance.claims import CLAIMS
from soak.conformance.interview import Answer, answers_of, interviewed
from soak.conformance.plan import everything_it_can
from soak.result import TargetUnavailable
from soak.scenario import dump
from soak.targets import faulty
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
BREAKING = "tests.conformance.breaking"
BROKEN = {
    "forgets_when_built_again": "what was acknowledged is there when it is built again",
    "forgets_when_reopened_and_cannot_get": "what was acknowledged outlasts a reopen",
    "links_to_nothing": "no edge leads to what was deleted",
    "scans_other_texts": "a scan reads at most what was asked for",
    "scans_doubles": "a scan reads at most what was asked for",
    "misses_when_filtered": "an agent's search misses none of them",
    "counts_tiers_wrong": "all records are in its tiers",
    "moves_nothing": "a transition moves, and loses nothing",
    "says_it_moved": "a transition moves, and loses nothing",
    "loses_when_moving": "a transition moves, and loses nothing",
}


def answers(tmp_path, target: str, *changes: str) -> dict[str, Answer]:
    scenario = everything_it_can(target, [*SMALL, *changes])
    return {answer.name: answer for answer in answers_of(scenario, tmp_path)}


def reasons(found: dict[str, Answer]) -> dict[str, str]:
    """Of the claims that do not hold."""
    return {name: answer.reason for name, answer in found.items() if answer.status == "fail"}


def ratios(*faults: str) -> list[str]:
    return [f"target.params.{fault}=1" for fault in faults]


def test_a_sound_target_keeps_all_it_claims(tmp_path):
    found = answers(tmp_path, "memory")

    assert [] == [answer for answer in found.values() if answer.status == "fail"]
    assert 27 == len(found)
    assert ExitCode.PASS == exit_code(list(found.values()))


@pytest.mark.parametrize(("fault", "broken"), FAULTS.items(), ids=FAULTS)
def test_a_broken_promise_is_found_by_its_claim(tmp_path, fault, broken):
    found = answers(tmp_path, "faulty", f"target.params.{fault}=1")

    failed = {name for name, answer in found.items() if answer.status == "fail"}
    assert broken <= failed
    assert "an empty target has no records" not in failed
    assert all(found[name].reason for name in failed)
    assert ExitCode.CORRECTNESS == exit_code(list(found.values()))


def test_a_sound_target_with_tiers_keeps_all_it_claims(tmp_path):
    found = answers(tmp_path, BREAKING)

    assert {"pass"} == {answer.status for answer in found.values()}


@pytest.mark.parametrize(("what", "claim"), BROKEN.items(), ids=BROKEN)
def test_a_target_that_breaks_one_promise_fails_its_claim(tmp_path, what, claim):
    found = answers(tmp_path, BREAKING, f"target.params.what={what}")

    assert "fail" == found[claim].status
    assert found[claim].reason
    assert "pass" == found["a search of nothing is empty"].status


def test_a_full_target_that_forgets_pinned_records_first_is_found(tmp_path):
    found = answers(tmp_path, "faulty", "target.params.evict=pinned_first")

    reason = "a pinned record is gone after 59 others were stored"
    assert {"a pinned record is not forgotten": reason} == reasons(found)


def test_what_a_search_may_leave_out_is_not_missed_but_nothing_else_may_come(tmp_path, monkeypatch):
    monkeypatch.setattr(faulty, "LEAVES_OUT", "some records", raising=False)
    (tmp_path / "sound").mkdir()
    (tmp_path / "bleeding").mkdir()

    assert {} == reasons(answers(tmp_path / "sound", "faulty"))
    found = answers(tmp_path / "bleeding", "faulty", *ratios("bleed_ratio", "resurrect_ratio"))
    assert {
        "a deleted record is gone from search",
        "an agent's search sees its own records only",
    } <= set(reasons(found))


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


def test_under_load_tiers_are_moved():
    assert "transition" in everything_it_can("engine", []).operations
    assert "transition" not in everything_it_can("memory", []).operations


def interview(tmp_path, what: str) -> list[Answer]:
    scenario = everything_it_can(BREAKING, [*SMALL, f"target.params.what={what}"])
    (tmp_path / "certify.yaml").write_text(dump(scenario))
    return interviewed(tmp_path / "certify.yaml", tmp_path)


@pytest.mark.slow
def test_a_claim_at_which_the_process_dies_fails_and_the_other_answers_are_told(tmp_path):
    found = interview(tmp_path, "crashes_at_delete")

    names = [answer.name for answer in found]
    died = names.index("a deleted record is gone from get")
    assert [claim.name for claim in CLAIMS] == names
    assert {"pass"} == {answer.status for answer in found[:died]}
    assert ("fail", "its process ended with signal 9") == (found[died].status, found[died].reason)
    assert {"unknown"} == {answer.status for answer in found[died + 1 :]}
    assert ExitCode.CORRECTNESS == exit_code(found)


@pytest.mark.slow
def test_a_process_that_dies_after_all_claims_is_told(tmp_path):
    *answered, last = interview(tmp_path, "crashes_at_its_end")

    assert {"pass"} == {answer.status for answer in answered}
    assert ("fail", "its process ended with exit code 3") == (last.status, last.reason)
    assert "its process ends when all is closed" == last.name
