"""Is a defect caught by the right check with the right exit code? A row of `make matrix`."""

from pathlib import Path

import pytest

from bench.matrix import DEFECTS, HEALTHY, Outcome, run, said
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


def test_a_machine_too_busy_to_tell_makes_no_row_wrong():
    outcome = Outcome(row=ROWS["slow"], code=13, failed=(), reason="this run cannot be trusted")

    assert (False, True) == (outcome.is_right, outcome.is_unsure)
    assert said(outcome).startswith("unsure")
