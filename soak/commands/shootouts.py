"""`soak shootout`: several targets under one load, one after another."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

MIN_TARGETS = 2


def shootout(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET TARGET...", help="Who takes part.")
    ],
    scenario: Annotated[str, typer.Option(help="The load, the same for all.")] = "shootout",
    duration: Annotated[str | None, typer.Option(help="Scale each run to this length.")] = None,
    rate: Annotated[str | None, typer.Option(help="Scale all rates to this nominal one.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another operation stream, for all.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change one field; may be repeated."),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where run directories are made.", envvar="SOAK_OUT")
    ] = Path("runs"),
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the table here, for a page.")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Write the picture here.")] = None,
) -> None:
    """Soak targets one after another on one seeded stream; one table and one picture.

    \b
    soak shootout engine sqlite_vec chroma --duration 1m
    soak shootout engine redis --scenario pressure --markdown shootout.md --png shootout.png

    All are looked at before the first is run. Exit codes: 0 all were run, whatever their verdicts;
    2 usage; 14 one is not installed, or could not be run.
    """
    from soak import api
    from soak.comparison.shootout import Entry, markdown, picture, table
    from soak.report import ranges
    from soak.report.files import write_file
    from soak.verdict import ExitCode, Mistake

    if len(targets) < MIN_TARGETS:
        raise Mistake("a shootout needs two targets or more; `soak list targets` names them")
    changes = overrides or ()
    _require_ready(targets, scenario, changes, duration, rate, seed)
    asked = partial(api.run, scenario, duration=duration, rate=rate, seed=seed, changes=changes)
    entries: list[Entry] = []
    for place, name in enumerate(targets, start=1):
        try:
            entries.append(Entry(target=name, record=asked(target=name, out=out)))
        except Mistake as mistake:
            entries.append(Entry(target=name, trouble=str(mistake).removeprefix("soak: ")))
        said = entries[-1].record.directory if entries[-1].record else entries[-1].trouble
        print(f"{place}/{len(targets)} {name}: {said}", file=sys.stderr)
    if markdown_file is not None:
        beside = None if png is None else os.path.relpath(png, markdown_file.parent)
        write_file(markdown_file, markdown(entries, beside).encode())
    if png is not None:
        write_file(png, ranges.png(picture(entries)))
    print(table(entries))
    missing = any(entry.record is None for entry in entries)
    raise typer.Exit(ExitCode.TARGET if missing else ExitCode.PASS)


def _require_ready(
    targets: Sequence[str],
    scenario: str,
    changes: Sequence[str],
    duration: str | None,
    rate: str | None,
    seed: int | None,
) -> None:
    """Raises Mistake where one cannot be asked for this load, or is not installed."""
    from soak.scenario import load
    from soak.targets._packages import interpreter

    words = None if seed is None else str(seed)
    for name in targets:
        asked = load(scenario, changes, target=name, duration=duration, rate=rate, seed=words)
        interpreter(asked.target)
