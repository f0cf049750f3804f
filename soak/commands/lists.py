"""`soak list`: what is there to choose from, and which runs are there?"""

from pathlib import Path
from typing import Annotated

import typer

from soak.commands.options import AsJson, print_entries


def list_(
    what: Annotated[
        str,
        typer.Argument(
            help="targets, operations, arrivals, content, samplers, detectors, scenarios, "
            "benchmarks, runs"
        ),
    ],
    scenario: Annotated[str, typer.Option(help="Only runs of this scenario.")] = "",
    target: Annotated[str, typer.Option(help="Only runs of this target.")] = "",
    status: Annotated[str, typer.Option(help="Only runs that pass, fail or are unknown.")] = "",
    since: Annotated[str, typer.Option(help="Only runs since: 7d, 12h, 2026-03-01.")] = "",
    last: Annotated[int, typer.Option(min=0, help="Only the newest so many runs.")] = 0,
    out: Annotated[Path, typer.Option(help="Where runs are.", envvar="SOAK_OUT")] = Path("runs"),
    configs: Annotated[
        Path | None, typer.Option(help="Only benchmarks: those of this folder of your own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What there is, one line each.

    \b
    soak list targets
    soak list benchmarks --configs mine
    soak list runs --status fail --since 7d
    soak list runs --scenario steady --last 1 --json
    """
    from soak.clock import SystemClock
    from soak.listing import entries, start_of
    from soak.report.catalogue import Wanted

    wanted = Wanted(
        scenario=scenario,
        target=target,
        status=status,
        since=start_of(since, SystemClock().wall_s()),
        last=last,
    )
    print_entries(entries(what, out, wanted, configs), as_json=as_json)
