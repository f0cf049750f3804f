"""Is a defect caught by the right check with the right exit code? A row of `make matrix`."""

from pathlib import Path

import pytest

from bench.matrix import Outcome, main, run, said, told
from bench.matrix_rows import DEFECTS, HEALTHY, SCENARIOS
from soak.result import Violation
from soak.scenario import load
from soak.targets.faulty import Params

ROWS = {row.name: row for row in (*HEALTHY, *DEFECTS)}


@pytest.mark.slow
def test_a_defect_of_the_engine_ends_as_it_must(tmp_path: Path):
    outcome = run(ROWS["cannot start"], tmp_path)

    assert outcome.is_right, said(outcome)


def test_every_defect_that_can_be_ordered_has_a_row():
    sizes = {"inner", "dimensions", "seed", "capacity_records"}
    details = {"onset_s", "leak_operation", "leak_step_bytes", "stall_s", "stall_every_s"}
    ordered = {size.partition("=")[0] for row in DEFECTS for size in row.size}

    assert set(Params.model_fields) - sizes <= ordered | details


def test_there_is_one_row_per_name_and_ten_with_nothing_wrong():
    assert len(ROWS) == len(HEALTHY) + len(DEFECTS)
    assert len(HEALTHY) >= 10


def test_a_wrong_row_says_what_was_expected_and_what_came():
    outcome = Outcome(row=ROWS["corrupt"], code=0, failed=(), reason="all 5 checks passed")

    assert not outcome.is_right
    assert "expected 11 by wrong-answers, corrupt: all 5 checks passed" in said(outcome)


def test_a_healthy_run_in_which_a_check_failed_is_not_right():
    outcome = Outcome(row=ROWS["engine, brief"], code=10, failed=("recall",), reason="")

    assert not outcome.is_right


def test_a_defect_that_also_fails_another_check_is_right():
    outcome = Outcome(row=ROWS["slow"], code=10, failed=("errors", "search-p95"), reason="")

    assert outcome.is_right


def test_a_name_that_no_row_has_runs_nothing(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["cannot start", "corupt"])

    assert 2 == ended.value.code
    assert "no row or scenario is called corupt" in capsys.readouterr().err


def test_a_machine_too_busy_to_tell_makes_no_row_wrong():
    outcome = told(ROWS["slow"], 13, report(is_trusted=False), "")

    assert (False, True) == (outcome.is_right, outcome.is_unsure)
    assert said(outcome).startswith("unsure")


def test_a_check_that_stays_unknown_where_the_run_can_be_trusted_is_wrong():
    outcome = told(ROWS["slow"], 13, report(is_trusted=True), "")

    assert (False, False) == (outcome.is_right, outcome.is_unsure)
    assert said(outcome).startswith("WRONG")


@pytest.mark.parametrize(("kind", "is_right"), [("bleed", True), ("disorder", False)])
def test_a_wrong_answer_called_something_else_is_not_right(kind: str, is_right: bool):
    seen = {"bleed": 0, "disorder": 0, kind: 3}
    outcome = told(ROWS["tenant bleed"], 11, report(failed="wrong-answers", violations=seen), "")

    assert (is_right, (kind,)) == (outcome.is_right, outcome.violations)


def test_every_kind_of_wrong_answer_is_the_one_of_a_row():
    assert set(Violation) == {row.violation for row in DEFECTS} - {None}
    assert all(bool(row.violation) == (row.code == 11) for row in DEFECTS)


@pytest.mark.parametrize("row", [*HEALTHY, *DEFECTS], ids=lambda row: row.name)
def test_the_scenario_of_a_row_is_sound_and_has_the_check_that_must_fail(row, tmp_path: Path):
    path = tmp_path / "matrix.yaml"
    path.write_text(SCENARIOS[row.scenario][0])
    sets = [*(f"target.params.{one}" for one in row.size), *row.changes]
    scenario = load(path, sets)

    assert row.check in ("", *(check.name for check in scenario.checks))


def report(is_trusted: bool = True, failed: str = "", violations: dict[str, int] | None = None):
    return {
        "checks": [{"name": failed, "status": "fail"}] if failed else [],
        "certificate": {"trusted": is_trusted},
        "oracle": {"violations": violations or {}},
        "verdict": {"reason": "as the run says"},
    }
