"""Which options do several commands share, what do they mean, and how is a list printed?"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from soak.comparison.gate import Gate
    from soak.session import Told

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]
Baseline = Annotated[
    str | None, typer.Option(help="Must not be worse than this run or kept baseline.")
]
Thresholds = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold",
        metavar="METRIC=CHANGE",
        help="Allow another change: latency_p99=25%, search.service_p50=none, "
        "memory=warn:20% (only warns); may be repeated.",
    ),
]
Store = Annotated[
    Path, typer.Option("--store", help="Where baselines are kept.", envvar="SOAK_BASELINES")
]
Plain = Annotated[bool, typer.Option("--plain", help="Lines instead of a live view.")]
Resumes = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with the last run of this scenario in --out, if it was cut off."
    ),
]
Listen = Annotated[
    str | None, typer.Option(help="Address of /metrics and the page.", envvar="SOAK_LISTEN")
]
Published = Annotated[
    list[str] | None,
    typer.Option(
        "--publish",
        metavar="NAME=VALUE",
        envvar="SOAK_PUBLISH",
        help="Serve by TLS or token (certificate, key, clients, token-file), "
        "remote-write=URL, pushgateway=URL; may be repeated.",
    ),
]
STORE = Path("baselines")


def asked_gate(baseline: str | None, thresholds: Sequence[str] | None, store: Path) -> "Gate":
    """What --baseline, --threshold and --store ask of a run. Raises Mistake."""
    from soak.comparison.baselines import Baselines
    from soak.comparison.gate import Gate

    baselines = Baselines(store).read(baseline) if baseline else ()
    return Gate(baselines=baselines, thresholds=thresholds or ())


def asked_told(publish: Sequence[str] | None, *, plain: bool, as_json: bool) -> "Told":
    """What --plain, --json and --publish say. Raises Mistake."""
    from soak.outlets import outlets
    from soak.session import Told

    return Told(plain=plain, as_json=as_json, published=outlets(publish or ()))


def print_entries(found: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=1))
        return
    width = max((len(str(entry["name"])) for entry in found), default=0)
    for entry in found:
        print(f"{entry['name']:{width}}  {entry['what']}")
