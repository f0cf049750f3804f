"""How important is a memory? Quantile tables of the distributions a phase may ask for.

A table has 65,536 entries: entry i is the value at probability (i + 0.5) / 65,536, except that the
bimodal one lists its two parts one after the other. Indexed by hash bits it is a draw.
"""

from statistics import NormalDist

import numpy as np

from soak.seams import Floats

ENTRIES = 65_536
_BETA_GRID = 100_001


def uniform(low: float = 0.0, high: float = 1.0) -> Floats:
    """Evenly between low and high."""
    evenly: Floats = low + (high - low) * _probabilities(ENTRIES)
    return evenly


def beta(a: float = 2.0, b: float = 5.0) -> Floats:
    """Beta(a, b), a and b > 0, by integrating its density over the log-odds.

    There x**a * (1 - x)**b is smooth for every a and b, while the density itself has poles at the
    ends when a or b is below 1. Accurate to about 1e-5.
    """
    spread = float(np.sqrt(1 / a + 1 / b + 1 / a**2 + 1 / b**2))
    log_odds = np.log(a / b) + np.linspace(-40 * spread, 40 * spread, _BETA_GRID)
    log_x, log_rest = -np.logaddexp(0.0, -log_odds), -np.logaddexp(0.0, log_odds)
    log_density = a * log_x + b * log_rest
    density = np.exp(log_density - log_density.max())
    mass = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2)))
    quantiles: Floats = np.interp(_probabilities(ENTRIES), mass / mass[-1], np.exp(log_x))
    return quantiles


def bimodal(
    low: float = 0.2, high: float = 0.9, share: float = 0.1, spread: float = 0.05
) -> Floats:
    """Normal around low, and for `share` of the records around high; cut to 0 and 1."""
    important = round(share * ENTRIES)
    parts = [
        _normal(low, spread, ENTRIES - important),
        _normal(high, spread, important),
    ]
    return np.clip(np.concatenate(parts), 0.0, 1.0)


def pareto(alpha: float = 1.5, minimum: float = 0.05) -> Floats:
    """P(importance > x) = (minimum / x) ** alpha, cut at 1."""
    tail: Floats = minimum * (1.0 - _probabilities(ENTRIES)) ** (-1.0 / alpha)
    return np.minimum(1.0, tail)


DISTRIBUTIONS = {"uniform": uniform, "beta": beta, "bimodal": bimodal, "pareto": pareto}


def _probabilities(count: int) -> Floats:
    probabilities: Floats = (np.arange(count) + 0.5) / max(count, 1)
    return probabilities


def _normal(mean: float, spread: float, count: int) -> Floats:
    if spread == 0:
        return np.full(count, mean)
    # The quantile function is smooth but at its ends, and 65,536 exact calls take 50 ms.
    knots = np.concatenate(([1e-6], (np.arange(2047) + 1) / 2048, [1 - 1e-6]))
    heights = [NormalDist(mean, spread).inv_cdf(knot) for knot in knots]
    return np.interp(_probabilities(count), knots, heights)
