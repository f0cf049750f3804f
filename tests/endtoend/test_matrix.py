"""Is a defect caught by the right check with the right exit code? A row of `make matrix`."""

from pathlib import Path

import pytest

from bench.matrix import DEFECTS, HEALTHY, Outcome, main, run, said
from soak.targets.faulty import Params

ROWS = {row.name: row for row in (*HEALTHY, *DEFECTS)}


@pytest.mark.slow
def test_a_defect_of_the_engine_ends_as_it_must(tmp_path: Path):
    outcome = run(ROWS["cannot start"], tmp_path)

    assert outcome.is_right, said(outcome)


def test_every_defect_that_can_be_ordered_has_a_row():
    sizes = {"inner", "dimensions", "seed", "capacity_records"}
    details = {"onset_s", "leak_operation", "stall_s", "stall_every_s"}
    ordered = {size.partition("=")[0] for row in DEFECTS for size in row.size}

    assert set(Params.model_fields) - sizes <= ordered | details


def test_there_is_one_row_per_name_and_ten_with_nothing_wrong():
    assert len(ROWS) == len(HEALTHY) + len(DEFECTS)
    assert len(HEALTHY) >= 10


def test_a_wrong_row_says_what_was_expected_and_what_came():
    outcome = Outcome(row=ROWS["corrupt"], code=0, failed=(), reason="all 5 checks passed")

    assert not outcome.is_right
    assert "expected 11 by wrong-answers: all 5 checks passed" in said(outcome)


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
    outcome = Outcome(row=ROWS["slow"], code=13, failed=(), reason="this run cannot be trusted")

    assert (False, True) == (outcome.is_right, outcome.is_unsure)
    assert said(outcome).startswith("unsure")
