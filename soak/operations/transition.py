"""Force a share of the uppermost tier into the next one; nothing may be lost on the way."""

from soak.operations._readback import first_broken, latest, spread
from soak.oracle.population import PRESENT, Population
from soak.result import Failure, Violation, attempt
from soak.seams import Target, Tiered

CAPABILITY = "transition"
LATEST, SPREAD = 16, 32
TIER, COUNT, LIVE = "tier_", "_count", "records_live_count"


class Transition:
    """The argument is not used; a request is the share.

    At most 48 records are read back, and the target's counts by tier must add up to its records.
    """

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> float:
        return self._population.shape.transition_ratio

    def call(self, request: float) -> int:
        assert isinstance(self._target, Tiered), "it says that it can"
        return self._target.transition(request)

    def check(self, request: float, answer: object, start_ns: int) -> int:
        population = self._population
        broken = self._sum_that_is_wrong()
        if broken is not None:
            return population.note_violation(broken[0], CAPABILITY, -1, start_ns, broken[1])
        slots = [*latest(population, PRESENT, LATEST), *spread(population, PRESENT, SPREAD)]
        return first_broken(self._target, population, CAPABILITY, slots)

    def _sum_that_is_wrong(self) -> tuple[Violation, str] | None:
        """Both counts are of one answer, so nothing comes or goes between them."""
        said = attempt(lambda target: target.stats(), self._target)
        if isinstance(said, Failure) or LIVE not in said:
            return None
        live = said[LIVE]
        tiers = {k: n for k, n in said.items() if k.startswith(TIER) and k.endswith(COUNT)}
        in_tiers = sum(tiers.values())
        if not tiers or in_tiers == live:
            return None
        note = f"{in_tiers:.0f} records in its tiers, {live:.0f} in all"
        return Violation.LOST if in_tiers < live else Violation.GHOST, note

    def abandon(self, request: float) -> None:
        """What a failed transition lost is found by the operations that follow."""


def build(target: Target, population: Population) -> Transition:
    return Transition(target, population)
