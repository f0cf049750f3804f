"""Are the target's own figures passed on while they are fresh?"""

import math
from collections.abc import Mapping

import pytest

from soak.clock import SystemClock
from soak.samplers.reported import MAX_FIGURES, build
from soak.seams import SampleError, Sampler, Subject


def sampler(figures: Mapping[str, float], age_s: float = 0.5) -> Sampler:
    return build(
        Subject(
            pids=tuple,
            directories=tuple,
            reported=lambda: (figures, age_s),
            clock=SystemClock(),
        )
    )


def test_known_names_stay_and_others_are_marked_as_reported():
    row = sampler({"tombstones": 7.0, "live_records": 3.0}).sample()

    assert {"tombstones": 7.0, "reported_live_records": 3.0} == row


def test_figures_older_than_ten_seconds_are_an_error():
    with pytest.raises(SampleError, match="12 s old"):
        sampler({"live_records": 7.0}, age_s=12.0).sample()


def test_a_target_that_tells_nothing_has_no_columns():
    assert {} == sampler({}, age_s=1e9).sample()


def test_figures_that_are_no_numbers_are_left_out():
    assert {} == sampler({"live_records": math.nan, "x": math.inf}).sample()


def test_too_many_figures_are_cut_and_the_known_ones_kept():
    many = {f"a{i:03d}": 1.0 for i in range(100)} | {"tombstones": 5.0}

    row = sampler(many).sample()

    assert MAX_FIGURES == len(row)
    assert 5.0 == row["tombstones"]
