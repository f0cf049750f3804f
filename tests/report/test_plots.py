import re
from dataclasses import replace

import numpy as np
import pytest

from soak.report.charts import Bound, Chart, Lane, Timeline, line
from soak.report.palette import PALETTE
from soak.report.plots import png, svg

T = np.arange(0.0, 600.0)


def chart(**changes) -> Chart:
    lines = (line("p99", "p99", T, 0.01 + 0.005 * np.sin(T / 40)),)
    plain = Chart(name="a", title="A & <b>", caption="", lines=lines, end_s=600.0, unit="s")
    return replace(plain, **changes)


def test_tones_of_the_light_page_all_differ():
    tones = [tone.light for tone in PALETTE.values()]

    assert len(set(tones)) == len(tones)


def test_every_colour_in_an_svg_follows_the_page():
    drawn = svg(chart(bounds=(Bound(value=0.02, label="bound"),)))

    assert [] == re.findall(r"#[0-9a-f]{6}\b", drawn)
    assert "var(--p99)" in drawn


def test_same_chart_gives_the_same_svg():
    assert svg(chart()) == svg(chart())


def test_titles_cannot_become_markup():
    assert 'aria-label="A &amp; &lt;b&gt;"' in svg(chart())


def test_curves_say_how_to_read_values_off_them():
    drawn = svg(chart(is_logarithmic=True))

    assert 'data-curve="0"' in drawn
    assert "&quot;label&quot;: &quot;p99&quot;" in drawn
    assert "&quot;log&quot;: true" in drawn


@pytest.mark.parametrize(
    "y",
    [np.zeros(600), np.full(600, 7.0), np.full(600, 1e-9), np.where(T == 5, 1e12, 0.0)],
    ids=["zero", "constant", "tiny", "one spike"],
)
@pytest.mark.parametrize("unit", ["s", "bytes", "ratio", "count"])
@pytest.mark.parametrize("is_logarithmic", [False, True], ids=["linear", "logarithmic"])
def test_any_values_can_be_drawn(y, unit, is_logarithmic):
    lines = (line("y", "p50", T, y),)

    assert "<svg" in svg(chart(lines=lines, unit=unit, is_logarithmic=is_logarithmic))


def test_a_bound_far_away_does_not_flatten_the_curve():
    near = svg(chart(bounds=(Bound(value=0.02, label="the bound"),)))
    far = svg(chart(bounds=(Bound(value=50.0, label="the bound"),)))

    assert "the bound" in near
    assert "the bound" not in far


def test_a_timeline_names_its_lanes():
    lanes = (Lane(label="evict", tone="maintenance", start_s=T[5:7], end_s=T[6:8]),)
    phases = (("warm-up", 0.0, 60.0), ("steady", 60.0, 600.0))

    drawn = svg(Timeline(name="t", title="t", caption="", end_s=600.0, phases=phases, lanes=lanes))

    assert {"phase", "evict", "warm-up", "steady"} <= set(re.findall(r">([a-z-]+)</text>", drawn))


def test_png_is_a_png():
    assert png(chart()).startswith(b"\x89PNG\r\n\x1a\n")
