"""Is a run that cannot go on refused, with the reason and what to do instead?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from soak import __version__, session
from soak.clock import SystemClock
from soak.controller import Controller, StopRequest
from soak.load.salvage import NONE
from soak.load.workload import Workload
from soak.rundir import LineLog, RunDirectory
from soak.scenario import dump, load
from soak.snapshot import Gap
from soak.state import Tree, packed
from soak.verdict import Mistake
from soak.watch.checkpoint import LAYOUT, MAX_GAPS, NotResumable, Standing, digest, read
from soak.watch.resumption import cut_logs
from soak.watch.worker_log import WorkerFacts

SMOKE = load("smoke")


def stopped_run(path: Path, **changes: object) -> RunDirectory:
    """A directory with as much of a checkpoint as decides whether it can go on."""
    directory = RunDirectory(path)
    directory.make()
    directory.scenario.write_text(dump(SMOKE))
    tree: Tree = {
        "layout": LAYOUT,
        "soak": __version__,
        "scenario_digest": digest(directory),
        "time_scale": 1.0,
        "facts": {"capabilities": ["get", "reopen", "store"]},
        **changes,
    }
    directory.resumable.write_bytes(packed(tree))
    return directory


def damage(directory: RunDirectory) -> None:
    directory.resumable.write_bytes(directory.resumable.read_bytes()[:-1])


def finish(directory: RunDirectory) -> None:
    directory.replace_json(directory.checkpoint, {"state": "finished"})


def change_scenario(directory: RunDirectory) -> None:
    directory.scenario.write_text(dump(SMOKE).replace("rate: 100", "rate: 101"))


def begin(directory: RunDirectory) -> None:
    directory.resumable.unlink()


def test_a_run_that_was_stopped_can_go_on(tmp_path: Path):
    directory = stopped_run(tmp_path / "run")
    directory.replace_json(directory.checkpoint, {"state": "interrupted"})

    assert LAYOUT == read(directory, SMOKE)["layout"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damage, "its checksum is wrong"),
        (finish, "this run is finished"),
        (change_scenario, "was changed since the run began"),
        (begin, "ended before its load began"),
    ],
    ids=["damaged", "finished", "changed", "never began"],
)
def test_a_run_that_cannot_go_on_says_why(
    spoil: Callable[[RunDirectory], None], said: str, tmp_path: Path
):
    directory = stopped_run(tmp_path / "run")
    spoil(directory)

    with pytest.raises(NotResumable, match=said) as refused:
        read(directory, SMOKE)

    assert 2 == refused.value.exit_code
    assert f"soak run {directory.scenario}" in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"soak": "0.0.9"}, "was begun by soak 0.0.9"),
        ({"layout": LAYOUT + 1}, "was begun by soak"),
        ({"time_scale": 60.0}, "SOAK_TIME_SCALE=60"),
        ({"facts": {"capabilities": ["get"]}}, "cannot be opened again"),
    ],
    ids=["version", "layout", "time scale", "target"],
)
def test_a_run_of_other_circumstances_says_which(
    changes: dict[str, object], said: str, tmp_path: Path
):
    directory = stopped_run(tmp_path / "run", **changes)

    with pytest.raises(NotResumable, match=said):
        read(directory, SMOKE)


def test_what_is_no_run_is_refused(tmp_path: Path):
    with pytest.raises(NotResumable, match=r"no scenario\.yaml"):
        session.resume(tmp_path, listen=None, plain=True, as_json=False, arguments=())


def test_a_run_that_is_still_going_on_is_refused(tmp_path: Path):
    directory = stopped_run(tmp_path / "run")
    held = directory.claim(directory.path)
    assert held is not None

    with pytest.raises(NotResumable, match="still going on"):
        session.resume(directory.path, listen=None, plain=True, as_json=False, arguments=())
    directory.release(held)


def test_a_directory_has_one_holder_at_a_time(tmp_path: Path):
    directory = stopped_run(tmp_path / "run")

    held = directory.claim(directory.data)
    assert held is not None
    assert None is directory.claim(directory.data)
    directory.release(held)
    again = directory.claim(directory.data)
    assert again is not None
    directory.release(again)


def test_logs_are_cut_where_the_checkpoint_knows_them(tmp_path: Path):
    directory = stopped_run(tmp_path / "run")
    directory.windows.write_text("head\nrow 1\nrow 2\n")
    directory.worker_log.write_text('{"kind": "stats"}\n{"kind": "cou')

    cut_logs(directory, {"offsets": {"windows.csv": len("head\nrow 1\n"), "events.jsonl": 99}})
    log = LineLog(directory.windows)
    log.begin("head")
    log.append("row 3")
    log.close()

    assert "head\nrow 1\nrow 3\n" == directory.windows.read_text()
    assert '{"kind": "stats"}\n' == directory.worker_log.read_text()


@pytest.mark.parametrize("ring", [None, b"no ring"], ids=["no ring", "damaged"])
def test_a_run_that_is_refused_keeps_its_record(ring: bytes | None, tmp_path: Path):
    workload = Workload(SMOKE)
    standing = {name: getattr(Standing(), name) for name in Standing.__dataclass_fields__}
    waiting = {name: getattr(NONE, name) for name in NONE.__dataclass_fields__}
    directory = stopped_run(
        tmp_path / "run",
        standing={**standing, "waiting": waiting},
        workload=workload.state(),
        feeder={"block": None, "late_count": 0, "late_s": 0.0},
        offsets={"windows.csv": 0},
    )
    for path in (directory.report, directory.report_html, directory.checkpoint, directory.windows):
        path.write_text("{}")
    if ring is not None:
        directory.ring.write_bytes(ring)
    before = {path.name: path.read_bytes() for path in directory.path.glob("*.*")}

    with pytest.raises(NotResumable, match=r"ring\.bin: .*so the run cannot go on"):
        go_on(directory)

    assert before == {path.name: path.read_bytes() for path in directory.path.glob("*.*")}


def test_a_run_directory_that_was_thinned_out_is_refused(tmp_path: Path):
    directory = stopped_run(tmp_path / "run")
    directory.data.rmdir()

    with pytest.raises(Mistake, match="data: cannot be opened: No such file or directory"):
        go_on(directory)


def go_on(directory: RunDirectory) -> None:
    kept = read(directory, SMOKE)
    Controller(SMOKE, directory, SystemClock(), (), kept).run(StopRequest(), lambda snapshot: None)


def test_what_is_told_of_gaps_is_bounded_and_loses_no_operation():
    standing = Standing()
    for at_s in range(MAX_GAPS + 5):
        standing.at_s, standing.in_doubt_count = float(at_s), 2
        standing.close_gap(absent_s=3.0)

    assert MAX_GAPS == len(standing.gaps)
    assert 2 * (MAX_GAPS + 5) == standing.lost_track_count
    assert 3.0 * (MAX_GAPS + 5) == sum(gap.absent_s for gap in standing.gaps)
    assert Gap(at_s=MAX_GAPS + 4.0, absent_s=3.0, in_doubt_count=2) == standing.gaps[-1]


def stats(evicted: float) -> dict[str, object]:
    return {"kind": "stats", "t_ns": 1, "live": 10, "values": {"records_evicted_count": evicted}}


@pytest.mark.parametrize(
    ("after", "expected"), [(3.0, 53.0), (60.0, 60.0)], ids=["counts anew", "counts on"]
)
def test_what_was_evicted_is_counted_over_all_workers(after: float, expected: float):
    facts = WorkerFacts()
    facts.fold(stats(20.0))
    facts.fold(stats(50.0))

    facts.forget_worker()
    facts.fold(stats(after))

    assert expected == facts.stats["records_evicted_count"]
