"""What must hold where a scenario does not say? The usual objectives, as far as they apply."""

from collections.abc import Mapping

from soak import plugins
from soak.scenario.model import Check, Scenario
from soak.scenario.quantities import FROM_TEXT

Stated = Mapping[str, object]

WRONG_ANSWERS: Stated = {"name": "wrong-answers", "detector": "never"}
ERRORS: Stated = {
    "name": "errors",
    "detector": "slo",
    "params": {"total": "error_count", "per": "count", "max": "0.1%"},
}
THROUGHPUT: Stated = {
    "name": "throughput",
    "detector": "slo",
    "params": {"total": "achieved_per_s", "min": "100/s", "of": "offered_per_s", "share": 0.99},
}
# A store waits for the disk, and on a busy disk the slowest hundredth waits for tens of
# milliseconds; a search does not.
LATENCIES: Mapping[str, Stated] = {
    operation: {
        "name": f"{operation}-p99",
        "detector": "slo",
        "params": {"operation": operation, "quantile": "p99", "max": "50ms"},
    }
    for operation in ("store", "search")
}
RECALL: Stated = {"name": "recall", "detector": "recall", "params": {"min": 0.95}}
FOOTPRINT: Stated = {"name": "footprint", "detector": "density", "params": {"max": "50MB"}}
# A shorter run often ends before all records were replaced once, and until then memory may settle.
# A longer one may be undecided, too: of 24 clean runs of an hour seven were (docs/scorecard.md).
LEAK: Stated = {"name": "leak", "detector": "leak", "needs": "30m"}
DISK: Stated = {
    **LEAK,
    "name": "disk-growth",
    "params": {"column": "disk_allocated_bytes", "plus": []},
}
FILES: Stated = {"name": "open-files", "detector": "pile_up", "needs": "30m"}
THREADS: Stated = {**FILES, "name": "threads", "params": {"column": "threads"}}
# Only where nothing else changes in mid-run: two mixes take different times, and that is no fault.
SLOWER: Mapping[str, Stated] = {
    operation: {
        "name": f"{operation}-slows",
        "detector": "degradation",
        "needs": "30m",
        "params": {"series": f"{operation}_service_p50_s"},
    }
    for operation in ("store", "search")
}

# A mean over the whole run hides what begins to rot late.
RECALL_FALLS: Stated = {
    "name": "recall-falls",
    "detector": "degradation",
    "needs": "30m",
    "params": {"series": "recall"},
}


def usual_checks(scenario: Scenario) -> tuple[Check, ...]:
    """The checks of a scenario without `checks`: only such as its load and target can decide."""
    stated = [WRONG_ANSWERS, ERRORS, THROUGHPUT]
    stated += [check for name, check in LATENCIES.items() if name in scenario.operations]
    target = plugins.load("targets", scenario.target.name)
    if getattr(target, "REMEMBERS", True):
        stated += [RECALL, RECALL_FALLS] if "search" in scenario.operations else []
        stated += [FOOTPRINT] if scenario.population.keys >= 1_000 else []
    stated += [LEAK, DISK, FILES, THREADS]
    if sum(not phase.warm for phase in scenario.phases) == 1:
        stated += [check for name, check in SLOWER.items() if name in scenario.operations]
    return tuple(Check.model_validate(check, context=FROM_TEXT) for check in stated)
