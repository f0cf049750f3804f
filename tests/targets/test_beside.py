"""Does a record come back from the dictionary that was kept beside its vector?"""

import json
from dataclasses import replace

import numpy as np
import pytest

from soak.seams import Record
from soak.targets._beside import beside, beside_with_text, record_of

GIVEN = Record(
    key=7, agent=3, text="a text", vector=np.array([0.6, 0.8], np.float32), importance=0.25
)


@pytest.mark.parametrize("keep", [beside, beside_with_text])
def test_a_record_comes_back_from_what_is_kept_as_json(keep):
    kept = json.loads(json.dumps(keep(GIVEN)))
    got = record_of(7, kept, kept.get("text", "a text"), [0.6, 0.8])

    assert GIVEN.vector.tolist() == got.vector.tolist()
    assert np.float32 == got.vector.dtype
    assert replace(GIVEN, vector=got.vector) == got


def test_a_system_that_hands_out_no_vectors_leaves_an_empty_one():
    assert (0,) == record_of(7, beside(GIVEN), GIVEN.text).vector.shape
