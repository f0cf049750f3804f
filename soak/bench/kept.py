"""What came out before? Results read back: of run directories, of a file, of another program.

Every benchmark leaves benchmark.json in its run directory, and `soak bench --json` prints a list of
the same objects. Another program may write such objects too, one or a list of them to a file, with
results of its own making:

    {"benchmark": ..., "category": ..., "timestamp": ..., "results": {...}, "metadata": {...}}
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from soak.report.document import Section, as_rows, as_section
from soak.rundir import RunDirectory
from soak.verdict import Mistake

NAME = "benchmark.json"
# Of an object that does not say which it is of.
UNSORTED = "imported"


class ResultsError(Mistake):
    """These are no results of benchmarks; the message says why."""


def keep(documents: Sequence[Section]) -> None:
    """Write each into the run directory it came from, where there is one."""
    for document in documents:
        run = as_section(document.get("metadata")).get("run")
        if isinstance(run, str):
            directory = RunDirectory(Path(run))
            directory.replace_json(directory.path / NAME, document)


def read(paths: Sequence[Path]) -> list[Section]:
    """The results in files, and of the run directories in or below folders.

    Of several of one benchmark the latest. Raises ResultsError.
    """
    found = [document for path in paths for document in _read(path)]
    latest: dict[tuple[str, str], Section] = {}
    for document in sorted(found, key=lambda each: str(each.get("timestamp") or "")):
        latest[str(document["category"]), str(document["benchmark"])] = document
    return [latest[name] for name in sorted(latest)]


def _read(path: Path) -> list[Section]:
    if not path.is_dir():
        return _of_file(path)
    files = [path / NAME] if (path / NAME).is_file() else sorted(path.glob(f"*/{NAME}"))
    if not files:
        raise ResultsError(f"{path}: no results of benchmarks; run `soak bench --out {path}`")
    return [document for file in files for document in _of_file(file)]


def _of_file(path: Path) -> list[Section]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: cannot be read as JSON: {error}") from error
    listed = as_rows(content) if isinstance(content, list) else [as_section(content)]
    return [_sound(document, path) for document in listed] or [_sound({}, path)]


def _sound(document: Section, path: Path) -> Section:
    """The document with all that is asked for later. Raises ResultsError."""
    name, results = document.get("benchmark"), document.get("results")
    if not isinstance(name, str) or not isinstance(results, Mapping):
        raise ResultsError(
            f'{path}: not results of benchmarks; each is {{"benchmark": name, "results": '
            '{...}}, with "category", "timestamp" and "metadata" where known'
        )
    category = document.get("category")
    unsaid = {"verdict": {"status": "unknown", "reason": "it says no verdict"}, "metadata": {}}
    return {**unsaid, **document, "category": str(category) if category else UNSORTED}
