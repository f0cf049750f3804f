"""What do latencies look like on a shared machine, steady and degrading? Seeded hours, truth known.

log latency = sensitivity x what the machine does + what records and tombstones cost + the
target's own noise + the change; log control = what the machine does + its own noise. The machine
wanders, has neighbours for minutes at a time, now and then a lasting shift of its clock or its
neighbours, and a slow daily wave; the target feels each of these about as much as the tester's
own work does, never quite. With these ranges the tests that have no control alarm in a third and
more of clean hours, as they did on recorded ones.
"""

from dataclasses import dataclass

import numpy as np

from soak.scorecard.noise import wander
from soak.seams import Evidence, Floats

WINDOW_S = 10
SERIES = "search_service_p50_s"
KINDS = ("step", "drift")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedTrace:
    """onset_s: when it begins, infinite for a clean run; effect: at the end, as a share of what was
    before."""

    evidence: Evidence
    onset_s: float
    effect: float
    kind: str

    def effect_by(self, at_s: float) -> float:
        """How much of it there is by then."""
        if self.kind == "step":
            return self.effect
        rising_s = self.evidence.planned_s - self.onset_s
        return float(np.expm1(np.log1p(self.effect) * (at_s - self.onset_s) / rising_s))


def speed_trace(
    seed: int, *, hours: float = 1.0, effect: float = 0.0, kind: str = "step"
) -> SpeedTrace:
    """One run: a row a second, a window's figure every ten."""
    rng = np.random.default_rng([seed, KINDS.index(kind), round(hours * 60), 5])
    length_s = hours * 3600
    t_s = np.arange(1.0, length_s + 1)
    parts = _machine(rng, t_s)
    live = _live(rng, t_s)
    dead = rng.choice([0.0, 1.0]) * rng.uniform(0, 0.4) * ((t_s / rng.uniform(120, 900)) % 1)
    onset_s = rng.uniform(0.3, 0.6) * length_s
    own = wander(rng, t_s, rng.uniform(0.0, 0.006), rng.uniform(30, 400))
    felt = sum(rng.uniform(0.8, 1.2) * part for part in parts)
    logs = felt + own + rng.uniform(0, 0.6) * np.log(live / live[0]) + rng.uniform(0, 0.3) * dead
    if effect:
        rise = (t_s >= onset_s).astype(float)
        if kind == "drift":
            rise = np.maximum(t_s - onset_s, 0) / (length_s - onset_s)
        logs = logs + np.log1p(effect) * rise
    control = sum(parts) + rng.normal(0, rng.uniform(0.02, 0.06), t_s.size)
    columns = {
        "t_s": t_s,
        "control_s": 5e-5 * np.exp(control),
        "live_records": np.round(live),
        "tombstones": np.round(dead * live),
        SERIES: 1e-3 * np.exp(_windowed(rng, logs)),
    }
    evidence = Evidence(
        columns=columns, totals={}, warm_until_s=0.05 * length_s, planned_s=length_s
    )
    return SpeedTrace(
        evidence=evidence, onset_s=onset_s if effect else np.inf, effect=effect, kind=kind
    )


def _machine(rng: np.random.Generator, t_s: Floats) -> list[Floats]:
    """What the machine does to everybody, as logarithms: shape of t_s each."""
    quick = wander(rng, t_s, rng.uniform(0.005, 0.04), rng.uniform(5, 60))
    slow = wander(rng, t_s, rng.uniform(0.005, 0.05), rng.uniform(120, 1800))
    bouts = np.zeros(t_s.size)
    for _ in range(rng.poisson(3 * t_s[-1] / 3600)):
        at_s, took_s = rng.uniform(0, t_s[-1]), rng.exponential(240)
        bouts += rng.uniform(0.03, 0.3) * ((t_s >= at_s) & (t_s < at_s + took_s))
    for _ in range(rng.poisson(0.5 * t_s[-1] / 3600)):
        bouts += rng.normal(0, 0.06) * (t_s >= rng.uniform(0, t_s[-1]))
    wave = rng.uniform(0, 0.08) * np.sin(2 * np.pi * (t_s / 86_400 + rng.uniform()))
    return [quick, slow, bouts, wave]


def _live(rng: np.random.Generator, t_s: Floats) -> Floats:
    share = t_s / t_s[-1]
    start = rng.uniform(5_000, 40_000)
    match int(rng.integers(3)):
        case 0:
            return np.full(t_s.size, start)
        case 1:
            growing: Floats = start * (1 + rng.uniform(0.2, 2) * share ** rng.uniform(0.5, 1.5))
            return growing
        case _:
            sawtooth: Floats = (t_s / rng.uniform(120, 900)) % 1
            return start * (1 - rng.uniform(0.05, 0.3) * sawtooth)


def _windowed(rng: np.random.Generator, logs: Floats) -> Floats:
    """The window's median at its last second, elsewhere nan; some windows are far off."""
    seen = np.full(logs.size, np.nan)
    ends = np.arange(WINDOW_S - 1, logs.size, WINDOW_S)
    middles = np.array([np.median(logs[end - WINDOW_S + 1 : end + 1]) for end in ends])
    noise = rng.normal(0, rng.uniform(0.005, 0.025), ends.size)
    noise += rng.choice([0.0, 1.0], ends.size, p=[0.98, 0.02]) * rng.exponential(0.2, ends.size)
    seen[ends] = middles + noise
    return seen
