"""What came out before? Results read back: of run directories, of a file, of another program.

Every benchmark leaves benchmark.json in its run directory, and `soak bench --json` prints a list of
the same objects. Another program may write such objects too, one or a list of them to a file, with
results of its own making:

    {"benchmark": ..., "category": ..., "timestamp": ..., "results": {...}, "metadata": {...}}
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from soak.bench.variants import is_of_soak, is_quick, name_of, seed_of, target_of, variant_of
from soak.plugins import nearest
from soak.report.document import Section, as_section
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


def read(paths: Sequence[Path], said: Callable[[str], None] = lambda text: None) -> list[Section]:
    """The results in files, and of the run directories in or below folders.

    Of several of one benchmark, target, length, seed and set of overrides the latest; said: told of
    the others. Those of another program are all there, but each once. Raises ResultsError.
    """
    found = [document for path in paths for document in _read(path)]
    by_key: dict[tuple[str, str, str, str], list[Section]] = {}
    for document in sorted(found, key=lambda each: str(each.get("timestamp") or "")):
        by_key.setdefault(_key(document), []).append(document)
    for older in by_key.values():
        if len(older) > 1:
            times = ", ".join(str(each.get("timestamp")) for each in older[:-1])
            told = ", ".join(filter(None, (name_of(older[-1]), variant_of(older[-1]))))
            said(f"left out: {told}: of {times}, as a later one is there")
    return [by_key[key][-1] for key in sorted(by_key)]


def _key(document: Section) -> tuple[str, str, str, str]:
    """What another program measured twice may differ in anything, so only the same is the same."""
    same = variant_of(document) if is_of_soak(document) else json.dumps(document, sort_keys=True)
    place = "" if is_of_soak(document) else str(document.get("timestamp") or "")
    return str(document["category"]), str(document["benchmark"]), place, same


def wanted(
    documents: Sequence[Section],
    asked: Sequence[str],
    *,
    target: str | None = None,
    seed: int | None = None,
    quick: bool = False,
) -> list[Section]:
    """Those of the categories or `category/name`s asked for, of that target and seed; quick ones
    where only these are meant. Raises ResultsError where there is no such one."""
    known = {str(d["category"]) for d in documents} | {name_of(d) for d in documents}
    for name in asked:
        if name not in known:
            raise ResultsError(_nothing(name, {str(d["category"]) for d in documents}))
    kept = [d for d in documents if not asked or str(d["category"]) in asked or name_of(d) in asked]
    rules: list[tuple[str, Callable[[Section], str]]] = [
        *([(target, target_of)] if target else []),
        *([(f"seed {seed}", lambda d: f"seed {seed_of(d)}")] if seed is not None else []),
        *([("quick", lambda d: "quick" if is_quick(d) else "full")] if quick else []),
    ]
    for value, told in rules:
        there = {told(document) for document in kept}
        kept = [document for document in kept if told(document) == value]
        if not kept:
            raise ResultsError(_nothing(value, there))
    return kept


def _nothing(name: str, there: Iterable[str]) -> str:
    names = sorted(filter(None, there))
    return f"no results of {name!r}; there are: {', '.join(names) or 'none'}{nearest(name, names)}"


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
    listed = content if isinstance(content, list) and content else [content]
    return [_sound(as_section(document), path) for document in listed]


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
