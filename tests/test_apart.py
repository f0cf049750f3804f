"""Is a run made apart found again, whoever else makes runs beside it?"""

import json

import pytest

from soak.apart import run_apart


def test_it_is_the_one_that_the_process_names_and_only_its_flags_count(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOAK_TARGET", "nobody")
    monkeypatch.setenv("SOAK_LISTEN", "nowhere")
    monkeypatch.setenv("SOAK_TIME_SCALE", "2")
    (tmp_path / "20260301T120000Z-smoke-000000").mkdir()

    flags = ("--target=null", "--duration=2s", "--set=listen=null")
    ended = run_apart("smoke", tmp_path, flags)

    assert 13 == ended.exit_code  # a null target has no recall to judge
    assert ended.directory.name in ended.said
    assert (ended.directory / "report.json").is_file()
    made = json.loads((ended.directory / "environment.json").read_text())
    assert {"SOAK_TIME_SCALE": "2"} == made["settings"]


def test_one_that_never_began_has_its_words_and_no_directory(tmp_path):
    ended = run_apart("smok", tmp_path, ())

    assert (2, None) == (ended.exit_code, ended.directory)
    assert "did you mean" in ended.said
