"""Is what is derived from a key spread evenly, and the same one by one and all at once?"""

import numpy as np

from soak.oracle import keyhash

KEYS = np.arange(50_000)


def test_many_at_once_are_the_same_as_one_by_one():
    keys = np.array([0, 1, 2**31, 2**40 + 7, 123_456_789])

    assert [keyhash.mixed(key) for key in keys.tolist()] == keyhash.mixed_all(keys).tolist()


def test_agents_are_spread_evenly():
    agents = [keyhash.agent_bits(keyhash.mixed(key)) % 16 for key in KEYS.tolist()]
    counts = np.bincount(agents)

    assert counts.min() > 0.9 * len(KEYS) / 16
    assert counts.max() < 1.1 * len(KEYS) / 16


def test_agent_pin_and_importance_do_not_depend_on_each_other():
    bits = [keyhash.mixed(key) for key in KEYS.tolist()]
    columns = np.array(
        [(keyhash.agent_bits(b) % 16, keyhash.quantile_bits(b), keyhash.pin_bits(b)) for b in bits]
    )
    correlations = np.corrcoef(columns.T) - np.eye(3)

    assert np.abs(correlations).max() < 0.02
