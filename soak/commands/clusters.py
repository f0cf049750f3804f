"""`soak run --cluster`: which run does a command make, on this machine or on many?"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from soak.verdict import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.comparison.gate import Gate
    from soak.scenario import Scenario
    from soak.session import Told

Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="auto|ADDRESS", help="Divide the load among the nodes of this Ray cluster."
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="With --cluster: so many shares; one a node at most.")
]


class Execute(Protocol):
    """What makes a run and gives its exit code. Raises Mistake where it cannot begin."""

    def __call__(
        self,
        scenario: "Scenario",
        *,
        out: Path,
        arguments: "Sequence[str]",
        told: "Told",
        gate: "Gate",
    ) -> int: ...


def executor(cluster: str | None, workers: int | None, *, resumes: bool) -> Execute:
    """That of `soak run` with these options. Raises Mistake where Ray is wanted and missing.

    resumes: going on with the last run where that was cut off.
    """
    if cluster is None:
        if workers is not None:
            raise Mistake("--workers divides the load of a cluster: pass --cluster, too")
        from soak.session import execute, execute_or_resume

        return execute_or_resume if resumes else execute
    if resumes:
        raise Mistake("a run on a cluster cannot go on: leave --resume out, or --cluster")
    try:
        from soak.cluster.running import execute_on
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise Mistake("--cluster needs Ray: pip install 'soak-tester[cluster]'") from error
    return partial(execute_on, cluster, workers)
