"""Are the quantiles of Student's t those of the printed tables?"""

import pytest

from soak.detectors._student import student_quantile


@pytest.mark.parametrize(
    ("share", "freedom", "expected"),
    [
        (0.95, 1, 6.3138),
        (0.975, 2, 4.3027),
        (0.95, 5, 2.0150),
        (0.995, 8, 3.3554),
        (0.999, 10, 4.1437),
        (0.95, 31, 1.6955),
        (0.95, 1_000, 1.6449),
    ],
)
def test_student_quantiles_are_those_of_the_tables(share: float, freedom: int, expected: float):
    assert expected == pytest.approx(student_quantile(share, freedom), abs=1e-4)
