"""Are folded stacks counted and drawn as they are?"""

import re
from xml.etree import ElementTree

from soak.report.flame import Hot, hottest, parsed, svg, table

TEXT = """\
main;run;search 60
main;run;store 30
main;run 10
main;run;search 20
torn
"""
STACKS = {("main", "run", "search"): 80, ("main", "run", "store"): 30, ("main", "run"): 10}


def test_equal_stacks_are_added_and_torn_lines_skipped():
    assert STACKS == parsed(TEXT)


def test_a_function_has_its_own_time_and_that_of_what_it_called():
    assert [
        Hot(name="search", own=80, total=80),
        Hot(name="store", own=30, total=30),
        Hot(name="run", own=10, total=120),
        Hot(name="main", own=0, total=120),
    ] == hottest(STACKS)


def test_recursion_counts_a_sample_once():
    assert Hot(name="walk", own=5, total=5) in hottest({("main", "walk", "walk"): 5})


def test_the_table_has_shares():
    lines = table(STACKS).splitlines()

    assert "120 samples" in lines[0]
    assert ["66.7%", "66.7%", "search"] == lines[1].split()
    assert ["8.3%", "100.0%", "run"] == lines[3].split()
    assert 4 == len(lines)


def test_boxes_are_as_wide_as_they_were_often_seen_and_lie_within_their_caller():
    drawn = svg(STACKS, "a <run>")
    root = ElementTree.fromstring(drawn)
    box = re.compile(r'<title>(\w+), .*?x="([\d.]+)" y="(\d+)" width="([\d.]+)"', re.DOTALL)
    places = {name: (float(x), int(y), float(w)) for name, x, y, w in box.findall(drawn)}

    assert root.tag.endswith("svg")
    assert 1_180.0 == places["main"][2] == places["run"][2]
    assert abs(places["search"][2] - 1_180 * 80 / 120) < 0.1
    assert places["search"][1] == places["store"][1] > places["run"][1] > places["main"][1]
    assert abs(places["search"][0] + places["search"][2] - places["store"][0]) < 0.2
