"""Is recall judged by enough scored searches?"""

import numpy as np
import pytest

from soak.detectors.recall import Params, detect
from soak.seams import Evidence, Finding
from soak.verdict import Status


def judged(mean: float, samples: float, column: np.ndarray | None = None) -> Finding:
    recall = np.array([1.0, np.nan, mean]) if column is None else column
    return detect(
        Evidence(
            columns={"t_s": np.arange(float(recall.size)), "recall": recall},
            totals={"recall_mean": mean, "recall_sd": 0.1, "recall_samples": samples},
            warm_until_s=0.0,
            planned_s=60.0,
        ),
        Params(),
    )


def test_recall_at_the_bound_passes():
    finding = judged(0.95, 60.0)

    assert (Status.PASS, "recall is 0.950 over 60 searches, not below 0.95") == (
        finding.status,
        finding.reason,
    )


def test_recall_below_the_bound_fails_and_says_when_it_began():
    finding = judged(0.9, 60.0)

    assert "recall is 0.900 over 60 searches, below 0.95, first at 00:00:02" == finding.reason
    assert (Status.FAIL, 2.0) == (finding.status, finding.since_s)


@pytest.mark.parametrize("samples", [0.0, 19.0, np.nan])
def test_few_scored_searches_are_unknown(samples: float):
    assert Status.UNKNOWN == judged(0.1, samples).status


def test_the_interval_is_that_of_the_searches_however_often_the_column_repeats_them():
    few = judged(0.9, 20.0).interval
    many = judged(0.9, 2_000.0, np.tile([0.8, 1.0], 10_000)).interval

    assert pytest.approx((0.8562, 0.9438), abs=0.0001) == few
    assert pytest.approx((0.8956, 0.9044), abs=0.0001) == many
