"""What does `soak run --cluster` do? A head instead of a controller; all else is as ever."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from soak.clock import NS_PER_S, Clock
from soak.cluster.head import Head
from soak.cluster.member import Nodes
from soak.cluster.nodes import connected
from soak.comparison.gate import Gate, require_comparable
from soak.rundir import RunDirectory
from soak.scenario import Scenario
from soak.session import Told, carry_out, fresh_clock

JOIN_S = 60
POLL_S = 0.5


def execute_on(
    address: str,
    worker_count: int | None,
    scenario: Scenario,
    *,
    out: Path,
    arguments: Sequence[str],
    told: Told,
    gate: Gate,
) -> int:
    """Run it on the cluster and return the exit code. Raises Mistake where it cannot begin.

    worker_count: None for one on each node.
    """
    require_comparable(scenario, gate)
    clock = fresh_clock()
    directory = RunDirectory.named(out, scenario.name, clock.wall_s())
    with connected(address) as nodes:
        count = worker_count or max(1, len(nodes.names()))
        _await_nodes(nodes, count, clock)
        head = Head(scenario, directory, clock, arguments, nodes, count)
        return carry_out(head, directory, clock, replace(told, listen=scenario.listen), gate)


def _await_nodes(nodes: Nodes, count: int, clock: Clock) -> None:
    """Give nodes that were started with us time to join; how many there are, the head says."""
    deadline_ns = clock.monotonic_ns() + JOIN_S * NS_PER_S
    while len(nodes.names()) < count and clock.monotonic_ns() < deadline_ns:
        clock.sleep_s(POLL_S)
