"""Is one wrong answer enough, and is silence only good news when somebody listened?"""

import numpy as np
import pytest
from pydantic import ValidationError

from soak.detectors.never import Params, detect
from soak.seams import Evidence
from soak.verdict import Status


def evidence(totals: dict[str, float]) -> Evidence:
    return Evidence(
        columns={
            "t_s": np.array([1.0, 2.0, 3.0]),
            "violations_total": np.array([0.0, np.nan, 2.0]),
        },
        totals=totals,
        warm_until_s=0.0,
        planned_s=60.0,
    )


def test_no_violation_in_enough_checked_answers_passes():
    finding = detect(evidence({"checked_count": 1234.0, "violations_lost": 0.0}), Params())

    assert (Status.PASS, "no wrong answer in 1,234 checked") == (finding.status, finding.reason)


def test_too_few_checked_answers_are_unknown():
    finding = detect(evidence({"checked_count": 99.0}), Params())

    assert (Status.UNKNOWN, "only 99 answers were checked, at least 100 are needed") == (
        finding.status,
        finding.reason,
    )


def test_one_violation_fails_even_when_little_was_checked():
    finding = detect(evidence({"checked_count": 2.0, "violations_stale": 1.0}), Params())

    assert (Status.FAIL, "1 wrong answer in 2 checked (1 stale), since 00:00:03") == (
        finding.status,
        finding.reason,
    )
    assert 3.0 == finding.since_s


def test_since_when_is_told_of_the_named_kinds_alone():
    totals = {"checked_count": 500.0, "violations_stale": 1.0, "violations_bleed": 1.0}

    bleed = detect(evidence(totals), Params(violations=("bleed",)))
    both = detect(evidence(totals), Params(violations=("bleed", "stale")))

    assert (None, 3.0) == (bleed.since_s, both.since_s)


def test_violations_during_warm_up_count():
    totals = {"all_violations_lost": 2.0, "violations_lost": 0.0, "checked_count": 500.0}

    assert Status.FAIL == detect(evidence(totals), Params()).status


def test_only_the_named_kinds_count():
    totals = {"violations_disorder": 4.0, "checked_count": 500.0}

    finding = detect(evidence(totals), Params(violations=("lost", "bleed")))

    assert Status.PASS == finding.status


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(ValidationError, match="'lost'"):
        Params.model_validate({"violations": ["losst"]})
