"""How does a program soak, read and compare? `from soak import run, load_run, compare, interleave`.

    record = run("smoke", target="chroma", duration="1m")
    record.verdict.status
    compare(record, [load_run("runs/20260301T120000Z-smoke-1f3a")]).verdict.reason
    interleave("new.yaml", "old.yaml", duration="1m").verdict.reason

A run is a process of its own, as on the command line, so none of this program's memory is taken
for the tester's. Nobody listens, unless `changes` has a `listen=...`. The page: docs/api.md.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from soak.apart import run_apart
from soak.comparison.interleaved import LEAST_PAIRS, compare_pairs, in_turns, turns
from soak.comparison.judgement import Comparison
from soak.comparison.judgement import compare as against
from soak.comparison.objections import Plan, require_same_plan
from soak.report.record import RunRecord
from soak.report.record import load_run as read_run
from soak.rundir import RunDirectory
from soak.scenario import Scenario, dump, load
from soak.scenario.yaml_source import read as read_yaml
from soak.verdict import Mistake


def run(
    scenario: str | Path = "steady",
    *,
    target: str | None = None,
    duration: str | None = None,
    rate: str | None = None,
    seed: int | None = None,
    changes: Sequence[str] = (),
    out: str | Path = "runs",
) -> RunRecord:
    """Soak, and return what is in the run directory. Blocks for the length of the run.

    changes: `path=value`, as after --set. Whatever the verdict, the run is returned. Raises
    Mistake, in soak's own words, where the run could not begin.
    """
    flags = {"target": target, "duration": duration, "rate": rate, "seed": seed}
    given = [f"--{name}={value}" for name, value in flags.items() if value is not None]
    given += [f"--set={change}" for change in ("listen=null", *changes)]
    ended = run_apart(str(scenario), Path(out), given)
    if ended.directory is None or not RunDirectory(ended.directory).report.exists():
        raise Mistake(ended.said.strip())
    return read_run(ended.directory)


def load_run(path: str | Path) -> RunRecord:
    """A run directory read back, finished, running or crashed. Raises RunError where it is none."""
    return read_run(Path(path))


def compare(
    record: RunRecord,
    baseline: RunRecord | Sequence[RunRecord],
    *,
    thresholds: Sequence[str] = (),
    anyway: bool = False,
) -> Comparison:
    """The run against one or several runs of the same thing, metric by metric, with intervals.

    thresholds: `search.latency_p99=25%`. anyway: although loads or machines differ. Raises
    NotComparable where the answer would mean nothing.
    """
    baselines = [baseline] if isinstance(baseline, RunRecord) else list(baseline)
    return against(record, baselines, thresholds=thresholds, anyway=anyway)


def interleave(
    scenario: str | Path,
    baseline: str | Path,
    *,
    pairs: int = 5,
    duration: str | None = None,
    seed: int | None = None,
    thresholds: Sequence[str] = (),
    turn: str | None = None,
    out: str | Path = "runs",
    said: Callable[[str], object] = lambda text: None,
) -> Comparison:
    """Run both by turns, each pair on a seed of its own, and compare them in pairs.

    turn: run both at once instead, once, the load going from one to the other every so long; a run
    then takes twice its duration. `pairs` is of no use there.

    Two targets, or two versions of one: the scenarios differ in `target` alone (`target.python`
    names another environment). said: told of each run. Blocks for 2 x pairs runs. Raises
    NotComparable where the loads differ, before anything is run.
    """
    if turn is None and pairs < LEAST_PAIRS:
        raise Mistake(f"pairs is {pairs}; at least {LEAST_PAIRS} are needed to tell anything")
    names = str(scenario), str(baseline)
    loaded = [load(name) for name in names]
    require_same_plan(_plan(loaded[0]), _plan(loaded[1]), names)
    first_seed = loaded[0].seed if seed is None else seed
    if turn is not None:
        return _at_once(names, turn, duration, first_seed, thresholds, Path(out), said)
    made: dict[tuple[int, int], RunRecord] = {}
    for pair, side, pair_seed in turns(pairs, first_seed):
        record = run(names[side], duration=duration, seed=pair_seed, out=out)
        made[pair, side] = record
        said(f"{len(made)}/{2 * pairs} {names[side]}, seed {pair_seed}: {record.directory.name}")
    found = [(made[pair, 0], made[pair, 1]) for pair in range(pairs)]
    return compare_pairs(found, thresholds=thresholds)


def _at_once(
    names: tuple[str, str],
    turn: str,
    duration: str | None,
    seed: int,
    thresholds: Sequence[str],
    out: Path,
    said: Callable[[str], object],
) -> Comparison:
    """The first against the second, window by window, on one stream of operations."""
    sides = [
        in_turns(load(name, duration=duration, seed=str(seed)), turn, is_second=bool(side))
        for side, name in enumerate(names)
    ]
    with TemporaryDirectory() as folder, ThreadPoolExecutor(len(sides)) as threads:
        files = [Path(folder) / f"{side}.yaml" for side in range(len(sides))]
        for file, scenario in zip(files, sides, strict=True):
            file.write_text(dump(scenario))
        records = list(threads.map(lambda file: run(file, out=out), files))
    for name, record in zip(names, records, strict=True):
        said(f"{name}, seed {seed}, in turns of {turn}: {record.directory.name}")
    return against(records[0], [records[1]], thresholds=thresholds)


def _plan(scenario: Scenario) -> Plan:
    tree = read_yaml(dump(scenario).encode(), scenario.name).tree
    assert isinstance(tree, dict)
    return tree
