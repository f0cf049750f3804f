"""Are durations, sizes and rates read as people write them, and written so that they read back?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from soak.scenario.quantities import (
    FROM_TEXT,
    MAX_DURATION_S,
    MAX_RATE_PER_S,
    MAX_SIZE_BYTES,
    Duration,
    Rate,
    Size,
    format_duration,
    format_rate,
    format_size,
    parse_duration,
    parse_rate,
    parse_size,
    rate_fields,
)

ENDLESS = "9" * 400 + "h"


class Sample(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    wait: Duration = 5400.0
    memory: Size = 512 << 20
    pace: Rate = 200.0
    peak: Rate | None = None
    share: float = 0.5


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("6h", 21_600.0),
        ("1h30m", 5_400.0),
        ("90s", 90.0),
        ("250ms", 0.25),
        ("1.5h", 5_400.0),
        ("7d", 604_800.0),
        ("10us", 1e-5),
        ("1m500ms", 60.5),
        ("0", 0.0),
        ("0s", 0.0),
    ],
)
def test_duration_is_read_in_seconds(text: str, expected_s: float) -> None:
    assert expected_s == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["", "6", "h", "6 h", "6H", "-1s", "30m1h", "1h1h", "1e3s", "1_0s", "1:30", "٣s", ENDLESS],
)
def test_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="like 90s"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected_bytes"),
    [("512MiB", 512 << 20), ("50MB", 50_000_000), ("1.5KiB", 1_536), ("4096B", 4_096), ("0", 0)],
)
def test_size_is_read_in_bytes(text: str, expected_bytes: int) -> None:
    assert expected_bytes == parse_size(text)


@pytest.mark.parametrize("text", ["", "512", "512mb", "512 MB", "-1B", "1e3B", "MB"])
def test_other_text_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="like 512MiB"):
        parse_size(text)


def test_fraction_of_a_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="no fractions"):
        parse_size("1.5B")


@pytest.mark.parametrize(
    ("text", "expected_per_s"), [("200/s", 200.0), ("12/min", 0.2), ("90/h", 0.025), ("0/s", 0.0)]
)
def test_rate_is_read_per_second(text: str, expected_per_s: float) -> None:
    assert expected_per_s == parse_rate(text)


@pytest.mark.parametrize("text", ["", "200", "200/sec", "200 /s", "/s", "-1/s", "200/m"])
def test_other_text_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="like 200"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (5400.0, "1h30m"),
        (0.05, "50ms"),
        (0.0, "0s"),
        (90_061.0, "1d1h1m1s"),
        (0.1234567, "123.4567ms"),
        (1.5, "1.5s"),
        (2.5e-6, "2.5us"),
        (3e-10, "0.3ns"),
    ],
)
def test_duration_is_written_the_usual_way(duration_s: float, expected: str) -> None:
    assert expected == format_duration(duration_s)


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(512 << 20, "512MiB"), (50_000_000, "50MB"), (4_097, "4097B"), (0, "0B"), (524_288, "512KiB")],
)
def test_size_is_written_in_the_largest_unit_that_divides_it(
    size_bytes: int, expected: str
) -> None:
    assert expected == format_size(size_bytes)


@given(st.floats(0, MAX_DURATION_S, allow_subnormal=False).filter(lambda x: x == 0 or x > 1e-12))
def test_every_duration_reads_back(duration_s: float) -> None:
    assert duration_s == parse_duration(format_duration(duration_s))


@given(st.integers(0, MAX_SIZE_BYTES))
def test_every_size_reads_back(size_bytes: int) -> None:
    assert size_bytes == parse_size(format_size(size_bytes))


@given(st.floats(0, MAX_RATE_PER_S, allow_subnormal=False).filter(lambda x: x == 0 or x > 1e-12))
def test_every_rate_reads_back(rate_per_s: float) -> None:
    assert rate_per_s == parse_rate(format_rate(rate_per_s))


def test_model_reads_text_and_writes_it_back() -> None:
    sample = Sample.model_validate({"wait": "1m30s", "memory": "1GiB", "pace": "12/min"})

    assert (90.0, 1 << 30, 0.2) == (sample.wait, sample.memory, sample.pace)
    assert {"wait": "1m30s", "memory": "1GiB", "pace": "0.2/s", "peak": None, "share": 0.5} == (
        sample.model_dump(mode="json")
    )


def test_code_may_pass_plain_numbers() -> None:
    sample = Sample(wait=90, memory=1024, pace=3)

    assert (90.0, 1024, 3.0) == (sample.wait, sample.memory, sample.pace)


@pytest.mark.parametrize("field", ["wait", "memory"])
def test_a_file_must_give_the_unit(field: str) -> None:
    with pytest.raises(ValidationError, match="the unit is missing"):
        Sample.model_validate({field: 30}, context=FROM_TEXT)


def test_a_file_may_give_a_rate_without_unit() -> None:
    assert 30.0 == Sample.model_validate({"pace": 30}, context=FROM_TEXT).pace


@pytest.mark.parametrize("value", [True, None, [1], -1, float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("field", ["wait", "memory", "pace"])
def test_what_is_no_quantity_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({field: value})


def test_rates_are_found_by_their_type_also_when_optional() -> None:
    assert ("pace", "peak") == rate_fields(Sample)
