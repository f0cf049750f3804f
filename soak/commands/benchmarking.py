"""`soak bench`: the finite benchmarks by category."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.commands.options import AsJson

if TYPE_CHECKING:
    from soak.bench.running import Bench
    from soak.bench.suite import Benchmark
    from soak.report.document import Section


def bench(
    asked: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CATEGORY[/NAME]]...", help="All where none is given."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds each, for CI.")] = False,
    target: Annotated[str | None, typer.Option(help="Measure this target instead.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another operation stream.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change one field; may be repeated."),
    ] = None,
    configs: Annotated[
        Path | None, typer.Option(help="A folder of your own: category/name.yaml or .py.")
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, max=64, help="So many at a time; said when they disturb.")
    ] = 1,
    out: Annotated[
        Path, typer.Option(help="Where run directories are made.", envvar="SOAK_OUT")
    ] = Path("runs"),
    kept: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="PATH", help="Run nothing: tell these results."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write one page with figures.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write Markdown for a pull request.")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Write figures into this directory.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a target: storage, retrieval, latency, throughput, ... (soak list benchmarks).

    \b
    soak bench --quick --html bench.html
    soak bench retrieval throughput/clients-4
    soak bench latency --target chroma --json > latency.json
    soak bench --from runs --from older-results.json --png figures

    The exit code is that of the worst benchmark.
    """
    from soak.bench import table
    from soak.bench.files import write_suite
    from soak.bench.kept import read
    from soak.bench.running import Bench
    from soak.clock import SystemClock

    documents: Sequence[Section]
    if kept:
        documents, code = read(kept), 0
    else:
        flags = _flags(target, seed, overrides)
        plan = Bench(out=out, quick=quick, flags=flags, clock=SystemClock(), folder=configs)
        suite = _possible(plan, asked or [], overrides or [], target)
        documents, code = _measured(plan, suite, parallel)
    for path in write_suite(documents, html=html, markdown=markdown_file, figures=png):
        print(path, file=sys.stderr)
    print(json.dumps(documents, indent=1) if as_json else table.table(documents))
    raise typer.Exit(code)


def _possible(
    plan: "Bench", asked: Sequence[str], overrides: Sequence[str], target: str | None
) -> list["Benchmark"]:
    """What was asked for and can be run; the rest is said. Raises Mistake where nothing can."""
    from soak.bench.suite import chosen, is_quick, possible

    suite, cannot = possible(chosen(asked, plan.folder), overrides, target)
    slow = [each for each in suite if plan.quick and not is_quick(each)]
    for text in [*cannot, *(f"{each.name}: not quick" for each in slow)]:
        print(f"left out: {text}", file=sys.stderr)
    return [each for each in suite if each not in slow]


def _measured(
    plan: "Bench", suite: Sequence["Benchmark"], parallel: int
) -> tuple[Sequence["Section"], int]:
    """Run them; the results, and the exit code of the worst."""
    from soak.bench import table
    from soak.bench.running import disturbance
    from soak.bench.whole import run_suite

    if said_before := disturbance(parallel):
        print(said_before, file=sys.stderr)
    over: list[str] = []

    def said(benchmark: "Benchmark", document: "Section") -> None:
        over.append(benchmark.name)
        verdict = document["verdict"]
        assert isinstance(verdict, dict)
        text = f"{benchmark.name}: {verdict['status']}: {verdict['reason']}"
        print(f"{len(over)}/{len(suite)} {text}", file=sys.stderr)

    documents, codes = run_suite(plan, suite, parallel=parallel, said=said)
    return documents, table.exit_code(codes) if codes else 0


def _flags(
    target: str | None, seed: int | None, overrides: Sequence[str] | None
) -> tuple[str, ...]:
    """As `soak run` takes them."""
    flags = [f"--set={change}" for change in overrides or []]
    flags += [f"--target={target}"] if target else []
    return (*flags, *([f"--seed={seed}"] if seed is not None else []))
