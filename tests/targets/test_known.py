"""Does every known problem say what it is, and can a check of its file catch it?"""

import re

import pytest

from soak.scenario import load
from tests.source_tree import ROOT

FILES = sorted((ROOT / "configs" / "known").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_names_its_version_and_the_check_that_catches_it(file):
    text = file.read_text()
    scenario = load(str(file))
    caught = re.search(r"^#   caught by (.+)$", text, re.MULTILINE)
    checks = {check.name for check in scenario.checks}

    assert caught is not None
    named = set(re.findall(r"[a-z0-9-]+", caught[1])) & checks
    assert caught[1].startswith("nothing") or named
    assert re.search(r"^#   shows on  \S.*\d", text, re.MULTILINE)
    assert scenario.question.endswith("?")
    assert not [check.name for check in scenario.checks if check.needs > scenario.duration_s]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_no_control_names_the_report_upstream(file):
    text = file.read_text()

    assert ("caught by nothing" in text) != ("#   upstream  " in text)


def test_there_are_at_least_eight_and_their_controls():
    controls = [file.stem for file in FILES if "caught by nothing" in file.read_text()]

    assert {"churn-control", "lancedb-optimized"} == set(controls)
    assert len(FILES) - len(controls) >= 8
