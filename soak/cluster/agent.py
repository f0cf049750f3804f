"""What does a node do for a soak? It runs one share, whole: controller, worker and target.

The controller lives on a thread of this process, the worker in a process of its own that ends with
it. So a node that is lost takes everything of its share along, and leaves nobody behind.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from soak import __version__
from soak.clock import NS_PER_S, SystemClock
from soak.cluster.messages import packed
from soak.cluster.shares import heard
from soak.controller import Controller
from soak.logs import configure
from soak.outlets import NOWHERE, publishing
from soak.report.document import document
from soak.rundir import RunDirectory
from soak.snapshot import Snapshot
from soak.targets._packages import interpreter
from soak.verdict import Mistake
from soak.watch.stopping import StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a share stands. now_s: the node's monotonic clock; began_s: time zero on it.

    packed: empty before time zero.

    url: where this worker alone is seen, on its node. trouble: why it cannot begin or go on, with
    the exit code of that. is_over: nothing more will come.
    """

    now_s: float
    version: str
    packed: bytes = b""
    began_s: float = 0.0
    url: str = ""
    is_over: bool = False
    trouble: str = ""
    exit_code: int = 0


class Agent:
    """One share on this node, from `begin` to its end; `look` is for the head, once a second."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._stop = StopRequest()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="share")
        self._running: Future[None] | None = None
        self._packed = b""
        self._began_s = 0.0
        self._url = ""

    def begin(self, share: str, path: str, arguments: Sequence[str]) -> None:
        """Run the share in that directory, made for it. Returns at once."""
        self._running = self._threads.submit(self._run, share, Path(path), arguments)

    def look(self) -> Look:
        """Its newest snapshot, the last one when it is over."""
        running = self._running
        is_over = running is not None and running.done()
        error = running.exception() if running is not None and is_over else None
        words = str(error) if isinstance(error, Mistake) else repr(error)
        return Look(
            now_s=self._clock.monotonic_ns() / NS_PER_S,
            version=__version__,
            packed=self._packed,
            began_s=self._began_s,
            url=self._url,
            is_over=is_over,
            trouble=words if error else "",
            exit_code=int(error.exit_code) if isinstance(error, Mistake) else 0,
        )

    def stop(self, signal_number: int) -> None:
        """Ask it to end, as that signal would."""
        self._stop.signal_number = self._stop.signal_number or signal_number

    def _run(self, share: str, path: Path, arguments: Sequence[str]) -> None:
        configure(self._clock, as_json=True, level="warning")
        scenario = heard(share)
        interpreter(scenario.target)
        directory = RunDirectory(path)
        controller = Controller(scenario, directory, self._clock, arguments, {})

        def newest() -> Snapshot:
            return controller.latest

        with publishing(
            NOWHERE, scenario.listen, newest, controller.beat_age_s, directory, self._clock
        ) as self._url:
            last = controller.run(self._stop, lambda newest: self._show(newest, controller.t0_ns))
            controller.latest = last
            directory.replace_json(directory.report, document(last))
            self._show(last, controller.t0_ns)

    def _show(self, snapshot: Snapshot, t0_ns: int) -> None:
        """On the controller's own thread, so that nothing is folded while it is packed.

        Without what only this worker's page and directory have: the head draws its own.
        """
        self._began_s = t0_ns / NS_PER_S
        self._packed = packed(replace(snapshot, trend={}, exemplars={}))
