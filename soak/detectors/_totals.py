"""Which totals of a run can a check name, and what do bounds on them look like?"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from soak.plugins import nearest
from soak.result import OPERATIONS, OUTCOMES, VIOLATIONS
from soak.scenario.quantities import parse_duration, parse_rate, parse_size

# Bounds are written with units or without.
WRITTEN = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^[0-9.]+"}]})
Bound = Annotated[float, Field(ge=0), WRITTEN]

QUANTILES = ("mean", "p50", "p95", "p99", "p999", "max")
_OF_OPERATIONS = (
    "count",
    *(f"{outcome}_count" for outcome in OUTCOMES),
    *(f"{measure}{quantile}_s" for measure in ("", "service_") for quantile in QUANTILES),
)
_COUNTED = (
    *("count", "error_count", "wrong_count", "achieved_per_s"),
    *(f"{operation}_{name}" for operation in OPERATIONS for name in _OF_OPERATIONS),
)
# After warm-up by their name, of the whole run with `all_`; the rest is of the whole run.
TOTALS = frozenset(
    (
        *_COUNTED,
        *(f"all_{name}" for name in _COUNTED),
        *(f"violations_{kind}" for kind in VIOLATIONS),
        *("offered_per_s", "elapsed_s", "checked_count", "eviction_inversion_ratio"),
        *("recall_samples", "recall_mean", "recall_sd"),
    )
)

_PARSERS = {"1/s": parse_rate, "s": parse_duration, "bytes": parse_size}
_HELP = {
    "1/s": "a rate: 100/s",
    "s": "a duration: 50ms",
    "bytes": "a size: 50MB",
    "ratio": "a share: 0.1% or 0.001",
    "": "a plain number, or a share: 0.1%",
}


def known_total(name: str) -> str:
    """The name, if runs have such a total; raises ValueError with the nearest one."""
    if name not in TOTALS:
        example = "count, error_count, achieved_per_s, search_p99_s, recall_mean"
        raise ValueError(f"{name!r} is no total; there are {example}, ...{nearest(name, TOTALS)}")
    return name


def operation_of(total: str) -> str | None:
    """Whose total it is; None for one of all operations, or of none."""
    name = total.removeprefix("all_")
    return next(
        (
            operation
            for operation in OPERATIONS
            for ending in _OF_OPERATIONS
            if name == f"{operation}_{ending}"
        ),
        None,
    )


Total = Annotated[str, AfterValidator(known_total)]


def unit_of(total: str) -> str:
    """The unit a total is counted in, by the end of its name; empty for plain counts."""
    endings = (("_per_s", "1/s"), ("_s", "s"), ("_bytes", "bytes"), ("_ratio", "ratio"))
    return next((unit for ending, unit in endings if total.endswith(ending)), "")


def parse_bound(written: object, unit: str) -> object:
    """A bound as people write it, in base units; raises ValueError when it is of another kind.

    What is no text passes through, for the model to judge.
    """
    if not isinstance(written, str):
        return written
    share = re.fullmatch(r"([0-9.]+)\s*%", written)
    try:
        if unit in _PARSERS:
            return float(_PARSERS[unit](written))
        return float(share[1]) / 100 if share else float(written)
    except ValueError:
        raise ValueError(f"{written!r} is no bound here; write {_HELP[unit]}") from None
