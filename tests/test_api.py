import ast
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

import soak
from soak import api, compare, interleave, load_run, run
from soak.verdict import Mistake, RunVerdict, Status
from tests.comparison.simulated import simulated, written

ROOT = Path(__file__).parents[1]
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


def test_the_stub_has_every_name_and_no_other():
    stub = Path(soak.__file__).with_suffix(".pyi")
    imports = [
        node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)
    ]

    assert soak.HOMES == {alias.asname: node.module for node in imports for alias in node.names}


@pytest.mark.parametrize("name", soak.HOMES)
def test_every_name_is_there(name: str):
    assert name == getattr(soak, name).__name__


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"status": "fail", "exit_code": 12, "reason": "it leaks"},
            RunVerdict(status=Status.FAIL, exit_code=12, reason="it leaks"),
        ),
        ({"status": "fine"}, RunVerdict(status=Status.UNKNOWN, exit_code=13, reason="")),
        (None, RunVerdict(status=Status.UNKNOWN, exit_code=13, reason="")),
    ],
)
def test_a_record_has_the_verdict_of_its_report(said: object, expected: RunVerdict, tmp_path: Path):
    record = load_run(written(simulated(1), tmp_path))

    assert expected == replace(record, document={**record.document, "verdict": said}).verdict


PAGE = "".join(re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.S))
DOCSTRING = "\n".join(
    [
        f"from soak import {', '.join(soak.HOMES)}",
        *(line.strip() for line in str(api.__doc__).splitlines() if line.startswith("    ")),
    ]
)
SMALL = (
    "{rate: 50/s, target: memory, population: {keys: 500}, checks: [never], "
    "phases: [{name: only, duration: 3s, mix: {store: 1, get: 1}}]}"
)


@pytest.mark.slow
@pytest.mark.parametrize("snippet", [PAGE, DOCSTRING], ids=["page", "docstring"])
def test_what_is_shown_is_typed(snippet: str, tmp_path: Path):
    pytest.importorskip("mypy")
    code = tmp_path / "shown.py"
    code.write_text(snippet)
    checked = [sys.executable, "-m", "mypy", "--strict", str(code)]
    done = subprocess.run(checked, cwd=ROOT, capture_output=True, text=True, check=False)

    # What the product's own files say is not asked here.
    assert [] == [line for line in done.stdout.splitlines() if "shown.py:" in line]
    assert "checked 1 source file" in done.stdout or "no issues" in done.stdout, done.stdout


@pytest.mark.slow
def test_what_the_page_shows_runs(tmp_path: Path):
    for name in ("new", "old"):
        (tmp_path / f"{name}.yaml").write_text(SMALL)
    before = run("gate", target="memory", duration="3s", out=tmp_path / "before")
    page = PAGE.replace('"1m"', '"3s"').replace("runs/RUN", str(before.directory))
    (tmp_path / "page.py").write_text(page)
    shown = [sys.executable, "page.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        shown, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert "did you mean steady?" in done.stdout.splitlines()[-1]
