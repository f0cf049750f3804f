"""What is a target asked to do under load? Everything it can, of what `certify` has."""

from collections.abc import Sequence

from soak import plugins
from soak.conformance.scene import SEARCH_AGENT, promised_by
from soak.scenario import Scenario, load

SCENARIO = "certify"


def everything_it_can(
    target: str,
    overrides: Sequence[str],
    *,
    duration: str | None = None,
    rate: str | None = None,
    seed: str | None = None,
) -> Scenario:
    """The scenario for that target. Raises ScenarioError.

    What it can may depend on its parameters, and these are known once there is a scenario.
    """
    asked = load(SCENARIO).operations
    only_store = [_without(name) for name in asked if name != "store"]
    can = promised_by(load(SCENARIO, [*only_store, *overrides], target=target).target)
    lacking = [_without(name) for name in asked if name not in can]
    if SEARCH_AGENT in plugins.load("targets", target).CAPABILITIES - can:
        lacking.append("population.agent_filter=0")
    return load(
        SCENARIO, [*lacking, *overrides], target=target, duration=duration, rate=rate, seed=seed
    )


def _without(operation: str) -> str:
    return f"phases[*].mix.{operation}=0"
