"""When does a window end, and a phase begin? Where its length is over, and where phases change."""

from soak.clock import NS_PER_S, Clock
from soak.load.ring import Ring
from soak.load.workload import Workload
from soak.scenario import Scenario
from soak.watch.checkpoint import Standing
from soak.watch.conditions import in_flight_s
from soak.watch.events import EventLog
from soak.watch.observer import Observer
from soak.watch.status import warm_until_s


class Pages:
    """Turned by the controller's loop. standing: of the run, as it begins or goes on."""

    def __init__(
        self,
        scenario: Scenario,
        workload: Workload,
        ring: Ring,
        observer: Observer,
        events: EventLog,
        standing: Standing,
        clock: Clock,
    ) -> None:
        self._scenario = scenario
        self._workload = workload
        self._ring = ring
        self._observer = observer
        self._events = events
        self._standing = standing
        self._clock = clock
        self._warm_until_s = warm_until_s(scenario)
        self._window_end_s = standing.at_s + scenario.observe.window

    def begin(self) -> None:
        """The first phase does; time zero is fixed."""
        self._enter_phase(0, 0.0)

    def turn(self, elapsed_s: float) -> None:
        """Close the window where one ends, and enter the phase that begins."""
        index = min(self._workload.phase_at(max(0.0, elapsed_s)), len(self._scenario.phases) - 1)
        if index > self._standing.phase_index:
            begins_s = sum(phase.duration for phase in self._scenario.phases[:index])
            self.close(begins_s)
            self._enter_phase(index, begins_s)
        elif elapsed_s >= self._window_end_s:
            self.close(elapsed_s)

    def close(self, end_s: float) -> None:
        """The open window ends then, whatever is missing to its length."""
        phase = self._scenario.phases[self._standing.phase_index]
        now_ns = self._clock.monotonic_ns()
        self._observer.close_window(
            end_s,
            phase.name,
            self._ring.due_count(now_ns),
            in_flight_s(self._ring, now_ns),
            is_measured=end_s > self._warm_until_s,
        )
        self._window_end_s = end_s + self._scenario.observe.window

    def _enter_phase(self, index: int, begins_s: float) -> None:
        self._standing.phase_index = index
        at_ns = self._standing.t0_ns + round(begins_s * NS_PER_S)
        name = self._scenario.phases[index].name
        self._events.add("phase", "injected", at_ns, 0, {"phase": name})
