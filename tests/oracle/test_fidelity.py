"""Is what comes back measured against what was stored?"""

import math
from dataclasses import replace

import numpy as np
import pytest

from soak.oracle.answers import judge_record
from soak.oracle.fidelity import Fidelity
from soak.result import Violation, violation_code
from tests.mixed_load import DIMENSIONS, small_population

LATER_NS = 1 << 62  # a start after everything that a test did
RIGHT = np.array([0.6, 0.8], dtype=np.float32)


@pytest.mark.parametrize(
    ("vector", "vector_error", "cosine_error"),
    [
        ([0.6, 0.8], 0.0, 0.0),
        ([1.2, 1.6], 1.0, 0.0),
        ([0.8, 0.6], math.hypot(0.2, 0.2), 0.04),
        ([0.0, 0.0], 1.0, 2.0),
    ],
    ids=["as it was", "twice as long", "turned", "nothing left"],
)
def test_errors_are_those_of_the_vector_that_came_back(vector, vector_error, cosine_error):
    seen = Fidelity()
    cosine = seen.compare_vector(RIGHT, np.array(vector, dtype=np.float32), "ab")
    found = seen.figures()

    assert 1 - cosine_error == pytest.approx(cosine, abs=1e-6)
    assert [1.0, vector_error, cosine_error, 4 * 2 + 2] == pytest.approx(
        [found["vectors"], found["vector_error_max"], found["cosine_error_mean"], 10], abs=1e-6
    )
    assert 4 * 2 + 2 == found["full_bytes"]


def test_half_precision_shows_as_what_it_costs(tmp_path):
    population = small_population(tmp_path)
    population.commit_store(population.begin_store(16, 0.5))
    record = population.record(16, 0, 0.5)
    halved = replace(record, vector=record.vector.astype(np.float16).astype(np.float32))

    assert 0 == judge_record(population, 16, halved, LATER_NS)
    found = population.fidelity.figures()
    assert (1.0, 1.0, 1.0) == (found["vectors"], found["texts"], found["text_equal_ratio"])
    # Half precision rounds each component by 2**-11 of itself at most.
    assert 0 < found["vector_error_max"] < 2**-11
    assert found["cosine_error_max"] < 2**-22
    assert 4 * DIMENSIONS + len(record.text.encode()) == found["full_bytes"]


def test_a_text_that_differs_counts_and_is_a_violation(tmp_path):
    population = small_population(tmp_path)
    for key in (16, 17):
        population.commit_store(population.begin_store(key, 0.5))
    good, bad = (population.record(key, 0, 0.5) for key in (16, 17))

    assert 0 == judge_record(population, 16, good, LATER_NS)
    code = judge_record(population, 17, replace(bad, text="another"), LATER_NS)
    assert violation_code(Violation.CORRUPT) == code
    assert 0.5 == population.fidelity.figures()["text_equal_ratio"]


def test_nothing_is_claimed_of_answers_without_vectors(tmp_path):
    population = small_population(tmp_path)
    population.commit_store(population.begin_store(16, 0.5))
    bare = replace(population.record(16, 0, 0.5), vector=np.empty(0, dtype=np.float32))
    judge_record(population, 16, bare, LATER_NS)
    found = population.fidelity.figures()

    assert (0.0, 1.0) == (found["vectors"], found["text_equal_ratio"])
    assert math.isnan(found["vector_error_mean"])
    assert math.isnan(found["full_bytes"])
