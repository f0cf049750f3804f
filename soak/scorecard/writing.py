"""Where does the scorecard go? Measured now; a table, JSON for machines, a page for docs."""

import json
from pathlib import Path

from rich.console import Console

from soak.report.files import write_file
from soak.rundir import finite
from soak.scorecard import leaks, speed, upkeep
from soak.scorecard.card import Row, document, exit_code
from soak.scorecard.crew import Crew, all_cores
from soak.scorecard.page import page
from soak.scorecard.table import table

WIDTH = 132


def write(*, is_quick: bool, seed: int, out: Path | None, as_json: bool) -> int:
    """Measure everything; returns the exit code. Talk goes to stderr, data to stdout."""
    with all_cores() as crew:
        rows = measured(seed, crew, is_quick=is_quick)
    text = json.dumps(finite(document(rows, seed)), indent=1)
    if out is not None:
        is_page = out.suffix == ".md"
        content = page(rows, seed, is_quick=is_quick) if is_page else text + "\n"
        write_file(out, content.encode())
    console = Console()
    if as_json:
        console.out(text, highlight=False)
    else:
        Console(width=max(console.width, WIDTH)).print(table(rows))
    return exit_code(rows)


def measured(seed: int, crew: Crew, *, is_quick: bool) -> list[Row]:
    """Every area's rows."""
    return [
        *leaks.measure(leaks.QUICK if is_quick else leaks.FULL, seed, crew),
        *upkeep.measure(24 if is_quick else 200, seed, crew),
        *speed.measure(speed.QUICK if is_quick else speed.FULL, seed, crew),
    ]
