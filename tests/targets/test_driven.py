"""Does what all driven targets share hold? A store that is scripted."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from soak.clock import SystemClock
from soak.result import TargetError, TargetUnavailable
from soak.targets import _driven as driven
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


class Walk:
    """What measures a directory; something else happens during the second time."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        self._number = count(1)

    def __call__(self, directory: Path) -> int:
        if next(self._number) == 2:
            self._meanwhile()
        return 0


def test_maintenance_that_overlaps_is_told_in_the_order_of_its_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    target = Driven(
        lambda: SimpleNamespace(maintain=lambda: None),
        capabilities=frozenset({"maintain"}),
        directories=[tmp_path],
        clock=SystemClock(),
        errors=(),
    )
    heard: list[int] = []

    def hear() -> None:
        told = target.events(max(heard, default=0))
        heard.extend(event.sequence for event in told)

    def meanwhile() -> None:
        target.maintain()
        hear()

    monkeypatch.setattr(driven, "_size_bytes", Walk(meanwhile))
    target.maintain()
    hear()

    assert [1, 2] == heard
