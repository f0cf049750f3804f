"""Does the ledger tell a good choice of victims from a bad one?"""

import math

import numpy as np
import pytest

from soak.oracle.eviction import MIN_READS, OBSERVATIONS, EvictionLedger


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


def test_survival_is_the_share_of_reads_that_found_theirs_by_importance():
    made = EvictionLedger()
    for importance, found_count in ((0.0, 10), (0.5, 30), (1.0, 40)):
        for index in range(40):
            made.read(importance, was_found=index < found_count)
    expected = {"0.0_to_0.2": 0.25, "0.4_to_0.6": 0.75, "0.8_to_1.0": 1.0}

    assert {f"survival_{name}_ratio": v for name, v in expected.items()} == made.survival()


def test_survival_of_a_class_needs_some_reads():
    made = EvictionLedger()
    for _ in range(MIN_READS - 1):
        made.read(0.3, was_found=True)
    assert {} == made.survival()
    for _ in range(MIN_READS):
        made.read(0.3, was_found=True)

    assert {"survival_0.2_to_0.4_ratio": 1.0} == made.survival()


def test_survival_is_told_anew_when_a_quarter_of_the_reads_is():
    made = EvictionLedger()
    for _ in range(100):
        made.read(0.3, was_found=True)
    told = []
    for _ in range(40):
        told.append(made.survival()["survival_0.2_to_0.4_ratio"])
        made.read(0.3, was_found=False)

    assert [1.0, round(100 / 134, 4)] == list(dict.fromkeys(told))
