"""Which values stand beside an axis? Few and round ones, in units that people count in."""

import math

from soak.report import figures
from soak.report.charts import Unit

Ticks = list[tuple[float, str]]

_TIME_STEPS_S: tuple[int, ...] = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600)
_TIME_STEPS_S += (7_200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800)
# A run shorter than this is counted in that many seconds.
_TIME_UNITS = ((180.0, 1.0, "s"), (9_000.0, 60.0, "min"), (259_200.0, 3_600.0, "h"))
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


def of_time(end_s: float, most: int) -> Ticks:
    """At most `most` + 1 moments from zero to end_s, labelled in one unit."""
    steps = (step for step in _TIME_STEPS_S if end_s / step <= most)
    step_s = next(steps, math.ceil(end_s / most / 604_800) * 604_800)
    days = (math.inf, 86_400.0, "d")
    _, unit_s, unit = next((row for row in _TIME_UNITS if end_s < row[0]), days)
    moments = [number * step_s for number in range(int(end_s * 1.0001 / step_s) + 1)]
    return [(at_s, f"{at_s / unit_s:g} {unit}" if at_s else "0") for at_s in moments]


def of_values(low: float, high: float, unit: Unit, most: int = 5) -> Ticks:
    """At most `most` values within low to high, round in the unit; bytes are round in MiB."""
    scale = 1.0
    if unit == "bytes" and high >= 1:
        scale = 1024.0 ** int(math.log(high, 1024))
    span = (high - low) / scale
    if not span > 0:
        return [(high, _label(high, unit))]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(part * power for part in (*_ROUND, 20.0) if span / (part * power) <= most - 0.5)
    first = math.ceil(low / scale / step - 1e-9)
    last = math.floor(high / scale / step + 1e-9)
    values = [number * step * scale for number in range(first, last + 1)]
    return [(value, _label(value, unit)) for value in values]


def of_logarithm(low: float, high: float, unit: Unit) -> Ticks:
    """Powers of ten, and values between them where there are few powers; low is above zero."""
    decades = math.log10(high / low)
    parts = (1,) if decades > 2.5 else (1, 3) if decades > 1.2 else (1, 2, 5)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [part * 10.0**power for power in range(first, last + 1) for part in parts]
    return [(value, _label(value, unit)) for value in every if low <= value <= high]


def _label(value: float, unit: Unit) -> str:
    return figures.in_unit(value, unit) if value else "0"
