"""What is there to choose from? One name and one line each, for `soak list`."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from soak import plugins
from soak.bench.suite import listed
from soak.clock import iso_utc
from soak.report.catalogue import Wanted, as_json, runs
from soak.scenario import load, shipped
from soak.scenario.quantities import MAX_DURATION_S, parse_duration
from soak.verdict import Mistake, Status

Entry = Mapping[str, object]
SEAMS = ("targets", "operations", "arrivals", "content", "samplers", "detectors")


def entries(
    what: str, out: Path, wanted: Wanted | None = None, configs: Path | None = None
) -> Sequence[Entry]:
    """`{"name": ..., "what": ...}` each, sorted by name. Raises Mistake for a kind there is not.

    out: the directory that holds run directories; wanted: which of these. configs: the folder of
    the benchmarks, the shipped ones if None.
    """
    makers: Mapping[str, Callable[[], Sequence[Entry]]] = {
        **{seam: partial(_plugins, seam) for seam in SEAMS},
        "scenarios": _scenarios,
        "benchmarks": partial(listed, configs),
        "runs": partial(_runs, out, wanted or Wanted()),
    }
    if what not in makers:
        near = difflib.get_close_matches(what, makers, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise Mistake(f"nothing called {what!r} to list; there are: {', '.join(makers)}{hint}")
    return makers[what]()


def _plugins(seam: str) -> list[Entry]:
    return [{"name": name, "what": plugins.summary(seam, name)} for name in plugins.available(seam)]


def _scenarios() -> list[Entry]:
    return [{"name": name, "what": load(path).question} for name, path in shipped().items()]


def _runs(out: Path, wanted: Wanted) -> list[Entry]:
    if wanted.status and wanted.status not in list(Status):
        near = plugins.nearest(wanted.status, Status)
        raise Mistake(
            f"--status {wanted.status}: is no verdict; there are: {', '.join(Status)}{near}"
        )
    if not out.is_dir():
        raise Mistake(
            f"{out}: there is no such directory; pass --out DIR, the one that holds the run "
            "directories, or begin the first run with `soak run`"
        )
    return [as_json(out, summary) for summary in runs(out, wanted)]


def start_of(since: str, now_s: float) -> str:
    """`7d` before now, or a date, as ISO 8601 in UTC; empty stays empty. Raises Mistake.

    A date or time without an offset is UTC, as everything a run is named and told by.
    """
    if not since:
        return ""
    try:
        if since[:4].isdigit() and "-" in since:
            moment = datetime.fromisoformat(since)
            return iso_utc((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        ago_s = parse_duration(since)
    except ValueError as error:
        raise Mistake(f"--since {since}: is no time like 7d, 12h or 2026-03-01") from error
    if ago_s > MAX_DURATION_S:
        raise Mistake(f"--since {since}: is more than ten years ago; leave it out for all runs")
    return iso_utc(now_s - ago_s)
