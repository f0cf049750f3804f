"""Has a text its vector for as long as somebody needs it, and no longer?"""

import numpy as np
import pytest

from soak.seams import Query, Record
from soak.targets._embedder import HandedOver

VECTOR = np.array([1.0, 0.5], dtype=np.float32)
RECORD = Record(key=1, agent=1, text="a text", vector=VECTOR, importance=0.5)


def test_a_text_is_known_while_its_call_is_under_way():
    vectors = HandedOver()
    with vectors.knows([RECORD]):
        seen = vectors.embed("a text")

    assert [1.0, 0.5] == seen
    with pytest.raises(KeyError):
        vectors.embed("a text")


def test_the_end_of_one_call_leaves_the_text_to_another():
    vectors = HandedOver()
    with vectors.knows([RECORD]):
        with vectors.knows([RECORD]):
            pass
        seen = vectors.embed("a text")

    assert [1.0, 0.5] == seen


def test_each_query_has_a_text_of_its_own():
    vectors = HandedOver()
    query = Query(vector=VECTOR, k=1)
    with vectors.asks(query) as first, vectors.asks(query) as second:
        seen = vectors([first, second])

    assert first != second
    assert [[1.0, 0.5]] * 2 == seen
