"""What is there to choose from? One name and one line each, for `soak list`."""

import difflib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from soak import plugins
from soak.scenario import load, shipped
from soak.verdict import Mistake

Entry = dict[str, str]
SEAMS = ("targets", "operations", "arrivals", "content", "samplers", "detectors")


def entries(what: str, out: Path) -> list[Entry]:
    """`{"name": ..., "what": ...}` each, sorted by name. Raises Mistake for a kind there is not.

    out: the directory that holds run directories.
    """
    makers: Mapping[str, Callable[[], list[Entry]]] = {
        **{seam: partial(_plugins, seam) for seam in SEAMS},
        "scenarios": _scenarios,
        "runs": lambda: _runs(out),
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


def _runs(out: Path) -> list[Entry]:
    found = [path.parent for path in sorted(out.glob("*/scenario.yaml"))]
    return [{"name": str(path), "what": _outcome(path)} for path in found]


def _outcome(run: Path) -> str:
    """The verdict of a finished run; what is missing of another."""
    report = run / "report.json"
    if not report.is_file():
        return "no verdict yet: running, or ended without one"
    verdict = json.loads(report.read_text()).get("verdict", {})
    return f"{verdict.get('status')}: {verdict.get('reason')}"
