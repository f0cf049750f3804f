"""Does the rule of fixed thresholds fire at them, and at nothing else?"""

import numpy as np

from soak.detectors.threshold_rule import Params, detect
from soak.seams import Evidence
from soak.verdict import Status


def evidence(**columns: list[float]) -> Evidence:
    arrays = {name: np.array(values) for name, values in columns.items()}
    return Evidence(columns=arrays, totals={}, warm_until_s=0.0, planned_s=60.0)


def test_each_figure_fires_at_its_own_threshold():
    finding = detect(
        evidence(
            t_s=[10.0, 20.0, 30.0, 40.0],
            anonymous_bytes=[100.0, 90.0, 82.0, 82.0],
            search_p50_s=[1.0, 0.81, 0.81, 0.6],
            score=[0.5, 0.59, 0.59, 0.7],
        ),
        Params(),
    )

    assert Status.PASS == finding.status
    assert 2.0 == finding.effect
    assert "would have seen 2 maintenance events: 1 by memory, 1 by latency, 1 by health" in (
        finding.reason
    )


def test_samples_between_the_moments_compared_do_not_count():
    finding = detect(
        evidence(t_s=[1.0, 2.0, 3.0, 11.0], anonymous_bytes=[100.0, 50.0, 100.0, 99.0]), Params()
    )

    assert 0.0 == finding.effect


def test_nothing_measured_is_unknown():
    assert Status.UNKNOWN == detect(evidence(t_s=[1.0]), Params()).status
