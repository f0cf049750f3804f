"""Which machines are there, and how is a share begun on one? Ray's cluster, where soak is a guest.

Ray starts the processes, carries the calls and notices a node that is gone. It decides nothing:
the head says on which node a share goes, and an actor that died is not restarted behind its back.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from soak.cluster.agent import Agent, Look
from soak.cluster.member import Lost, Remote, Unheard
from soak.verdict import Mistake

AUTO = "auto"
ANSWER_S = 5.0


@contextmanager
def connected(address: str) -> Iterator["RayNodes"]:
    """The cluster at that address, `auto` for that of this machine. Raises Mistake."""
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError, RayError) as error:
        first = str(error).splitlines()[0]
        raise Mistake(
            f"--cluster {address}: no Ray cluster is there: {first}; "
            "`ray start --head` begins one, `ray start --address HOST:6379` adds a node"
        ) from error
    # What a raylet says Ray would print on stdout, which is for the result; a flag of its own
    # is all that keeps it from that, log_to_driver does not.
    ray._private.worker._worker_logs_enabled = False
    try:
        yield RayNodes()
    finally:
        ray.shutdown()


class RayNodes:
    """The nodes of the cluster that offer a CPU; the one without is its head's, by custom."""

    def names(self) -> Sequence[str]:
        """Ids of nodes that live, in an order that stays while none comes or goes."""
        there = [node for node in ray.nodes() if node["Alive"]]
        return sorted(node["NodeID"] for node in there if node["Resources"].get("CPU", 0) >= 1)

    def begin(self, node: str, share: str, path: Path, arguments: Sequence[str]) -> Remote:
        """An actor there; what goes wrong shows when it is first looked at."""
        where = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        kind = ray.remote(num_cpus=0, max_restarts=0, scheduling_strategy=where)(Agent)
        actor = kind.remote()
        actor.begin.remote(share, str(path), list(arguments))
        return RayRemote(actor)


class RayRemote:
    """An agent behind Ray."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def look(self) -> Look:
        try:
            seen = ray.get(self._actor.look.remote(), timeout=ANSWER_S)
        except (GetTimeoutError, ActorUnavailableError) as error:
            raise Unheard(_first_line(error)) from error
        except RayError as error:
            raise Lost(_first_line(error)) from error
        assert isinstance(seen, Look)
        return seen

    def stop(self, signal_number: int) -> None:
        self._actor.stop.remote(signal_number)

    def end(self) -> None:
        ray.kill(self._actor, no_restart=True)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
