"""Are templates filled and answers read as a scenario of a service behind HTTP says?"""

import pytest

from soak.result import TargetError
from soak.scenario import ScenarioError, resolve
from soak.targets._mapping import filled, picked

ANSWER = {"ids": [["a", "b"]], "hits": [{"id": 1, "s": 0.5}, {"id": 2, "s": 0.25}]}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$vector", [0.5, 1.0]),
        ("m$key", "m7"),
        ("/c/$kept/$key", "/c/x/7"),
        ({"ids": ["m$key"], "where": {"agent": "$agent"}}, {"ids": ["m7"], "where": {"agent": 3}}),
        ([1, None, True], [1, None, True]),
    ],
    ids=str,
)
def test_a_name_alone_is_its_value_and_within_text_is_text(template, expected):
    values = {"vector": [0.5, 1.0], "key": 7, "agent": 3, "kept": "x"}

    assert expected == filled(template, values)


def test_a_name_there_is_not_is_an_error_that_lists_those_there_are():
    with pytest.raises(TargetError, match=r"\$kex; there are: key"):
        filled("m$kex", {"key": 1})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ids.0", ["a", "b"]),
        ("ids.0.1", "b"),
        ("hits.*.id", [1, 2]),
        ("hits.5.id", None),
        ("nothing.there", None),
        ("", ANSWER),
    ],
    ids=str,
)
def test_a_path_goes_down_by_names_positions_and_through_lists(path, expected):
    assert expected == picked(ANSWER, path)


def test_an_operation_that_is_not_mapped_is_refused_before_the_run():
    tree = {
        "name": "t",
        "target": {"name": "http", "params": {"get": {"path": "/m/$key", "text": "text"}}},
        "phases": [{"name": "a", "duration": "1m", "mix": {"store": 1, "get": 1, "delete": 1}}],
    }
    with pytest.raises(ScenarioError, match="the target http lacks delete"):
        resolve(tree, "test")
