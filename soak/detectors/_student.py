"""How wide is an interval whose error is itself estimated? The quantiles of Student's t."""

import math
from statistics import NormalDist

# Above this many degrees of freedom Student's distribution is the normal one to three digits.
NORMAL_FREEDOM = 200


def student_quantile(share: float, freedom: int) -> float:
    """Below which Student's t lies with that probability; share in (0.5, 1)."""
    if freedom > NORMAL_FREEDOM:
        return NormalDist().inv_cdf(share)
    low, high = 0.0, 1.0
    while _student_share(high, freedom) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_share(middle, freedom) < share else (low, middle)
    return high


def _student_share(t: float, freedom: int) -> float:
    """P(T < t) for t >= 0, exact. Source: Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    is_odd = freedom % 2 == 1
    term = cosine if is_odd else 1.0
    total = term if freedom > 1 else 0.0
    for i in range(3 if is_odd else 2, freedom, 2):
        term *= cosine**2 * (i - 1) / i
        total += term
    within = 2 / math.pi * (angle + sine * total) if is_odd else sine * total
    return (1 + within) / 2
