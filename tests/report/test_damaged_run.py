"""Is what can be read of a damaged run directory told, and what was skipped?"""

import json
import shutil
from pathlib import Path

import pytest

from soak.report.catalogue import as_json, runs
from soak.report.html import html
from soak.report.junit import junit
from soak.report.markdown import markdown
from soak.report.record import RunRecord, load_run
from tests.runs import write_run

SHORT = {"length_s": 120.0, "window_s": 10.0, "sample_s": 5.0}
BINARY = bytes(range(256)) * 40 + b"\n" + b"\r\x00," * 9 + b"\n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "sound", **SHORT)


@pytest.fixture
def run(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "run"))


def rendered(record: RunRecord) -> str:
    """The short forms of the report."""
    return junit(record.document) + markdown(record.document)


def change_report(run: Path, **changed: object) -> None:
    report = json.loads((run / "report.json").read_text())
    (run / "report.json").write_text(json.dumps({**report, **changed}))


DAMAGES = {
    "binary": lambda path: path.write_bytes(BINARY),
    "a long quotation": lambda path: path.write_bytes(b'"' + b"x" * 200_000 + b'"\n'),
    "other columns": lambda path: path.write_text("a,b\n1,2\n"),
    "a list": lambda path: path.write_text("[]\n"),
    "deep": lambda path: path.write_text("[" * 100_000 + "\n"),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
}
FILES = ("windows.csv", "samples.csv", "events.jsonl", "report.json", "scenario.yaml")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_the_rest_of_a_run_with_a_damaged_file_is_told(run: Path, name: str, damage):
    damage(run / name)
    if name == "scenario.yaml":
        (run / "report.json").touch()
    record = load_run(run)
    assert "steady on engine" in rendered(record)
    if name != "scenario.yaml":
        assert [note for note in record.notes if name in note]


@pytest.mark.parametrize("time", ["NaN", "1e300", "Infinity", "1" + "0" * 400])
def test_an_event_at_an_impossible_time_is_shown_all_the_same(run: Path, time: str):
    (run / "report.json").unlink()
    line = f'{{"time_s": {time}, "wall_time": {time}, "kind": "odd", "source": "detected"}}\n'
    (run / "events.jsonl").write_text(line)
    record = load_run(run)
    assert ["odd"] == [event.kind for event in record.events]
    assert "steady on engine" in rendered(record)


def test_windows_without_some_columns_are_read(run: Path):
    (run / "windows.csv").write_text("start_s,end_s,phase,operation,count\n0,10,steady,get,7\n")
    (run / "report.json").unlink()
    record = load_run(run)
    assert 7 == record.document["operations"]["get"]["count"]
    assert "steady on engine" in html(record)


def test_what_a_report_does_not_say_the_other_files_do(run: Path):
    report = json.loads((run / "report.json").read_text())
    change_report(run, **{**dict.fromkeys(report), "verdict": {"status": "pass"}})
    record = load_run(run)
    assert "pass · soak of steady on engine" in markdown(record.document)
    assert [note for note in record.notes if "report.json says nothing of run_id" in note]
    assert rendered(record)


@pytest.mark.parametrize("name", ["run_id", "checks", "certificate", "operations", "maintenance"])
@pytest.mark.parametrize("value", [None, 5, "x", [None, 5], {"x": None}])
def test_a_section_that_is_none_costs_only_itself(run: Path, name: str, value: object):
    change_report(run, **{name: value})
    assert "steady on engine" in rendered(load_run(run))


def test_the_page_shows_what_is_left_when_everything_is_damaged(run: Path):
    change_report(run, checks=[None, 5], operations={"get": None}, certificate=5)
    for name in ("windows.csv", "samples.csv", "events.jsonl", "worker.jsonl"):
        (run / name).write_bytes(BINARY)
    assert "steady on engine" in html(load_run(run))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_list_of_runs_names_those_with_a_damaged_report(sound: Path, tmp_path: Path, damage):
    for name in ("first", "second"):
        shutil.copytree(sound, tmp_path / name)
    damage(tmp_path / "first" / "report.json")
    first, second = (as_json(tmp_path, summary)["what"] for summary in runs(tmp_path))
    assert "report.json is damaged" in str(first)
    assert str(second).startswith("pass")
