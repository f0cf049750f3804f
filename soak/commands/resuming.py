"""`soak resume`: a run that was stopped or killed goes on."""

import sys

import typer

from soak.commands.options import (
    STORE,
    AsJson,
    Baseline,
    Listen,
    Plain,
    Published,
    RunPath,
    Store,
    Thresholds,
    asked_gate,
    asked_told,
)


def resume(
    run_path: RunPath,
    listen: Listen = None,
    publish: Published = None,
    baseline: Baseline = None,
    thresholds: Thresholds = None,
    store: Store = STORE,
    plain: Plain = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that was stopped by a signal, killed or cut off, under the same name.

    \b
    soak resume runs/20260301T120000Z-steady-1f3a
    soak resume RUN --plain --json > report.json

    Its time stood still meanwhile. What it was begun with as --baseline and --threshold holds,
    unless others are given. Exit codes as of `soak run`; 2 where it cannot go on.
    """
    from soak.session import resume as go_on

    raise typer.Exit(
        go_on(
            run_path,
            listen=listen,
            arguments=sys.argv,
            told=asked_told(publish, plain=plain, as_json=as_json),
            gate=asked_gate(baseline, thresholds, store),
        )
    )
