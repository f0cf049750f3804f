import numpy as np
import pytest

from soak.load.popularity import draw_of
from soak.scenario import Popularity

COUNT = 200_000


def shares(popularity: object, live: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """How often each rank is drawn."""
    draw = draw_of(Popularity.model_validate(popularity), 1000)
    ranks = draw(COUNT, live, np.random.default_rng(5))
    return np.bincount(ranks, minlength=live) / COUNT


@pytest.mark.parametrize("live", [1, 10, 1000])
def test_zipf_has_the_weights_of_its_formula_among_the_live(live: int) -> None:
    weights = 1 / np.arange(1, live + 1) ** 0.8
    expected = weights / weights.sum()

    drawn = shares({"kind": "zipf", "params": {"exponent": 0.8}}, live)

    # Five standard deviations of a binomial share.
    assert (np.abs(drawn - expected) <= 5 * np.sqrt(expected / COUNT) + 1e-12).all()


def test_uniform_gives_every_rank_the_same() -> None:
    assert shares("uniform", 20) == pytest.approx(np.full(20, 0.05), abs=0.005)


def test_hotspot_gives_its_share_of_operations_to_its_share_of_keys() -> None:
    drawn = shares({"kind": "hotspot", "params": {"keys": 0.2, "operations": 0.7}}, 100)

    assert 0.7 == pytest.approx(drawn[:20].sum(), abs=0.01)
    assert drawn[:20] == pytest.approx(np.full(20, 0.035), abs=0.005)
    assert drawn[20:] == pytest.approx(np.full(80, 0.3 / 80), abs=0.002)


@pytest.mark.parametrize("kind", ["zipf", "uniform", "latest", "hotspot"])
def test_one_live_key_is_all_there_is_to_draw(kind: str) -> None:
    assert [1.0] == shares(kind, 1).tolist()
