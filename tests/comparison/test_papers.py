import json

import pytest

from soak.comparison import papers
from soak.comparison.judgement import compare
from tests.comparison.simulated import simulated


def slower_run():
    return compare(simulated(1, slower=1.15, spread=0.03), [simulated(2, spread=0.03)])


@pytest.mark.parametrize(
    ("name", "made"), [("comparison.txt", papers.table), ("comparison.md", papers.markdown)]
)
def test_papers_are_those_of_the_golden_file(name: str, made, golden):
    golden(name, made(slower_run()))


def test_json_has_every_metric_and_no_nan():
    comparison = slower_run()
    read = json.loads(json.dumps(papers.document(comparison), allow_nan=False))

    assert (10, "fail") == (read["verdict"]["exit_code"], read["verdict"]["status"])
    assert len(comparison.changes) == len(read["metrics"])
    row = next(each for each in read["metrics"] if each["name"] == "get.service_p50")
    assert ("fail", "s", "ratio", 0.1, 60) == tuple(
        row[key] for key in ("status", "unit", "scale", "threshold", "windows")
    )
    assert 0.15 == pytest.approx(row["change"], abs=0.03)


def test_figures_of_a_baseline_have_a_column_per_run():
    head, first, *_ = papers.figures_table([simulated(1), simulated(2)]).splitlines()

    assert ["metric", "simulated-1", "simulated-2"] == head.split()
    assert "throughput" == first.split()[0]
