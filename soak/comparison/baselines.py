"""What is compared with? Runs kept under a name: copies of what a comparison reads, and no more.

    baselines/NAME/RUN_ID/{scenario.yaml, environment.json, windows.csv, samples.csv, report.json}

Several runs under one name are runs of the same thing; how far they lie apart is then known. The
folder can be cached by a CI server or kept under version control: a run of minutes is below 1 MB.
"""

import re
import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from soak.comparison.objections import is_same_run, objections
from soak.plugins import nearest
from soak.report.document import as_section
from soak.report.record import RunRecord, load_run
from soak.rundir import RunDirectory
from soak.verdict import Mistake

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class BaselineError(Mistake):
    """There is no such baseline, or these runs cannot be one; the message says why."""


class Baselines:
    """The baselines below one folder, which is made when the first is set."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Each once, sorted."""
        found = self._folder.glob("*/*/scenario.yaml")
        names = {path.parents[1].name for path in found}
        return sorted(name for name in names if not name.startswith("."))

    def entries(self) -> list[dict[str, str]]:
        """`{"name": ..., "what": ...}` each, as `soak list` has them."""
        return [{"name": name, "what": _said(self.read(name))} for name in self.names()]

    def keep(self, paths: Sequence[Path], name: str | None = None) -> Path:
        """Keep these runs under the name, in place of what was there; where they are now.

        name: `<scenario>-<target>` where it is None. Raises BaselineError where the runs cannot be
        trusted, belong to different things or cannot be copied, RunError where one is no run.
        """
        records = [load_run(path) for path in paths]
        for record in records:
            _require_sound(record)
        for one, other in combinations(records, 2):
            _require_one_thing(one, other)
        document = records[0].document
        name = name or f"{document.get('scenario')}-{document.get('target')}"
        if not NAME.fullmatch(name):
            raise BaselineError(f"--name {name}: a name has letters, digits, dots, - and _ only")
        kept = self._folder / name
        partial = self._folder / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            for record in records:
                _copy(record, partial / record.directory.name)
            shutil.rmtree(kept, ignore_errors=True)
            partial.rename(kept)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise BaselineError(f"{kept}: cannot be kept there: {error.strerror}") from error
        return kept

    def read(self, asked: str) -> list[RunRecord]:
        """The runs of a name, of a run directory, or of a folder of run directories.

        Raises BaselineError with the names there are.
        """
        for folder in (Path(asked), self._folder / asked):
            if (folder / "scenario.yaml").is_file():
                return [load_run(folder)]
            runs = sorted(path.parent for path in folder.glob("*/scenario.yaml"))
            if runs:
                return [load_run(run) for run in runs]
        known = self.names()
        there = (
            f"there are: {', '.join(known)}{nearest(asked, known)}" if known else "there is none"
        )
        raise BaselineError(
            f"{asked}: neither a run directory nor a baseline in {self._folder}; {there}; "
            "`soak baseline set RUN` keeps one"
        )


def _said(records: Sequence[RunRecord]) -> str:
    """What was run, how often, and when last."""
    document = records[-1].document
    times = "1 run" if len(records) == 1 else f"{len(records)} runs"
    started = str(document.get("started") or "")[:16].replace("T", " ")
    return f"{document.get('scenario')} on {document.get('target')}, {times}, {started} UTC"


def _require_sound(record: RunRecord) -> None:
    """A baseline that cannot be trusted would make every later comparison unknown."""
    certificate = as_section(record.document.get("certificate"))
    if record.document.get("state") != "finished":
        raise BaselineError(f"{record.directory}: this run did not finish; a baseline has to")
    if any(event.kind == "abort" for event in record.events):
        raise BaselineError(
            f"{record.directory}: a check aborted this run; a baseline ends in its time"
        )
    if certificate.get("trusted") is not True:
        reasons = certificate.get("reasons")
        why = "; ".join(map(str, reasons)) if isinstance(reasons, list) else "no certificate"
        raise BaselineError(f"{record.directory}: this run cannot be trusted: {why}")


def _require_one_thing(one: RunRecord, other: RunRecord) -> None:
    if is_same_run(one, other):
        raise BaselineError(f"{other.directory}: this run is given twice; give each once")
    if one.directory.name == other.directory.name:
        raise BaselineError(f"{one.directory}, {other.directory}: two runs of one name; rename one")
    against = objections(one, other)
    if against.distrust:
        raise BaselineError(f"these runs are not one baseline: {against.distrust[0]}")


def _copy(record: RunRecord, to: Path) -> None:
    source, copy = RunDirectory(record.directory), RunDirectory(to)
    to.mkdir(parents=True)
    for name in ("scenario", "environment", "windows", "samples", "report"):
        if getattr(source, name).exists():
            shutil.copyfile(getattr(source, name), getattr(copy, name))
