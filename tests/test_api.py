import ast
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

import soak
from soak import compare, interleave, load_run, run
from soak.verdict import Mistake, Status
from tests.comparison.simulated import simulated, written

SLACK = ("latency_p99=40%", "service_p50=40%")


def test_runs_are_read_and_compared_in_three_calls(tmp_path: Path):
    after, before = (
        load_run(written(simulated(seed, slower=slower, spread=0.02), tmp_path))
        for seed, slower in ((1, 1.2), (2, 1.0))
    )
    assert Status.FAIL == compare(after, before).verdict.status
    assert Status.PASS == compare(after, [before], thresholds=SLACK).verdict.status


@pytest.mark.slow
def test_a_run_is_what_lies_in_its_directory(tmp_path: Path):
    record = run(
        "smoke",
        target="null",
        duration="3s",
        changes=["checks=[never]"],
        out=tmp_path,
    )

    assert ("smoke", "null") == (record.document["scenario"], record.document["target"])
    assert record.document == load_run(record.directory).document


@pytest.mark.slow
def test_a_mistake_is_raised_in_soaks_words(tmp_path: Path):
    with pytest.raises(Mistake, match="no scenario of that name"):
        run("smok", out=tmp_path)


@pytest.mark.slow
def test_two_at_once_get_the_same_operations_by_turns(tmp_path: Path):
    names = [tmp_path / f"{name}.yaml" for name in ("new", "old")]
    for name in names:
        name.write_text(
            "{rate: 200/s, target: memory, population: {keys: 500}, checks: [never], "
            "phases: [{name: only, duration: 3s, mix: {store: 1, get: 1}}]}"
        )
    found = interleave(*names, turn="1s", out=tmp_path / "runs")

    first, second = found.run.document, found.baselines[0].document
    counts = [
        {name: row["count"] for name, row in each["operations"].items()} for each in (first, second)
    ]
    assert counts[0] == counts[1]
    began_s = [datetime.fromisoformat(each["started"]).timestamp() for each in (first, second)]
    # One begins where the other rests: an odd number of turns later or earlier.
    assert 1.0 == pytest.approx((began_s[1] - began_s[0]) % 2, abs=0.01)
    assert any("in turns of 1s" in note for note in found.objections.notes)


def test_pairs_that_tell_nothing_are_refused_before_anything_runs(tmp_path: Path):
    with pytest.raises(Mistake, match="pairs is 0; at least 2 are needed"):
        interleave("gate", "gate", pairs=0, out=tmp_path / "runs")
    assert not list(tmp_path.iterdir())


def test_importing_soak_imports_nothing_else():
    code = "import soak, sys; print([m for m in sys.modules if m.startswith(('soak.', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_a_name_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'compere'"):
        _ = soak.compere


def test_the_stub_has_every_call_and_no_other():
    stub = Path(soak.__file__).with_suffix(".pyi")
    imports = [
        node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)
    ]

    assert ["soak.api"] * len(soak.CALLS) == [node.module for node in imports]
    assert sorted(soak.CALLS) == sorted(alias.asname for node in imports for alias in node.names)
