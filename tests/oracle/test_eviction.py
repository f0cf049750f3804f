"""Does the ledger tell a good choice of victims from a bad one?"""

import math

import numpy as np
import pytest

from soak.oracle.eviction import OBSERVATIONS, EvictionLedger


def ledger(missing, present):
    made = EvictionLedger()
    for importance in missing:
        made.missed(importance)
    for importance in present:
        made.found(importance)
    return made


@pytest.mark.parametrize(
    ("missing", "present", "inversion_ratio"),
    [
        ([0.1, 0.2], [0.8, 0.9], 0.0),
        ([0.8, 0.9], [0.1, 0.2], 1.0),
        ([0.1, 0.9], [0.5], 0.5),
        ([0.5], [0.5], 0.5),
    ],
    ids=["least important first", "upside down", "by chance", "a tie counts half"],
)
def test_inversions_are_the_pairs_where_the_missing_one_mattered_more(
    missing, present, inversion_ratio
):
    assert inversion_ratio == ledger(missing, present).quality()["inversion_ratio"]


def test_inversions_equal_a_count_of_all_pairs():
    rng = np.random.default_rng(3)
    missing, present = rng.random(80).round(1), rng.random(120).round(1)
    slow = np.mean([[(m > p) + (m == p) / 2 for p in present] for m in missing])

    assert slow == pytest.approx(ledger(missing, present).quality()["inversion_ratio"])


def test_means_and_numbers_are_told():
    quality = ledger([0.2, 0.4], [0.9]).quality()

    assert 0.3 == pytest.approx(quality["missing_mean_importance"])
    assert 0.9 == quality["present_mean_importance"]
    assert (2.0, 1.0) == (quality["missing"], quality["present"])


@pytest.mark.parametrize(("missing", "present"), [([], []), ([0.5], []), ([], [0.5])])
def test_without_one_of_each_there_is_no_ratio(missing, present):
    assert math.isnan(ledger(missing, present).quality()["inversion_ratio"])


def test_the_latest_observations_are_kept():
    quality = ledger([0.0] * 1_000 + [1.0] * OBSERVATIONS, [0.5]).quality()

    assert (float(OBSERVATIONS), 1.0) == (quality["missing"], quality["missing_mean_importance"])
