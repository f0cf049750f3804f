"""Which benchmarks are there, and which are meant? A scenario file each, a folder by category."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soak.plugins import nearest
from soak.scenario import load, shipped
from soak.verdict import Mistake

FOLDER = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One scenario file. Its name is `category/name`, the run's `category-name`."""

    category: str
    stem: str
    file: Path

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
    folder = folder or next(iter(shipped().values())).parent / FOLDER
    return [
        Benchmark(category=file.parent.name, stem=file.stem, file=file)
        for file in sorted(folder.glob("*/*.yaml"))
    ]


def chosen(asked: Sequence[str], folder: Path | None = None) -> list[Benchmark]:
    """Those of the categories or `category/name`s asked for; all where nothing is asked.

    Raises NoSuchBenchmark.
    """
    there = benchmarks(folder)
    if not there:
        raise NoSuchBenchmark(f"{folder}: no benchmarks; they are category/name.yaml below it")
    known = list(dict.fromkeys([b.category for b in there] + [b.name for b in there]))
    for name in asked:
        if name not in known:
            categories = ", ".join(dict.fromkeys(b.category for b in there))
            hint = nearest(name, known)
            raise NoSuchBenchmark(f"no benchmark {name!r}; categories are: {categories}{hint}")
    return [b for b in there if not asked or b.category in asked or b.name in asked]


def listed() -> list[dict[str, str]]:
    """`{"name": ..., "what": ...}` each, as `soak list` has them."""
    return [{"name": b.name, "what": load(b.file).question} for b in benchmarks()]
