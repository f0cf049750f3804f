"""Which ids of deleted keys are still known, to ask the system whether they are gone?"""

import pytest

from soak.result import RecordMissing
from soak.targets._names import FORGOTTEN_KEPT, Names


def test_ids_of_forgotten_keys_are_kept_up_to_a_number():
    names = Names()
    for key in range(FORGOTTEN_KEPT + 3):
        names.live[key] = f"id {key}"
        names.forget(key)

    assert {} == names.live
    assert FORGOTTEN_KEPT == len(names.forgotten)
    assert 3 == min(names.forgotten)


def test_a_deleted_key_can_be_asked_for_and_not_be_changed():
    names = Names()
    names.live[7] = "id 7"
    names.forget(7)

    assert ("id 7", None) == (names.known(7), names.known(8))
    with pytest.raises(RecordMissing, match="no memory 7"):
        names.of_live(7)
