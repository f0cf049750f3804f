"""Is what matters least the first to go?"""

import numpy as np

from engine.importance import lowest, values

DAY_S = 86_400.0


def test_the_order_is_that_of_the_values() -> None:
    rng = np.random.default_rng(1)
    importance = rng.random(500).astype(np.float32)
    accessed_s = rng.uniform(0, 30 * DAY_S, 500)
    accesses = rng.integers(0, 100, 500).astype(np.uint32)
    now_s, half_life_s = 31 * DAY_S, 7 * DAY_S

    found = values(importance, accessed_s, accesses, now_s, half_life_s)

    decay = 0.5 ** ((now_s - accessed_s) / half_life_s)
    expected = importance * decay * (1 + 0.2 * np.log2(1.0 + accesses))
    np.testing.assert_allclose(expected, 2**found, rtol=1e-6)
    assert np.argsort(expected)[:50].tolist() == lowest(found, 50).tolist()


def test_importance_counts_however_old_a_record_is() -> None:
    importance = np.array([1.0, 0.01, 0.0, 0.5], dtype=np.float32)
    ages_s = np.full(4, 3_000 * 7 * DAY_S)

    found = values(importance, -ages_s, np.zeros(4, dtype=np.uint32), 0.0, 7 * DAY_S)

    assert [2, 1, 3, 0] == lowest(found, 4).tolist()
