"""How does a figure of a document stand in a report? Any JSON value in, short text with unit out.

Sizes are in the binary units of soak/sentences.py, because a table stands beside its sentences.
"""

import math
from collections.abc import Callable

from soak.sentences import clock_time

NOT_KNOWN = "–"

Say = Callable[[object], str]

_BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def number(value: object) -> float:
    """The value as a float; nan for null and whatever is no number (a document is JSON)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)


def digits(value: float) -> str:
    """At most three significant digits below a thousand, thousands separated above."""
    if not math.isfinite(value):
        return NOT_KNOWN
    if abs(value) >= 999.5:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return f"{float(text):.6f}".rstrip("0").rstrip(".") if "e" in text else text


def error(value: object) -> str:
    """An error as a share of the whole, however small: 2.1e-04."""
    figure = number(value)
    return f"{figure:.1e}" if math.isfinite(figure) else NOT_KNOWN


def signed(value: object) -> str:
    """A difference of ratios: +0.012."""
    figure = number(value)
    return f"{figure:+.3f}" if math.isfinite(figure) else NOT_KNOWN


def whole(value: object) -> str:
    figure = number(value)
    return f"{figure:,.0f}" if math.isfinite(figure) else NOT_KNOWN


def size(value: object) -> str:
    """Bytes: 183 MiB, 1.02 GiB; a sign is kept."""
    figure = number(value)
    if not math.isfinite(figure):
        return NOT_KNOWN
    for scale, unit in _BYTES:
        if abs(figure) >= scale:
            return f"{digits(figure / scale)} {unit}"
    return f"{digits(figure)} bytes"


def latency(value: object) -> str:
    """Seconds as an operation's duration: 840 µs, 12.5 ms, 1.3 s."""
    figure = number(value)
    if not math.isfinite(figure):
        return NOT_KNOWN
    if figure == 0:
        return "0 s"
    for scale, unit in _SECONDS:
        if abs(figure) >= scale * 0.9995:
            return f"{digits(figure / scale)} {unit}"
    return f"{digits(figure * 1e9)} ns"


def span(value: object) -> str:
    """Seconds as a stretch of time: 42 s, 12 min, 6 h 05 min, 3 d 4 h."""
    figure = number(value)
    if not math.isfinite(figure):
        return NOT_KNOWN
    if abs(figure) < 10:
        return f"{digits(figure)} s"
    seconds = round(figure)
    if seconds < 120:
        return f"{seconds} s"
    minutes, rest_s = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest_s:02d} s" if rest_s else f"{minutes} min"
    hours, rest_min = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest_min:02d} min" if rest_min else f"{hours} h"
    days, rest_h = divmod(hours, 24)
    return f"{days} d {rest_h} h" if rest_h else f"{days} d"


def moment(value: object) -> str:
    """Seconds since the start of the run as hours:minutes:seconds, as sentences say it."""
    figure = number(value)
    return clock_time(figure) if math.isfinite(figure) else NOT_KNOWN


def share(value: object) -> str:
    """A ratio as per cent; small ones keep two digits: 99.7 %, 0.012 %."""
    figure = number(value)
    if not math.isfinite(figure):
        return NOT_KNOWN
    percent = figure * 100
    if 99.95 > abs(percent) >= 99:
        return f"{percent:.2f} %"
    return f"{digits(float(f'{percent:.3g}'))} %"


def rate(value: object) -> str:
    figure = number(value)
    return f"{digits(figure)}/s" if math.isfinite(figure) else NOT_KNOWN


def change(first: object, last: object) -> str:
    """How much more the last is than the first, with its sign; not known when first is zero."""
    before, after = number(first), number(last)
    if not math.isfinite(before) or not math.isfinite(after) or before == 0:
        return NOT_KNOWN
    percent = (after / before - 1) * 100
    if abs(percent) >= 1000:
        return f"{digits(after / before)}×"
    return f"{percent:+.1f} %".replace("-", "−")


def in_unit(value: object, unit: str) -> str:
    """A check's figure in the unit its detector gives."""
    match unit:
        case "s":
            return latency(value)
        case "bytes":
            return size(value)
        case "ratio":
            return share(value)
        case "bytes/s" | "bytes_per_s":
            figure = number(value)
            # Growth is judged over hours; a rate per second hides how much that is.
            return NOT_KNOWN if math.isnan(figure) else f"{size(figure * 3600)}/h"
        case "recall":
            figure = number(value)
            return NOT_KNOWN if math.isnan(figure) else f"{figure:.3f}"
        case "count":
            return digits(number(value))
        case "1/s":
            return rate(value)
        case _:
            text = digits(number(value))
            return text if text == NOT_KNOWN or not unit else f"{text} {unit}"
