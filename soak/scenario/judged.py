"""Can the time of some phases be judged? Which checks name phases that they cannot mean."""

from collections.abc import Iterator

from soak import plugins
from soak.scenario.model import Scenario
from soak.scenario.yaml_source import Path

# What these decide by are totals of the whole run, or of all that follows warm-up.
OF_TOTALS = ("slo", "never", "recall")


def phases_not_judged(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Paths and what is impossible there, with the remedy."""
    is_warm = {phase.name: phase.warm for phase in scenario.phases}
    for i, check in enumerate(scenario.checks):
        if check.phases is not None and check.detector in OF_TOTALS:
            text = f"{check.detector} judges totals, which are not kept by phase"
            yield ("checks", i, "phases"), f"{text}; leave it out, or take a detector of series"
        for j, name in enumerate(check.phases or ()):
            path = ("checks", i, "phases", j)
            if name not in is_warm:
                near = plugins.nearest(name, is_warm)
                yield path, f"there is no phase {name}; there are: {', '.join(is_warm)}{near}"
            elif is_warm[name]:
                yield path, f"{name} is warm-up, which is not judged; leave it out"
