"""Does the page of a suite show every category, with figures and what was measured?"""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from soak.bench import page
from soak.bench.files import write_suite
from soak.bench.pictures import in_order, pictures
from soak.bench.scaling import with_scaling
from soak.report.ranges import Ranges
from tests.benchmarks.documents import told

AGENTS = [
    told(f"scalability/agents-{n}", per_s=400.0 * n**0.5, status="fail" if n == 50 else "pass")
    for n in (1, 10, 50)
]
SUITE = with_scaling([*AGENTS, told("storage/batch-100"), told("latency/mixed")])
OLDER = {
    "benchmark": "vector_store",
    "category": "storage",
    "timestamp": "2024-01-01T00:00:00",
    "results": {"write": {"mean_ms": 1.25}, "samples": [3, 4]},
    "metadata": {"execution_time": 3.2},
}


@pytest.fixture(scope="module")
def html() -> str:
    return page.html([*SUITE, OLDER])


def test_a_section_per_category_with_figures_drawn_in_it(html: str):
    sections = dict(re.findall(r'<section id="(\w+)">(.*?)</section>', html, re.DOTALL))

    assert {"objectives", "scalability", "storage", "latency", "circumstances"} == sections.keys()
    drawn = {name: text.count("<svg") for name, text in sections.items()}
    # Latency, rate, memory and recall each; the fourth of scalability is its course over clients.
    assert {"scalability": 5, "storage": 4, "latency": 4} == {n: c for n, c in drawn.items() if c}


def test_every_figure_is_sound_xml_and_no_id_is_there_twice(html: str):
    figures = re.findall(r"<svg .*?</svg>", html, re.DOTALL)
    ids = re.findall(r' id="([^"]+)"', html)

    assert 13 == len([ElementTree.fromstring(figure) for figure in figures])
    assert sorted(set(ids)) == sorted(ids)


def test_what_was_missed_is_said_first_and_measured_stands_against_target(html: str):
    assert "Of 6 benchmarks: 1 fail, 4 pass, 1 unknown." in html
    assert html.index("scalability/agents-50: because") < html.index("Measured against target")
    assert "store p99 under load" in html
    assert "25 ms" in html  # half its bound of 50 ms


def test_runs_that_disturbed_each_other_are_said_to_have():
    document = told("latency/mixed")
    environment = {"cpus_allowed": 2}
    beside = {**document["metadata"], "parallel": 3, "environment": environment}

    assert "the runs disturb each other" in page.html([{**document, "metadata": beside}])


def test_ideal_stands_against_actual(html: str):
    (row,) = re.findall(r'<tr><td class="figure">50</td>.*?</tr>', html)

    assert ["50", "2,828/s", "20,000/s", "14.1 %"] == re.findall(r">([^<]+)</td>", row)[:4]


def test_figures_of_another_program_are_shown_as_they_are(html: str):
    found = re.search(r"Other figures.*?</table>", html, re.DOTALL)
    assert found is not None
    cells = re.findall(r"<td[^>]*>([^<]+)</td>", found[0])

    assert ["storage/vector_store", "write.mean_ms", "1.25", OLDER["timestamp"]] == cells[:4]
    assert ["samples[0]", "3"] == cells[5:7]


def test_sizes_in_names_order_the_rows():
    names = ["volume-100k", "mixed", "volume-1m", "agents-10", "volume-1k", "agents-2"]
    ordered = in_order([{"benchmark": name} for name in names])

    assert ["agents-2", "agents-10", "mixed", "volume-1k", "volume-100k", "volume-1m"] == [
        each["benchmark"] for each in ordered
    ]


def test_the_bound_of_a_check_stands_in_the_row_of_its_operation():
    (latency, *_) = pictures("latency", [told("latency/mixed")])

    assert isinstance(latency, Ranges)
    bounds = {row.label: row.bound for row in latency.rows if row.bound == row.bound}
    assert {"mixed · store": 0.05, "mixed · search": 0.05, "mixed · get": 0.005} == bounds


def test_what_is_asked_for_is_written_a_png_per_figure(tmp_path: Path):
    wanted = {"html": tmp_path / "b.html", "markdown": tmp_path / "b.md"}
    written = write_suite([told("latency/mixed")], **wanted, figures=tmp_path / "figures")

    names = {path.name for path in written}
    assert {"b.html", "b.md", "latency-latency.png", "latency-recall.png"} <= names
    assert (tmp_path / "figures" / "latency-rate.png").read_bytes().startswith(b"\x89PNG")
