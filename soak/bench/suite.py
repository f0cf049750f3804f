"""Which benchmarks are there, and which are meant? A scenario or a function each, by category.

FOLDER/storage/read.yaml          storage/read
FOLDER/throughput/max_rate.py     throughput/max-rate, if it has a function benchmark_max_rate
"""

import ast
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soak.plugins import nearest
from soak.scenario import load, shipped
from soak.verdict import Mistake

FOLDER = "bench"
PREFIX = "benchmark_"
_ANY_SCENARIO = "peers"
# A quick suite leaves out what would spend a minute on filling the target.
MOST_QUICK_RECORDS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One scenario file, or one function of a file. Its name is `category/name`, the run's
    `category-name`. function: its name in the file; empty for a scenario."""

    category: str
    stem: str
    file: Path
    function: str = ""

    @property
    def name(self) -> str:
        return f"{self.category}/{self.stem}"

    @property
    def run_name(self) -> str:
        return f"{self.category}-{self.stem}"


class NoSuchBenchmark(Mistake):
    """Nothing is called that; the message says what there is."""


def benchmarks(folder: Path | None = None) -> list[Benchmark]:
    """All below the folder, or the shipped ones, by category and name."""
    folder = folder or _shipped_folder()
    found = [_of_scenario(file) for file in folder.glob("*/*.yaml")]
    found += [each for file in folder.glob("*/*.py") for each in _of_functions(file)]
    return sorted(found, key=lambda benchmark: benchmark.name)


def _shipped_folder() -> Path:
    return next(iter(shipped().values())).parent / FOLDER


def _of_scenario(file: Path) -> Benchmark:
    return Benchmark(category=file.parent.name, stem=file.stem, file=file)


def _of_functions(file: Path) -> Iterator[Benchmark]:
    """Those of a file, read and not run: listing what there is must not run anything."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        raise NoSuchBenchmark(f"{file}: cannot be read as Python: {error}") from error
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith(PREFIX):
            yield Benchmark(
                category=file.parent.name,
                stem=node.name.removeprefix(PREFIX).replace("_", "-"),
                file=file,
                function=node.name,
            )


def question_of(benchmark: Benchmark) -> str:
    """What it answers, in a sentence. Raises Mistake for a scenario that is not sound."""
    if not benchmark.function:
        return load(benchmark.file).question
    for node in ast.parse(benchmark.file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == benchmark.function:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def function_of(benchmark: Benchmark) -> Callable[[Any], Any]:
    """The function itself; runs the file it stands in. Raises NoSuchBenchmark."""
    spec = importlib.util.spec_from_file_location(benchmark.file.stem, benchmark.file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        function: Callable[[Any], Any] = getattr(module, benchmark.function)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise NoSuchBenchmark(f"{benchmark.file}: cannot be run: {said}") from error
    return function


def is_quick(benchmark: Benchmark) -> bool:
    """Whether a quick suite has it. Raises Mistake for a scenario that is not sound."""
    return bool(benchmark.function) or (
        load(benchmark.file).population.preload <= MOST_QUICK_RECORDS
    )


def chosen(asked: Sequence[str], folder: Path | None = None) -> list[Benchmark]:
    """Those of the categories or `category/name`s asked for; all where nothing is asked.

    Raises NoSuchBenchmark.
    """
    there = benchmarks(folder)
    if not there:
        raise NoSuchBenchmark(
            f"{folder or _shipped_folder()}: no benchmarks; "
            "they are category/name.yaml or .py below it"
        )
    known = list(dict.fromkeys([b.category for b in there] + [b.name for b in there]))
    for name in asked:
        if name not in known:
            categories = ", ".join(dict.fromkeys(b.category for b in there))
            hint = nearest(name, known)
            raise NoSuchBenchmark(f"no benchmark {name!r}; categories are: {categories}{hint}")
    return [b for b in there if not asked or b.category in asked or b.name in asked]


def possible(
    suite: Sequence[Benchmark], overrides: Sequence[str], target: str | None
) -> tuple[list[Benchmark], list[tuple[Benchmark, str]]]:
    """Those that the target can run, and each other one with why not.

    Raises Mistake for a target or override that none can be run with, and for a file that is not
    sound as it stands: to leave that out would say that all is well.
    """
    can: list[Benchmark] = []
    cannot: list[tuple[Benchmark, Mistake]] = []
    for benchmark in suite:
        try:
            # What a function runs, it alone knows: the target at least is looked up.
            file = _ANY_SCENARIO if benchmark.function else benchmark.file
            load(file, () if benchmark.function else overrides, target=target)
            can.append(benchmark)
        except Mistake as mistake:
            if not benchmark.function:
                load(benchmark.file)
            cannot.append((benchmark, mistake))
    scenarios = [each for each in suite if not each.function]
    if cannot and not any(each in can for each in scenarios or suite):
        raise cannot[0][1]
    return can, [(benchmark, str(why).partition("\n")[0]) for benchmark, why in cannot]


def listed(folder: Path | None = None) -> list[dict[str, str]]:
    """`{"name": ..., "what": ...}` each, as `soak list` has them. Raises Mistake."""
    return [{"name": b.name, "what": question_of(b)} for b in chosen([], folder)]
