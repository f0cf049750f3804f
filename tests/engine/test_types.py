"""Is a value of a wrong type told as one, and is numpy's word as good as Python's?"""

from pathlib import Path

import numpy as np
import pytest

from engine import BadInputError, Options
from tests.engine.scene import memory, open_small


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("dimensions", "a", "a whole number"),
        ("dimensions", 2.5, "a whole number"),
        ("dimensions", True, "a whole number"),
        ("capacity_records", None, "a whole number"),
        ("segment_bytes", 1e6, "a whole number"),
        ("ballast_bytes", 1.5, "a whole number or None"),
        ("ttl_s", "x", "a number or None"),
        ("interval_s", None, "a number"),
        ("maintenance", "x", "True or False"),
        ("durability", ["always"], "always, interval or never"),
        ("durability", "sometimes", "always, interval or never"),
    ],
)
def test_an_option_of_a_wrong_type_is_refused_by_name(
    name: str, value: object, message: str
) -> None:
    with pytest.raises(BadInputError, match=f"{name}.*{message}|{message}.*{name}"):
        Options(**{name: value})


def test_options_may_be_numpys_numbers() -> None:
    options = Options(dimensions=np.int64(16), half_life_s=np.float32(60), ttl_s=5)

    assert (16, 60.0, 5) == (options.dimensions, options.half_life_s, options.ttl_s)


@pytest.mark.parametrize("ids", [None, 5, [1, "two"], "12"])
def test_what_are_no_ids_are_refused(tmp_path: Path, ids: object) -> None:
    with open_small(tmp_path) as store:
        store.store(memory(1))
        with pytest.raises(BadInputError):
            store.delete_batch(ids)

        assert 1 == store.count()


def test_kinds_and_tags_may_be_numpys_texts(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store(memory(1, tags=np.array(["tea", "taste"])))
        store.store(memory(2))
        store.link(1, 2, np.str_("knows"))
    with open_small(tmp_path) as store:
        assert ("tea", "taste") == store.get(1).tags
        assert ["knows"] == [edge.kind for edge in store.neighbours(1)]
        assert store.unlink(1, 2, "knows")
