"""What the engine does by itself, while others change what it looks at."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import engine
from tests.engine.scene import SMALL, HandClock, memory


class Contested(dict[int, bytes]):
    """Short-term, into which somebody writes in the middle of each look, if the lock lets him."""

    def __init__(self, content: dict[int, bytes], lock: threading.Lock) -> None:
        super().__init__(content)
        self._lock = lock
        self.looks = 0

    def __iter__(self) -> Iterator[int]:
        for key in super().__iter__():
            yield key
            self.looks += 1
            if not self._lock.locked():
                self[10_000 + self.looks] = b""


def test_demotion_looks_at_short_term_while_nobody_writes(tmp_path: Path) -> None:
    with engine.open(tmp_path, replace(SMALL, short_term_records=50), HandClock()) as store:
        store.store_batch([memory(i) for i in range(100)])
        tiers = store._live.tiers
        tiers._short = contested = Contested(tiers._short, store._live.lock)

        store.maintain()

        assert 64 <= contested.looks
        assert 36 == store.stats()["tier_short_count"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_background_thread_that_is_gone_is_told(tmp_path: Path) -> None:
    class Deadly(HandClock):
        def sleep(self, seconds: float) -> None:
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError("dictionary changed size during iteration")
            super().sleep(seconds)

    with engine.open(tmp_path, replace(SMALL, maintenance=True), Deadly()) as store:
        store._maintenance.upkeep._thread.join()

        assert 0.0 == store.health().components["maintenance"]
        assert 1 == store.stats()["maintenance_failed_count"]
