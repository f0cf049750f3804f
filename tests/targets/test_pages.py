"""Has every target of a real system its page, its pinned packages and its line in the list?"""

import pytest

from soak import plugins
from tests.source_tree import ROOT

OURS = {"engine", "faulty", "memory", "null"}
REAL = sorted(set(plugins.shipped("targets")) - OURS)
PAGES = ROOT / "docs" / "targets"


@pytest.mark.parametrize("name", REAL)
def test_target_has_a_page_that_says_what_it_lacks_and_what_a_run_showed(name):
    text = (PAGES / f"{name}.md").read_text()

    assert f"# {name}" == text.splitlines()[0]
    assert "| operation | count |" in text or "No figures stand here: " in text
    assert f"({name}.md)" in (PAGES / "README.md").read_text()


@pytest.mark.parametrize("name", REAL)
def test_packages_that_a_target_needs_are_pinned(name):
    needs = getattr(plugins.load("targets", name), "NEEDS", ())
    pinned = ROOT / "requirements" / "targets" / f"{name}.txt"

    assert pinned.is_file() or not needs
