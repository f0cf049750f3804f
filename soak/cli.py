"""What can a person type? The commands of soak, and the one place that turns errors into words."""

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from soak.clock import require_scale
from soak.commands import (
    benchmarking,
    certifying,
    clusters,
    comparing,
    daemons,
    lists,
    profiling,
    resuming,
    shootouts,
)
from soak.commands.options import (
    STORE,
    AsJson,
    Baseline,
    Listen,
    Plain,
    Published,
    Resumes,
    RunPath,
    Store,
    Thresholds,
    asked_gate,
    asked_told,
)
from soak.streams import open_closed, say
from soak.verdict import ExitCode, Mistake

app = typer.Typer(
    name="soak",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Soak an agent-memory engine for hours and find out how it dies in week three.

    \b
    soak run                                    six hours on the embedded engine
    soak run configs/smoke.yaml                 half a minute, every operation
    soak run steady --target null --rate 5000   what the tester itself costs
    soak show runs/20260301T120000Z-steady-1f3a a finished, running or crashed run
    soak resume runs/20260301T120000Z-steady-1f3a go on with one that was stopped or killed
    """,
)
app.command("list")(lists.list_)
app.command()(resuming.resume)
app.command()(comparing.compare)
app.command()(benchmarking.bench)
app.command()(shootouts.shootout)
app.command()(profiling.profile)
app.command()(daemons.daemon)
app.command()(certifying.certify)
app.add_typer(comparing.baseline_app, name="baseline")

ScenarioName = Annotated[
    str, typer.Argument(help="A YAML file, or the name of a shipped scenario.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change one field; may be repeated."),
]

Target = Annotated[str | None, typer.Option(help="Soak this target instead.", envvar="SOAK_TARGET")]
Duration = Annotated[
    str | None,
    typer.Option(help="Scale all phases to this length: 90s, 6h.", envvar="SOAK_DURATION"),
]
Rate = Annotated[
    str | None,
    typer.Option(help="Scale all rates to this nominal one: 200, 12/min.", envvar="SOAK_RATE"),
]
Seed = Annotated[int | None, typer.Option(help="Another operation stream.", envvar="SOAK_SEED")]
Out = Annotated[Path, typer.Option(help="Where the run directory is made.", envvar="SOAK_OUT")]


@app.command()
def run(
    context: typer.Context,
    scenario: ScenarioName = "steady",
    target: Target = None,
    duration: Duration = None,
    rate: Rate = None,
    seed: Seed = None,
    out: Out = Path("runs"),
    listen: Listen = None,
    overrides: Overrides = None,
    publish: Published = None,
    baseline: Baseline = None,
    thresholds: Thresholds = None,
    store: Store = STORE,
    cluster: clusters.Cluster = None,
    workers: clusters.Workers = None,
    resumes: Resumes = False,
    plain: Plain = False,
    as_json: AsJson = False,
) -> None:
    """Soak a target and judge it.

    \b
    soak run --duration 6h
    soak run configs/growth.yaml --set target.params.capacity_records=5000
    soak run smoke --plain --json > report.json
    soak run smoke --baseline main
    soak run steady --rate 2000 --cluster auto --workers 4
    soak run steady --resume              the same again after a crash, till it is through

    Exit codes: 0 pass, 2 usage, 10 objective, 11 correctness, 12 leak, 13 unknown, 14 target,
    130 and 143 stopped by a signal; `soak resume` goes on.

    SOAK_LOG=info logs more on stderr than the usual warning; there are debug, info, warning, error.
    """
    from soak.scenario import load

    execute = clusters.executor(cluster, workers, resumes=resumes)
    chosen = load(
        scenario,
        overrides or [],
        target=target,
        duration=duration,
        rate=rate,
        seed=None if seed is None else str(seed),
        listen=listen,
        variables=_from_environment(context),
    )
    raise typer.Exit(
        execute(
            chosen,
            out=out,
            arguments=sys.argv,
            told=asked_told(publish, plain=plain, as_json=as_json),
            gate=asked_gate(baseline, thresholds, store),
        )
    )


def _from_environment(context: typer.Context) -> set[str]:
    """Which options of the command were given as SOAK_<NAME>."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source and source.name == "ENVIRONMENT"}


@app.command()
def check(scenario: ScenarioName, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Validate a scenario and print it resolved, as it would run.

    \b
    soak check configs/steady.yaml
    soak check steady --set rate=500
    """
    from soak.scenario import dump, load

    resolved = load(scenario, overrides or [])
    if as_json:
        print(resolved.model_dump_json(indent=1))
    else:
        print(dump(resolved), end="")


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenarios, for editors.

    \b
    soak schema > configs/scenario.schema.json
    """
    from soak.scenario import json_schema

    print(json.dumps(json_schema(), indent=2))


@app.command()
def show(
    run_path: RunPath,
    operation: Annotated[
        int | None,
        typer.Option(metavar="ID", help="Everything known of this operation alone."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A finished, running or crashed run, in a screenful; or one operation of it.

    \b
    soak show runs/20260301T120000Z-steady-1f3a
    soak show RUN --json | jq .verdict
    soak show RUN --operation 48213             the id is in an exemplar, or in operations.csv
    """
    from soak.report.markdown import markdown
    from soak.report.operation import operation_document
    from soak.report.operation_text import operation_text
    from soak.report.record import load_run

    record = load_run(run_path)
    for note in record.notes:
        print(note, file=sys.stderr)
    known = record.document if operation is None else operation_document(record, operation)
    if as_json:
        print(json.dumps(known, indent=1))
    elif operation is None:
        print(markdown(known))
    else:
        print(operation_text(known))


@app.command()
def report(
    run_path: RunPath,
    html: Annotated[Path | None, typer.Option(help="Write the HTML report here.")] = None,
    markdown_file: Annotated[
        Path | None,
        typer.Option("--markdown", help="Write Markdown for a pull request."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML for CI.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write figures into this directory.")] = None,
) -> None:
    """Make the reports of a run again, from its directory.

    \b
    soak report RUN --html report.html
    soak report RUN --markdown summary.md --junit junit.xml
    """
    from soak.report.files import write_reports

    for path in write_reports(
        run_path, html=html, markdown=markdown_file, junit=junit, figures=png
    ):
        print(path)


@app.command()
def rules(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCENARIO...", help="Scenarios whose checks become alerts."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the rule files go.")] = Path(),
    runbook: Annotated[str, typer.Option(help="Address of RUNBOOK.md.")] = "RUNBOOK.md",
) -> None:
    """Write rules and alerts for Prometheus, made of the checks of scenarios.

    \b
    soak rules steady --out deploy/prometheus
    soak rules my-soak.yaml
    """
    from soak.alerts.files import write_rules
    from soak.scenario import load

    for path in write_rules([load(name) for name in scenarios or ["steady"]], out, runbook):
        print(path)


@app.command()
def dashboards(
    out: Annotated[Path, typer.Option(help="Where the boards go.")] = Path(),
) -> None:
    """Write the dashboards for Grafana.

    \b
    soak dashboards --out deploy/grafana/dashboards
    """
    from dashboards.files import write_boards

    for path in write_boards(out):
        print(path)


@app.command()
def scorecard(
    quick: Annotated[bool, typer.Option("--quick", help="About a minute of simulations.")] = False,
    seed: Annotated[int, typer.Option(help="Other runs; tests use seeds below 10,000.")] = 20_000,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write JSON, or a page (.md), here, too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how often the detectors are wrong, on runs of which the truth is known.

    \b
    soak scorecard --quick
    soak scorecard --seed 7 --out scorecard.json
    soak scorecard --out docs/scorecard.md

    Exit codes: 0 all goals met, 10 a goal missed, 13 too few runs to tell.
    """
    from soak.scorecard.writing import write

    raise typer.Exit(write(is_quick=quick, seed=seed, out=out, as_json=as_json))


def main() -> None:
    """The console script. A user's mistake is one message and exit code 2, never a traceback."""
    if not sys.platform.startswith("linux"):
        fail("soak needs Linux: it reads the target's memory from /proc", ExitCode.USAGE)
    if os.getpid() == 1:
        # Of a container: the kernel keeps from it what it has no handler for, and nothing is begun.
        signal.signal(signal.SIGTERM, _leave)
    open_closed()
    try:
        require_scale()
        app()
    except Mistake as mistake:
        fail(str(mistake), mistake.exit_code)
    except BrokenPipeError:
        # The reader of stdout (head, less) went away; that is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    os._exit(128 + number)


def fail(message: str, code: int) -> None:
    say(sys.stderr, f"soak: {message}\n")
    raise SystemExit(int(code))
