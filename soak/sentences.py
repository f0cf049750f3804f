"""How is a figure said to a person? With a unit they know and no more digits than it deserves."""

import math

KIB = 1024.0
# Binary, like the report and the page; a bound stands as it was asked for.
_BYTE_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
# Less is what floating point leaves of a sum that is zero.
_LEAST_BYTES = 1e-3
_TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def figure(value: float, unit: str) -> str:
    """A value in base units for a sentence: 0.062 s is `62 ms`, 0.001 ratio is `0.1 %`.

    unit: s, bytes, ratio, 1/s, any other is appended as it is. nan is `unknown`.
    """
    if math.isnan(value):
        return "unknown"
    if unit == "s":
        return _duration(value)
    if unit == "bytes":
        return _size(value)
    if unit == "ratio":
        return f"{_digits(100 * value)} %"
    if unit == "1/s":
        return f"{_digits(value)} per second"
    return f"{_digits(value)} {unit}".rstrip()


def clock_time(offset_s: float) -> str:
    """Seconds since the start as hh:mm:ss; hours go on above 99."""
    whole = int(offset_s)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def count(number: float) -> str:
    """12345.0 is `12,345`."""
    return f"{int(number):,}"


def _duration(value_s: float) -> str:
    size = abs(value_s)
    if size >= 120:
        return clock_time(value_s)
    scale, unit = next((pair for pair in _TIME_UNITS if size >= pair[0]), _TIME_UNITS[0])
    return f"{_digits(value_s / scale)} {unit}"


def _size(value_bytes: float) -> str:
    if abs(value_bytes) < _LEAST_BYTES:
        value_bytes = 0.0
    power = 0
    while abs(value_bytes) >= KIB and power < len(_BYTE_UNITS) - 1:
        value_bytes /= KIB
        power += 1
    return f"{_digits(value_bytes)} {_BYTE_UNITS[power]}"


def _digits(value: float) -> str:
    """Three significant digits, whole numbers above that in full: 0.0613, 61.3, 1,234."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
