"""`soak compare` and `soak baseline`: is this run worse than that one?"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.commands.options import STORE, AsJson, RunPath, Store, Thresholds, print_entries

if TYPE_CHECKING:
    from soak.comparison.judgement import Comparison

Interleaved = Annotated[
    bool, typer.Option("--interleaved", help="Both are scenarios: run them by turns, in pairs.")
]
Pairs = Annotated[int, typer.Option(min=2, max=1000, help="Of --interleaved: pairs.")]
RunDuration = Annotated[
    str | None, typer.Option(help="Of --interleaved: scale each run to this length.")
]
Turn = Annotated[
    str | None,
    typer.Option(help="Of --interleaved: both at once, the load changing over every so long."),
]
FirstSeed = Annotated[int | None, typer.Option(help="Of --interleaved: the first pair's.")]

baseline_app = typer.Typer(
    no_args_is_help=True,
    help="""Runs that later ones are compared with.

    \b
    soak baseline set RUN1 RUN2 RUN3 --name main
    soak baseline list
    soak run smoke --baseline main
    """,
)


def compare(
    run_path: RunPath,
    baseline: Annotated[str, typer.Argument(help="A run directory, or a kept baseline's name.")],
    thresholds: Thresholds = None,
    interleaved: Interleaved = False,
    pairs: Pairs = 5,
    duration: RunDuration = None,
    seed: FirstSeed = None,
    turn: Turn = None,
    out: Annotated[
        Path, typer.Option(help="Of --interleaved: where runs are made.", envvar="SOAK_OUT")
    ] = Path("runs"),
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Although the loads or the machines differ.")
    ] = False,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write Markdown for a pull request.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML for CI.")] = None,
    store: Store = STORE,
    as_json: AsJson = False,
) -> None:
    """A run against a baseline, metric by metric, decided with intervals.

    \b
    soak compare runs/20260302T120000Z-steady-1f3a runs/20260301T120000Z-steady-77b0
    soak compare RUN main --threshold latency_p99=25% --markdown comparison.md --junit c.xml
    soak compare new.yaml old.yaml --interleaved --pairs 5 --duration 1m
    soak compare new.yaml old.yaml --interleaved --turn 5s --duration 5m

    Exit codes: 0 no regression, 10 regression, 11 more wrong answers, 13 cannot be told.
    """
    from soak.api import interleave
    from soak.comparison.baselines import Baselines
    from soak.comparison.judgement import compare as against
    from soak.report.record import load_run

    if interleaved:
        found = interleave(
            run_path,
            baseline,
            pairs=pairs,
            duration=duration,
            seed=seed,
            thresholds=thresholds or (),
            turn=turn,
            out=out,
            said=lambda text: print(text, file=sys.stderr),
        )
    else:
        found = against(
            load_run(run_path),
            Baselines(store).read(baseline),
            thresholds=thresholds or (),
            anyway=anyway,
        )
    _tell(found, markdown_file, junit, as_json=as_json)
    raise typer.Exit(found.verdict.exit_code)


def _tell(
    found: "Comparison", markdown_file: Path | None, junit: Path | None, *, as_json: bool
) -> None:
    """On stdout first, so that a file that cannot be written costs nothing but itself."""
    from soak.comparison import papers
    from soak.report.files import write_file
    from soak.report.junit import comparison_junit

    print(json.dumps(papers.document(found), indent=1) if as_json else papers.table(found))
    if markdown_file is not None:
        write_file(markdown_file, papers.markdown(found).encode())
    if junit is not None:
        write_file(junit, comparison_junit(papers.document(found)).encode())


@baseline_app.command("set")
def baseline_set(
    run_paths: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories.")],
    name: Annotated[str | None, typer.Option(help="<scenario>-<target> if not given.")] = None,
    store: Store = STORE,
) -> None:
    """Keep runs as a baseline; several of the same thing tell how far runs lie apart.

    \b
    soak baseline set runs/20260301T120000Z-steady-1f3a
    soak baseline set RUN1 RUN2 RUN3 --name main
    """
    from soak.comparison.baselines import Baselines

    print(Baselines(store).keep(run_paths, name))


@baseline_app.command("list")
def baseline_list(store: Store = STORE, as_json: AsJson = False) -> None:
    """The baselines there are, one line each.

    \b
    soak baseline list
    soak baseline list --json
    """
    from soak.comparison.baselines import Baselines

    print_entries(Baselines(store).entries(), as_json=as_json)


@baseline_app.command("show")
def baseline_show(name: str, store: Store = STORE, as_json: AsJson = False) -> None:
    """The figures of a baseline that runs are compared with.

    \b
    soak baseline show main
    soak baseline show runs/20260301T120000Z-steady-1f3a --json
    """
    from soak.comparison import papers
    from soak.comparison.baselines import Baselines

    records = Baselines(store).read(name)
    if as_json:
        print(json.dumps(papers.figures_document(records), indent=1))
    else:
        print(papers.figures_table(records))
