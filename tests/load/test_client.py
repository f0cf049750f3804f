from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from soak.clock import NS_PER_S, monotonic_ns
from soak.load.block import Block
from soak.load.client import ErrorClasses, Stop, run_client
from soak.load.ring import Ring
from soak.result import (
    Failure,
    Outcome,
    TargetError,
    TargetUnavailable,
    Violation,
    attempt,
    slot_code,
    violation_code,
)

GET = 2


class Scripted:
    """An operation that does what the test says; it keeps what was asked of it."""

    capability = "get"

    def __init__(self, call: Callable[[int], int], check: Callable[[int], int] = lambda _: 0):
        self._call = call
        self._check = check
        self.prepared: list[tuple[int, int]] = []
        self.abandoned: list[int] = []
        self.checked: list[tuple[int, int]] = []

    def prepare(self, argument: int, phase: int) -> int:
        self.prepared.append((argument, phase))
        return argument

    def call(self, request: object) -> object:
        assert isinstance(request, int)
        return self._call(request)

    def check(self, request: object, answer: object, start_ns: int) -> int:
        assert isinstance(request, int)
        assert isinstance(answer, int)
        self.checked.append((request, answer))
        return self._check(request)

    def abandon(self, request: object) -> None:
        assert isinstance(request, int)
        self.abandoned.append(request)


class Run:
    """Ten operations on the keys 0 to 9, due a second ago, for one client; a closed phase (not
    is_open) ends end_s after that."""

    def __init__(self, path: Path, *, is_open: bool = True, end_s: float = 1.0) -> None:
        self.ring = Ring.create(path / "ring.bin", 16)
        self.ring.start(monotonic_ns() - NS_PER_S)
        self.stop = Stop()
        self.errors = ErrorClasses()
        self.ring.write(
            Block(
                phase=4,
                is_open=is_open,
                begin_s=0.0,
                end_s=end_s,
                due_s=np.linspace(0.0, 0.1, 10) if is_open else np.zeros(10),
                operation=np.full(10, GET, dtype=np.uint8),
                argument=np.arange(10),
            )
        )
        self.ring.finish()

    def issue(self, operation: Scripted) -> list[int]:
        """The codes of what came back, in order."""
        slots = self.ring.slots()
        run_client(slots, {GET: operation}, count(), self.stop, self.errors)
        return [int(code) for code in self.ring.drain().code]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_each_operation_is_prepared_issued_and_checked_once(run: Run) -> None:
    operation = Scripted(lambda key: key * 10)

    codes = run.issue(operation)

    assert [0] * 10 == codes
    assert [(key, 4) for key in range(10)] == operation.prepared
    assert [(key, key * 10) for key in range(10)] == operation.checked
    assert [] == operation.abandoned


def test_what_is_late_is_not_called_idle(run: Run) -> None:
    slots = run.ring.slots()

    run.issue(Scripted(lambda key: key))

    assert (np.array(slots.start[:10]) > 0).all()


@pytest.mark.parametrize(("end_s", "prepared_count"), [(0.5, 0), (3_600.0, 10)])
def test_what_is_left_of_a_closed_phase_is_not_even_prepared(
    end_s: float, prepared_count: int, tmp_path: Path
) -> None:
    """Preparing a thousand records for each of two thousand batches lasted into the next phase."""
    run = Run(tmp_path, is_open=False, end_s=end_s)
    operation = Scripted(lambda key: key)

    assert [0] * prepared_count == run.issue(operation)
    assert [(key, 4) for key in range(prepared_count)] == operation.prepared
    assert (10 - prepared_count, []) == (run.ring.void_count, operation.abandoned)


class WriteWhenWaiting(Stop):
    """Never asks to stop; writes the first slot's tag when a client waits for it."""

    def __init__(self, run: Run) -> None:
        self._slots = run.ring.slots()
        self._first = self._slots.tag[0]
        self._slots.tag[0] = -1
        self._questions = 0

    @property
    def asked(self) -> bool:
        self._questions += 1
        if self._questions == 2:  # the first is the load loop's own, the second the waiting one's
            self._slots.tag[0] = self._first
        return False

    @asked.setter
    def asked(self, asked: bool) -> None:
        raise AssertionError("nothing here stops a run")


def test_what_was_written_after_it_was_due_is_late_by_the_testers_fault(run: Run) -> None:
    slots = run.ring.slots()
    due_ns = slots.due[0]
    run.stop = WriteWhenWaiting(run)

    run.issue(Scripted(lambda key: key))

    assert due_ns == slots.due[0]
    assert slots.start[0] < 0 < slots.start[1]
    assert -slots.start[0] > due_ns


