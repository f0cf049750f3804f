"""What moves a figure when nothing is wrong? Wander, upward noise, arenas, caches, warm-up."""

import numpy as np

from soak.seams import Floats

MIB = float(1 << 20)
# Within one stretch a power of phi neither overflows nor vanishes.
STRETCH = 64


def wander(rng: np.random.Generator, t_s: Floats, spread: float, tau_s: float) -> Floats:
    """AR(1) from its stationary distribution, shape of t_s (evenly spaced), time constant tau_s."""
    phi = float(np.exp(-(t_s[1] - t_s[0]) / tau_s))
    steps = rng.normal(0, spread * np.sqrt(1 - phi**2), t_s.size)
    steps[0] = rng.normal(0, spread)
    if phi < 0.01:  # faster than it is looked at
        return steps
    powers = phi ** np.arange(1, STRETCH + 1)
    level = np.empty(t_s.size)
    last = 0.0
    for begin in range(0, t_s.size, STRETCH):
        part = steps[begin : begin + STRETCH]
        power = powers[: part.size]
        level[begin : begin + part.size] = power * (last + np.cumsum(part / power))
        last = float(level[begin + part.size - 1])
    return level


def upward(rng: np.random.Generator, rows: int, spread: float) -> Floats:
    """What comes on top and goes again, as a garbage collector's debris does."""
    noise: Floats = np.abs(rng.normal(0, spread, rows))
    return noise


def arenas(rng: np.random.Generator, t_s: Floats) -> Floats:
    """Bytes of blocks taken and given back, a few an hour; a queue, so without a lasting trend."""
    size = rng.choice([0.25, 1.0, 4.0]) * MIB
    stay_s = rng.uniform(300, 1200)
    length_s = float(t_s[-1])
    begins = rng.uniform(-4 * stay_s, length_s, rng.poisson(4 * (length_s + 4 * stay_s) / 3600))
    ends = begins + rng.exponential(stay_s, begins.size)
    change = np.zeros(t_s.size + 1)
    np.add.at(change, np.searchsorted(t_s, begins), 1.0)
    np.add.at(change, np.searchsorted(t_s, ends), -1.0)
    held: Floats = size * np.cumsum(change)[:-1]
    return held


def filling(rng: np.random.Generator, t_s: Floats) -> Floats:
    """A cache that fills and then stops, and the debris of the start; shares of what is held."""
    cache = rng.choice([0.0, 0.03]) * (1 - np.exp(-t_s / (t_s[-1] * rng.uniform(0.03, 0.3))))
    debris: Floats = cache - 0.05 * np.exp(-t_s / rng.uniform(20, 120))
    return debris
