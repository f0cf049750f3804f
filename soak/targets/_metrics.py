"""What does a server tell of itself? Its metrics, as Prometheus reads them, by names of ours."""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.request import Request, urlopen

from soak.result import TargetError
from soak.targets._mapping import FAILURES

TIMEOUT_S = 5.0
LINE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{.*\})?\s+(?P<value>\S+)(?:\s+-?\d+)?$")


def read(
    url: str,
    figures: Mapping[str, str],
    timeout_s: float = TIMEOUT_S,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, float]:
    """Our names to the values of those metrics; what the server does not tell is left out.

    Raises TargetError where it does not answer.
    """
    try:
        with urlopen(Request(url, headers=dict(headers)), timeout=timeout_s) as answer:
            told = sums(answer.read().decode(errors="replace"))
    except FAILURES as error:
        raise TargetError(f"{url}: {type(error).__name__}: {error}") from error
    return {ours: told[theirs] for ours, theirs in figures.items() if theirs in told}


def sums(text: str) -> dict[str, float]:
    """Each metric's value by its name, summed over its labels; other lines are skipped."""
    told: dict[str, float] = {}
    for line in text.splitlines():
        found = LINE.match(line)
        if found is None:
            continue
        try:
            value = float(found["value"])
        except ValueError:
            continue
        if math.isfinite(value):
            told[found["name"]] = told.get(found["name"], 0.0) + value
    return told
