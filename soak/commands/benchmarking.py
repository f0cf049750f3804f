"""`soak bench`: the finite benchmarks by category."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from soak.commands.options import AsJson


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
        Path | None, typer.Option(help="A folder of your own: category/name.yaml.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where run directories are made.", envvar="SOAK_OUT")
    ] = Path("runs"),
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write Markdown for a pull request.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a target: storage, retrieval, latency, throughput, ... (soak list benchmarks).

    \b
    soak bench --quick
    soak bench retrieval throughput/clients-4
    soak bench latency --target chroma --json > latency.json

    The exit code is that of the worst benchmark.
    """
    from soak.bench import table
    from soak.bench.outcome import document
    from soak.bench.running import run_benchmark
    from soak.bench.suite import chosen
    from soak.clock import SystemClock
    from soak.scenario import load

    flags = _flags(target, seed, overrides)
    suite = chosen(asked or [], configs)
    planned = {each.name: load(each.file).duration_s for each in suite}  # and every file is sound
    documents, codes = [], []
    for place, each in enumerate(suite, start=1):
        planned_s, clock = planned[each.name], SystemClock()
        outcome = run_benchmark(
            each, out=out, quick=quick, flags=flags, planned_s=planned_s, clock=clock
        )
        documents.append(document(outcome))
        codes.append(outcome.exit_code)
        said = documents[-1]["verdict"]
        assert isinstance(said, dict)
        print(
            f"{place}/{len(suite)} {each.name}: {said['status']}: {said['reason']}", file=sys.stderr
        )
    if markdown_file is not None:
        markdown_file.write_text(table.markdown(documents))
    print(json.dumps(documents, indent=1) if as_json else table.table(documents))
    raise typer.Exit(table.exit_code(codes))


def _flags(target: str | None, seed: int | None, overrides: list[str] | None) -> list[str]:
    """As `soak run` takes them."""
    flags = [f"--set={change}" for change in overrides or []]
    flags += [f"--target={target}"] if target else []
    return flags + ([f"--seed={seed}"] if seed is not None else [])
