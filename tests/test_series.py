"""Does a series stay bounded, and are its merged rows the truth?"""

import math

import numpy as np
import pytest

from soak.series import MAX_COLUMNS, Series


def filled(rows: int, capacity: int) -> Series:
    series = Series(capacity)
    for i in range(rows):
        series.append({"t_s": float(i), "level": 10.0 * i, "pause_max": float(i % 7)})
    return series


def test_rows_come_back_as_columns():
    columns = filled(3, 8).columns()

    assert [0.0, 1.0, 2.0] == columns["t_s"].tolist()
    assert [0.0, 10.0, 20.0] == columns["level"].tolist()


def test_the_column_of_times_is_there_before_the_first_row():
    assert {"t_s": []} == {name: kept.tolist() for name, kept in Series(8).columns().items()}


def test_a_column_is_nan_before_it_is_first_seen_and_where_it_is_missing():
    series = Series(8)
    series.append({"t_s": 0.0})
    series.append({"t_s": 1.0, "late": 5.0})
    series.append({"t_s": 2.0})

    late = series.columns()["late"]

    assert [True, False, True] == np.isnan(late).tolist()
    assert 5.0 == late[1]


def test_a_full_series_keeps_pair_means_and_goes_on_at_half_the_resolution():
    columns = filled(12, 8).columns()

    # Eight rows became four; the next four rows became two; the series is not full again.
    assert [0.5, 2.5, 4.5, 6.5, 8.5, 10.5] == columns["t_s"].tolist()
    assert [5.0, 25.0, 45.0, 65.0, 85.0, 105.0] == columns["level"].tolist()


def test_columns_named_max_keep_the_maximum():
    assert [1.0, 3.0, 5.0, 6.0, 2.0, 4.0] == filled(12, 8).columns()["pause_max"].tolist()


def test_the_newest_sample_shows_before_its_row_is_full():
    series = filled(9, 8)

    assert 2 == series.stride
    assert 8.0 == series.columns()["t_s"][-1]
    assert 5 == len(series)


def test_a_missing_half_of_a_pair_does_not_change_the_other():
    series = Series(2)
    series.append({"t_s": 0.0, "level": 4.0})
    series.append({"t_s": 1.0})

    assert [4.0] == series.columns()["level"].tolist()


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 100, 1_000, 4_097])
def test_length_is_bounded_and_time_strictly_increases(rows: int):
    columns = filled(rows, 8).columns()

    assert len(columns["t_s"]) <= 8
    assert np.all(np.diff(columns["t_s"]) > 0)
    assert {len(columns["t_s"])} == {len(column) for column in columns.values()}


def test_merged_rows_average_to_what_was_appended():
    series = filled(4_096, 16)

    assert pytest.approx(10.0 * 4_095 / 2) == series.columns()["level"].mean()


def test_columns_beyond_the_cap_are_refused_and_counted():
    series = Series(2)
    series.append({"t_s": 0.0} | {f"c{i}": 1.0 for i in range(MAX_COLUMNS + 9)})
    series.append({"t_s": 1.0} | {f"c{i}": 1.0 for i in range(MAX_COLUMNS + 9)})

    assert MAX_COLUMNS == len(series.columns())
    assert 10 == series.refused_count


def test_nan_is_a_missing_figure_not_a_value():
    series = Series(4)
    series.append({"t_s": 0.0, "level": math.nan})

    assert "level" not in series.columns()


def test_who_brings_room_gets_the_same_figures_in_it() -> None:
    series, room = filled(5, 8), {}
    first = series.columns(room=room)
    series.append({"t_s": 100.0, "level": 1.0})
    second = series.columns(room=room)

    assert all(np.array_equal(second[n], c, equal_nan=True) for n, c in series.columns().items())
    assert np.shares_memory(first["t_s"], second["t_s"])
