"""Is every defect caught by the right check? `python -m bench.matrix [--json FILE] [NAME...]`.

Every defect of the faulty target around the embedded engine (where the defect is one of choosing
whom to forget, around the memory target), one run each, and configurations with nothing wrong. A
row is right when the exit code is the expected one, the expected check failed, if not it alone, and
wrong answers were called what they are.
What needs minutes runs five or six times as fast (SOAK_TIME_SCALE). One after the other, so that
they do not disturb each other: about an hour, on a machine that has nothing else to do. Exit code
1 where a row is wrong, 13 where the machine was too busy to tell.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.matrix_rows import DEFECTS, HEALTHY, SCENARIOS, Row
from soak.report.document import as_rows, as_section
from soak.report.record import RunError, load_run
from soak.verdict import ExitCode

PAGE = """\
# Matrix: every defect, caught by the right check

Written by `make matrix`: real runs of the target `faulty` around the embedded engine, each with
one defect of the size in the table, after those with nothing wrong. The scenarios are in
`bench/matrix_rows.py`; those that need minutes run five or six times as fast (SOAK_TIME_SCALE). A
row is right when the exit code is the expected one, the check that must fail did, and wrong answers
were of the kind that was ordered.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it. failed: checks that did; violations: promises that answers broke; is_right:
    what must be is among them."""

    row: Row
    code: int
    failed: tuple[str, ...]
    reason: str
    violations: tuple[str, ...] = ()
    is_trusted: bool = True

    @property
    def is_right(self) -> bool:
        expected = {self.row.check} if self.row.check else set()
        named = {str(self.row.violation)} if self.row.violation else set()
        is_found = expected <= set(self.failed) and named <= set(self.violations)
        return self.code == self.row.code and is_found

    @property
    def is_unsure(self) -> bool:
        """The run itself says that this machine is too busy to tell: neither right nor wrong. A
        check that stays unknown in a run to be trusted is wrong."""
        return self.code == ExitCode.UNKNOWN != self.row.code and not self.is_trusted


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a row is wrong, 13 where a run says that it cannot be trusted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the outcomes here")
    parser.add_argument("--page", type=Path, help="and as a page of the documentation here")
    parser.add_argument("names", nargs="*", help="only rows whose name or scenario contains one")
    asked = parser.parse_args(arguments)
    rows = [row for row in (*HEALTHY, *DEFECTS) if _is_asked(row, asked.names)]
    vain = [name for name in asked.names if not any(_is_asked(row, [name]) for row in rows)]
    if vain:
        parser.error(f"no row or scenario is called {', '.join(vain)}")
    outcomes = []
    for outcome in run_all(rows):
        outcomes.append(outcome)
        print(said(outcome), flush=True)
    right = sum(outcome.is_right for outcome in outcomes)
    unsure = sum(outcome.is_unsure for outcome in outcomes)
    wrong = len(outcomes) - right - unsure
    print(f"of {len(outcomes)} rows {right} are right, {wrong} wrong, {unsure} unsure")
    if asked.json:
        lines = [{**asdict(one), "is_right": one.is_right} for one in outcomes]
        asked.json.write_text(json.dumps(lines, indent=1))
    if asked.page:
        asked.page.write_text(page(outcomes))
    return 1 if wrong else int(ExitCode.UNKNOWN) if unsure else 0


def run_all(rows: Sequence[Row]) -> Iterator[Outcome]:
    """One run after the other."""
    for row in rows:
        with tempfile.TemporaryDirectory() as folder:
            yield run(row, Path(folder))


def run(row: Row, folder: Path) -> Outcome:
    """`soak run` as typed, and what its report says."""
    scenario = folder / "matrix.yaml"
    text, scale = SCENARIOS[row.scenario]
    scenario.write_text(text)
    changes = [*(f"target.params.{one}" for one in row.size), *row.changes]
    out = folder / "runs"
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("soak")), "run", str(scenario), "--plain"),
            *("--listen", "127.0.0.1:0", "--out", str(out)),
            *(f"--set={change}" for change in changes),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SOAK_TIME_SCALE": str(scale)},
    )
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return told(row, done.returncode, _document(out), last)


def said(outcome: Outcome) -> str:
    """A line of the table."""
    row = outcome.row
    mark = "right" if outcome.is_right else "unsure" if outcome.is_unsure else "WRONG"
    size = " ".join(row.size) or "healthy"
    failed = ", ".join((*outcome.failed, *outcome.violations)) or "none"
    line = f"{mark:6}  {row.name:32} {size:52} exit {outcome.code:2}  failed: {failed}"
    if outcome.is_right:
        return line
    check = f"{row.check or 'nothing'}{f', {row.violation}' if row.violation else ''}"
    return f"{line}\n       expected {row.code} by {check}: {outcome.reason}"


def page(outcomes: Sequence[Outcome]) -> str:
    """The same as Markdown, with the scenarios that ran."""
    lines = ["| run | defect | check that must fail | exit code | failed | |"]
    lines.append("| --- | --- | --- | --: | --- | --- |")
    for one in outcomes:
        row = one.row
        size = " ".join((*row.size, *row.changes)) or "none"
        cells = (row.name, f"`{size}`", row.check or "none", str(one.code))
        sign = "?" if one.is_unsure else "✕"
        mark = "✓" if one.is_right else f"{sign} expected {row.code}"
        failed = ", ".join((*one.failed, *one.violations)) or "none"
        lines.append(f"| {' | '.join(cells)} | {failed} | {mark} |")
    return PAGE + "\n".join(lines) + "\n"


def told(row: Row, code: int, document: Mapping[str, object], last: str) -> Outcome:
    """What the report says of a run; last: what the run said last, where there is no report."""
    checks = as_rows(document.get("checks"))
    certificate = as_section(document.get("certificate"))
    violations = as_section(as_section(document.get("oracle")).get("violations"))
    return Outcome(
        row=row,
        code=code,
        failed=tuple(str(one.get("name")) for one in checks if one.get("status") == "fail"),
        reason=str(as_section(document.get("verdict")).get("reason", "")) or last,
        violations=tuple(name for name, seen in violations.items() if seen),
        is_trusted=certificate.get("trusted") is not False,
    )


def _document(out: Path) -> Mapping[str, object]:
    """The report's; empty where there is no run."""
    for directory in out.glob("*/scenario.yaml"):
        try:
            return load_run(directory.parent).document
        except RunError:
            continue
    return {}


def _is_asked(row: Row, names: Sequence[str]) -> bool:
    return not names or any(name in f"{row.name}, {row.scenario}" for name in names)


if __name__ == "__main__":
    sys.exit(main())
