"""`soak bench`: the finite benchmarks by category."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.commands.options import AsJson

if TYPE_CHECKING:
    from soak.bench.running import Bench
    from soak.bench.suite import Benchmark
    from soak.report.document import Section

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change one field; may be repeated."),
]
Kept = Annotated[
    list[Path] | None,
    typer.Option("--from", metavar="PATH", help="Run nothing: tell what is asked of these."),
]


def bench(
    asked: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CATEGORY[/NAME]]...", help="All where none is given."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds each, for CI.")] = False,
    target: Annotated[str | None, typer.Option(help="Measure this target instead.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another operation stream.")] = None,
    overrides: Overrides = None,
    configs: Annotated[
        Path | None, typer.Option(help="A folder of your own: category/name.yaml or .py.")
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, max=64, help="So many at a time; said when they disturb.")
    ] = 1,
    out: Annotated[
        Path, typer.Option(help="Where run directories are made.", envvar="SOAK_OUT")
    ] = Path("runs"),
    kept: Kept = None,
    html: Annotated[Path | None, typer.Option(help="Write one page with figures.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write Markdown for a pull request.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML for CI.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write figures into this directory.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a target: storage, retrieval, latency, throughput, ... (soak list benchmarks).

    \b
    soak bench --quick --html bench.html --junit bench.xml
    soak bench retrieval throughput/clients-4
    soak bench latency --target chroma --json > latency.json
    soak bench --from runs --from older-results.json --png figures
    soak bench retrieval --from runs --target chroma

    The exit code is that of the worst benchmark; with --from, as it was when it was measured.
    """
    from soak.bench import table
    from soak.bench.files import write_suite
    from soak.bench.running import Bench
    from soak.clock import SystemClock

    changes = tuple(overrides or ())
    plan = Bench(out=out, quick=quick, clock=SystemClock(), folder=configs)
    plan = replace(plan, target=target, seed=seed, overrides=changes)
    if kept:
        documents = _told_again(plan, kept, asked or [], parallel)
    else:
        documents = _measured(plan, asked or [], parallel)
    files = write_suite(documents, html=html, markdown=markdown_file, junit=junit, figures=png)
    print(*files, sep="\n", file=sys.stderr, end="\n" if files else "")
    print(json.dumps(documents, indent=1) if as_json else table.table(documents))
    raise typer.Exit(table.exit_code(documents))


def _told_again(
    plan: "Bench", paths: Sequence[Path], asked: Sequence[str], parallel: int
) -> Sequence["Section"]:
    """The results there are, of what was asked for. Raises Mistake."""
    from soak.bench.kept import read, wanted
    from soak.verdict import Mistake

    given = {
        "--set": bool(plan.overrides),
        "--configs": plan.folder is not None,
        "--parallel": parallel > 1,
    }
    if unfit := [name for name, is_given in given.items() if is_given]:
        raise Mistake(f"--from runs nothing, so leave out {', '.join(unfit)}")
    documents = read(paths, lambda text: print(text, file=sys.stderr))
    return wanted(documents, asked, target=plan.target, seed=plan.seed, quick=plan.quick)


def _measured(plan: "Bench", asked: Sequence[str], parallel: int) -> Sequence["Section"]:
    """The results of what was asked for. Raises Mistake where nothing of it can be run."""
    from soak.bench.outcome import left_out
    from soak.bench.running import disturbance
    from soak.bench.whole import as_asked, run_suite

    suite, others = _possible(plan, asked)
    if said_before := disturbance(parallel):
        print(said_before, file=sys.stderr)
    over: list[str] = []

    def said(benchmark: "Benchmark", document: "Section") -> None:
        over.append(benchmark.name)
        verdict = document["verdict"]
        assert isinstance(verdict, dict)
        text = f"{benchmark.name}: {verdict['status']}: {verdict['reason']}"
        print(f"{len(over)}/{len(suite)} {text}", file=sys.stderr)

    measured = run_suite(plan, suite, parallel=parallel, said=said)
    return [*measured, *(as_asked(plan, left_out(each, why)) for each, why in others)]


def _possible(
    plan: "Bench", asked: Sequence[str]
) -> tuple[list["Benchmark"], list[tuple["Benchmark", str]]]:
    """What can be run of it, and the rest with the reason, which is said."""
    from soak.bench.suite import chosen, is_quick, possible
    from soak.verdict import Mistake

    suite, cannot = possible(chosen(asked, plan.folder), plan.overrides, plan.target)
    slow = [each for each in suite if plan.quick and not is_quick(each)]
    others = [*cannot, *((each, "not quick") for each in slow)]
    for each, why in others:
        print(f"left out: {each.name}: {why}", file=sys.stderr)
    if len(slow) == len(suite):
        raise Mistake("nothing is left to be measured: leave out --quick")
    return [each for each in suite if each not in slow], others
