"""How are a duration, a size and a rate written? As people write them, and read back exactly.

A scenario says `6h`, `512MiB`, `200/s`; the code sees float seconds, int bytes, float per second.
From a file (validation context FROM_TEXT) a duration or size needs its unit; Python code passes
plain numbers. `parse_x(format_x(value)) == value` for every value that can be written.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

FROM_TEXT = {"from_text": True}

NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,40})?"
SECONDS_OF: Mapping[str, Fraction] = {
    "d": Fraction(86_400),
    "h": Fraction(3_600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1_000),
    "us": Fraction(1, 1_000_000),
    "ns": Fraction(1, 1_000_000_000),
}
BYTES_OF: Mapping[str, int] = {
    "B": 1,
    "kB": 1_000,
    "KB": 1_000,
    "MB": 1_000_000,
    "GB": 1_000_000_000,
    "TB": 1_000_000_000_000,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
}
PERIOD_OF: Mapping[str, int] = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}

DURATION_PATTERN = "^0$|^" + "".join(f"(?:{NUMBER}{unit})?" for unit in SECONDS_OF) + "$"
SIZE_PATTERN = f"^0$|^({NUMBER})({'|'.join(BYTES_OF)})$"
RATE_PATTERN = f"^({NUMBER})/({'|'.join(PERIOD_OF)})$"
DURATION_HELP = "a duration is written like 90s, 250ms, 6h or 1h30m (units d h m s ms us ns)"
SIZE_HELP = "a size is written like 512MiB, 50MB or 4096B (units B kB MB GB TB KiB MiB GiB TiB)"
RATE_HELP = "a rate is operations per time, written like 200, 200/s, 12/min or 90/h"


def parse_duration(text: str) -> float:
    """Seconds of `1h30m`: largest unit first, each at most once. Raises ValueError."""
    if not text or not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(DURATION_HELP)
    parts = re.findall(f"({NUMBER})([a-z]+)", text)
    return float(sum(Fraction(number) * SECONDS_OF[unit] for number, unit in parts))


def format_duration(duration_s: float) -> str:
    """The usual way to write it: 5400.0 is 1h30m, 0.05 is 50ms, 0.1234567 is 123.4567ms."""
    exact = Fraction(repr(float(duration_s)))
    if exact == 0:
        return "0s"
    if exact.denominator == 1:
        return _in_whole_units(int(exact))
    unit = next((u for u in ("s", "ms", "us", "ns") if exact >= SECONDS_OF[u]), "ns")
    return f"{_decimal(exact / SECONDS_OF[unit])}{unit}"


def parse_size(text: str) -> int:
    """Bytes of `512MiB`. Raises ValueError, also for a fraction of a byte."""
    match = re.fullmatch(SIZE_PATTERN, text)
    if match is None:
        raise ValueError(SIZE_HELP)
    if match[1] is None:
        return 0
    size = Fraction(match[1]) * BYTES_OF[match[2]]
    if size.denominator != 1:
        raise ValueError(f"that is {float(size)} bytes, and there are no fractions of a byte")
    return int(size)


def format_size(size_bytes: int) -> str:
    """In the largest unit that divides it: 524288 is 512KiB, 50000000 is 50MB, 4097 is 4097B."""
    if size_bytes == 0:
        return "0B"
    largest_first = sorted(BYTES_OF.items(), key=lambda unit: -unit[1])
    unit, scale = next((u, scale) for u, scale in largest_first if size_bytes % scale == 0)
    return f"{size_bytes // scale}{unit}"


def parse_rate(text: str) -> float:
    """Operations per second of `12/min`. Raises ValueError."""
    match = re.fullmatch(RATE_PATTERN, text)
    if match is None:
        raise ValueError(RATE_HELP)
    return float(Fraction(match[1]) / PERIOD_OF[match[2]])


def format_rate(rate_per_s: float) -> str:
    """Always per second, so that it reads back exactly: 200.0 is 200/s."""
    return f"{_decimal(Fraction(repr(float(rate_per_s))))}/s"


def _in_whole_units(duration_s: int) -> str:
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, duration_s = divmod(duration_s, int(SECONDS_OF[unit]))
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts)


def _decimal(value: Fraction) -> str:
    # A Fraction of a repr has a power of ten below the line, so this division is exact.
    digits = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{digits.normalize():f}"


def _reads(
    parse: Callable[[str], float], help_text: str, *, needs_unit: bool
) -> Callable[[object, ValidationInfo], object]:
    """The validator that turns text into a number and lets numbers through where they are clear."""

    def read(value: object, known: ValidationInfo) -> object:
        if isinstance(value, str):
            return parse(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(help_text)
        if needs_unit and value != 0 and known.context is not None:
            raise ValueError(f"the unit is missing; {help_text}")
        return value

    return read


def rate_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields whose type is Rate, or Rate | None: what `--rate` scales."""
    fields = model.model_fields.items()
    return tuple(name for name, field in fields if _is_rate([*field.metadata, field.annotation]))


def _is_rate(parts: Iterable[object]) -> bool:
    return any(part is _RATE_MARK or _is_rate(get_args(part)) for part in parts)


_RATE_MARK = "operations per second"

# Ten years, a pebibyte and a billion a second: beyond them it is a slip of the finger.
MAX_DURATION_S = 315_360_000.0
MAX_SIZE_BYTES = 1 << 50
MAX_RATE_PER_S = 1e9

Duration = Annotated[
    float,
    Field(ge=0, le=MAX_DURATION_S, allow_inf_nan=False),
    BeforeValidator(_reads(parse_duration, DURATION_HELP, needs_unit=True)),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": 0}]}
        | {"description": DURATION_HELP}
    ),
]
Size = Annotated[
    int,
    Field(ge=0, le=MAX_SIZE_BYTES),
    BeforeValidator(_reads(parse_size, SIZE_HELP, needs_unit=True)),
    PlainSerializer(format_size, return_type=str, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"const": 0}]}
        | {"description": SIZE_HELP}
    ),
]
Rate = Annotated[
    float,
    _RATE_MARK,
    Field(ge=0, le=MAX_RATE_PER_S, allow_inf_nan=False),
    BeforeValidator(_reads(parse_rate, RATE_HELP, needs_unit=False)),
    PlainSerializer(format_rate, return_type=str, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": RATE_PATTERN}]}
        | {"description": RATE_HELP}
    ),
]
