"""`soak certify`: does a target keep what it promises, when asked, under load, and when killed?"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from soak.commands.options import AsJson


def certify(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Of `soak list targets`.")],
    kills: Annotated[int, typer.Option(min=0, help="Of the second soak, by SIGKILL.")] = 3,
    duration: Annotated[str | None, typer.Option(help="How long each of two soaks is.")] = None,
    rate: Annotated[str | None, typer.Option(help="Operations per second of both.")] = None,
    seed: Annotated[int | None, typer.Option(help="Other keys and contents.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change one field; may be repeated."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where it works; left behind.")] = Path("certified"),
    as_json: AsJson = False,
) -> None:
    """Ask a target for everything it promises, soak it, and soak it again while it is killed.

    \b
    soak certify engine
    soak certify engine --set target.params.durability=always --kills 5
    soak certify mypackage.mytarget --json

    Claims that its capabilities do not make are skipped, and said. Exit codes: 0 all it claims
    holds, 2 usage, 11 something does not, 13 something could not be decided, 14 it cannot start.
    """
    from soak.clock import SystemClock
    from soak.conformance.certifying import certified, exit_code
    from soak.conformance.plan import everything_it_can

    scenario = everything_it_can(
        target,
        overrides or (),
        duration=duration,
        rate=rate,
        seed=None if seed is None else str(seed),
    )
    answers = []
    for answer in certified(scenario, out, SystemClock(), kills):
        answers.append(answer)
        if not as_json:
            reason = f": {answer.reason}" if answer.reason else ""
            print(f"{answer.status:8}{answer.name}{reason}", flush=True)
    code = exit_code(answers)
    if as_json:
        rows = [{"name": a.name, "status": a.status, "reason": a.reason} for a in answers]
        json.dump({"target": target, "exit_code": int(code), "claims": rows}, sys.stdout, indent=1)
        print()
    raise typer.Exit(code)