def test_a_wrong_answer_keeps_its_code(run: Run) -> None:
    stale = violation_code(Violation.STALE)

    codes = run.issue(Scripted(lambda key: key, lambda key: stale if key == 3 else 0))

    assert [0, 0, 0, stale, 0, 0, 0, 0, 0, 0] == codes


def test_a_raise_is_an_outcome_and_leaves_the_request_abandoned(run: Run) -> None:
    def fail_at_5(key: int) -> int:
        if key == 5:
            raise OSError("broken pipe")
        return key

    operation = Scripted(fail_at_5)
    codes = run.issue(operation)

    assert slot_code(Outcome.ERROR, 1) == codes[5]
    assert [0] * 9 == codes[:5] + codes[6:]
    assert [5] == operation.abandoned
    assert ["broken pipe"] == [found.text for found in run.errors.after(0)]


class Panic(BaseException):
    """As that of Rust code is: no Exception."""


def test_a_panic_of_the_target_is_an_outcome(run: Run) -> None:
    def panic_at_5(key: int) -> int:
        if key == 5:
            raise Panic("a slice index is out of range")
        return key

    operation = Scripted(panic_at_5)
    codes = run.issue(operation)
    found = [(one.type, one.text) for one in run.errors.after(0)]

    assert [slot_code(Outcome.ERROR, 1) if key == 5 else 0 for key in range(10)] == codes
    assert [5] == operation.abandoned
    assert [("Panic", "a slice index is out of range")] == found


def test_a_target_gone_for_good_stops_all_clients(run: Run) -> None:
    def leave(key: int) -> int:
        raise TargetUnavailable("the server left")

    codes = run.issue(Scripted(leave))

    assert [slot_code(Outcome.ERROR, 1)] == codes
    assert (True, "the server left") == (run.stop.asked, run.stop.unavailable)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_the_interpreters_own_exits_are_not_swallowed(run: Run, error: type[BaseException]) -> None:
    def leave(key: int) -> int:
        raise error

    with pytest.raises(error):
        run.issue(Scripted(leave))


def test_a_bug_in_a_check_is_not_an_outcome(run: Run) -> None:
    def buggy(key: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run.issue(Scripted(lambda key: key, buggy))


def test_several_clients_share_the_operations_without_overlap(run: Run) -> None:
    operation, claims = Scripted(lambda key: key), count()

    for _ in range(3):
        run_client(run.ring.slots(), {GET: operation}, claims, run.stop, run.errors)

    assert list(range(10)) == run.ring.drain().index.tolist()


def test_error_classes_are_bounded_and_the_rest_is_other() -> None:
    errors = ErrorClasses()
    kinds = [type(f"Error{n}", (Exception,), {}) for n in range(40)]

    indices = [errors.index_of(kind("first")) for kind in kinds]

    assert [*range(1, 32), *[0] * 9] == indices
    assert 7 == errors.index_of(kinds[6]("again"))
    assert 31 == len(errors.after(0))


def test_an_error_class_is_named_after_what_the_target_wrapped() -> None:
    errors = ErrorClasses()
    wrapped = TargetError("search failed: disk I/O error")
    wrapped.__cause__ = OSError("disk I/O error")

    errors.index_of(wrapped)

    found = errors.after(0)[0]
    assert ("OSError", "search failed: disk I/O error") == (found.type, found.text)


def test_attempt_returns_what_was_raised() -> None:
    error = ValueError("no")

    def fail(request: None) -> int:
        raise error

    failed = attempt(fail, None)
    assert isinstance(failed, Failure)
    assert error is failed.error
    assert 3 == attempt(lambda n: n + 1, 2)


def test_attempt_tells_a_panic_as_an_error_of_the_target() -> None:
    def panic(request: None) -> int:
        raise Panic("a slice index is out of range")

    failed = attempt(panic, None)
    assert isinstance(failed, Failure)
    assert isinstance(failed.error, TargetError)
    assert "Panic: a slice index is out of range" == str(failed.error)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_attempt_lets_the_interpreters_own_exits_pass(error: type[BaseException]) -> None:
    def leave(request: None) -> int:
        raise error

    with pytest.raises(error):
        attempt(leave, None)


def test_error_classes_go_on_where_an_earlier_worker_ended() -> None:
    first = ErrorClasses()
    first.index_of(OSError("full"))
    first.index_of(KeyError("gone"))

    again = ErrorClasses(first.after(0))

    assert 2 == again.index_of(KeyError("also gone"))
    assert 3 == again.index_of(ValueError("new"))
    assert ["ValueError"] == [found.type for found in again.after(again.known_count)]
