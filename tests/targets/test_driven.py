"""Does what all driven targets share hold? A store that is scripted."""

import pytest

from soak.clock import SystemClock
from soak.result import TargetError, TargetUnavailable
from soak.targets._driven import Driven, Store


def target_whose_store_raises(error: Exception) -> Driven:
    def opened() -> Store:
        raise error

    return Driven(
        opened,
        capabilities=frozenset({"store"}),
        directories=[],
        clock=SystemClock(),
        errors=(OSError, TargetError),
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionError("refused"), "ConnectionError: refused"),
        (TargetUnavailable("make target-x"), "make target-x"),
    ],
)
def test_what_cannot_be_opened_is_unavailable_in_its_own_words(error: Exception, said: str):
    with pytest.raises(TargetUnavailable) as raised:
        target_whose_store_raises(error)

    assert said == str(raised.value)


def test_what_the_system_does_not_raise_is_a_bug_and_passes_through():
    with pytest.raises(ZeroDivisionError):
        target_whose_store_raises(ZeroDivisionError())
