"""Does an outline keep what matters of a history, whatever its length?"""

import numpy as np
import pytest

from soak.watch.outline import outline

NAN = float("nan")


def test_a_short_history_is_shown_as_it_is():
    columns = {"t_s": np.array([1.0, 2.0]), "recall": np.array([NAN, 0.5])}
    shown = outline(columns, columns)
    assert (1.0, 2.0) == shown["t_s"]
    assert (NAN, 0.5) == pytest.approx(shown["recall"], nan_ok=True)


def test_a_stretch_is_its_mean_its_highest_latency_and_its_end():
    columns = {
        "t_s": np.arange(1.0, 7.0),
        "live_records": np.array([1.0, 2.0, 3.0, 4.0, 5.0, 9.0]),
        "get_p99_s": np.array([1.0, 9.0, 3.0, 4.0, 5.0, 2.0]),
    }
    shown = outline(columns, columns, max_points=2)
    assert (3.0, 6.0) == shown["t_s"]
    assert (2.0, 6.0) == shown["live_records"]
    assert (9.0, 5.0) == shown["get_p99_s"]


@pytest.mark.parametrize("rows", [10, 299, 300, 301, 1_000, 4_096])
def test_every_window_is_seen_though_its_figures_stand_in_one_row_of_ten(rows):
    windows = np.arange(9, rows, 10)
    p99 = np.full(rows, NAN)
    p99[windows] = windows
    columns = {"t_s": np.arange(1.0, rows + 1), "get_p99_s": p99}
    shown = outline(columns, columns)
    step = -(-rows // 300)
    stretches = {-(-(rows - window) // step) for window in windows}
    known = [value for value in shown["get_p99_s"] if value == value]
    assert len(stretches) == len(known)
    assert set(known) <= set(windows)
    assert windows[-1] == known[-1]
    assert rows == shown["t_s"][-1]
    assert 150 < len(shown["t_s"]) <= 300 or rows == len(shown["t_s"])


def test_a_column_that_is_not_there_is_left_out():
    assert ["t_s"] == list(outline({"t_s": np.array([1.0])}, ["t_s", "recall"]))


def test_nothing_yet_is_nothing():
    assert {} == outline({}, ["t_s"])
