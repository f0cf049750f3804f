"""What does a node do for a soak? It runs one share, whole: controller, worker and target.

The controller lives on a thread of this process, the worker in a process of its own that ends with
it. So a node that is lost takes everything of its share along, and leaves nobody behind.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from soak import __version__
from soak.clock import SystemClock
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
    """How a share stands. wall_s: the node's wall clock now; packed: empty before time zero.

    url: where this worker alone is seen, on its node. trouble: why it cannot begin or go on, with
    the exit code of that. is_over: nothing more will come.
    """

    wall_s: float
    version: str
    packed: bytes = b""
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
            wall_s=self._clock.wall_s(),
            version=__version__,
            packed=self._packed,
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
            last = controller.run(self._stop, self._show)
            controller.latest = last
            directory.replace_json(directory.report, document(last))
            self._show(last)

    def _show(self, snapshot: Snapshot) -> None:
        """On the controller's own thread, so that nothing is folded while it is packed.

        Without what only this worker's page and directory have: the head draws its own.
        """
        self._packed = packed(replace(snapshot, trend={}, exemplars={}))
