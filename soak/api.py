"""How does a program soak, read and compare? `from soak import run, load_run, compare, interleave`.

    record = run("smoke", target="chroma", duration="1m")
    record.document["verdict"]["status"]
    compare(record, [load_run("runs/20260301T120000Z-smoke-1f3a")]).verdict.reason
    interleave("new.yaml", "old.yaml", duration="1m").verdict.reason

A run is a process of its own, as on the command line, so none of this program's memory is taken
for the tester's. Nobody listens, unless `changes` has a `listen=...`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from soak.apart import run_apart
from soak.comparison.interleaved import compare_pairs, turns
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
    out: str | Path = "runs",
    said: Callable[[str], object] = lambda text: None,
) -> Comparison:
    """Run both by turns, each pair on a seed of its own, and compare them in pairs.

    Two targets, or two versions of one: the scenarios differ in `target` alone (`target.python`
    names another environment). said: told of each run. Blocks for 2 x pairs runs. Raises
    NotComparable where the loads differ, before anything is run.
    """
    names = str(scenario), str(baseline)
    loaded = [load(name) for name in names]
    require_same_plan(_plan(loaded[0]), _plan(loaded[1]), names)
    first_seed = loaded[0].seed if seed is None else seed
    made: dict[tuple[int, int], RunRecord] = {}
    for pair, side, pair_seed in turns(pairs, first_seed):
        record = run(names[side], duration=duration, seed=pair_seed, out=out)
        made[pair, side] = record
        said(f"{len(made)}/{2 * pairs} {names[side]}, seed {pair_seed}: {record.directory.name}")
    found = [(made[pair, 0], made[pair, 1]) for pair in range(pairs)]
    return compare_pairs(found, thresholds=thresholds)


def _plan(scenario: Scenario) -> Plan:
    tree = read_yaml(dump(scenario).encode(), scenario.name).tree
    assert isinstance(tree, dict)
    return tree
