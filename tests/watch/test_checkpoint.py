"""Is a run that cannot go on refused, with the reason and what to do instead?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from soak import __version__, session
from soak.clock import NS_PER_S, SystemClock
from soak.comparison.gate import Gate
from soak.controller import Controller
from soak.load.feeder import Feeder
from soak.load.ring import Ring
from soak.load.salvage import NONE
from soak.load.workload import Workload
from soak.rundir import LineLog, RunDirectory, RunDirError
from soak.scenario import dump, load
from soak.snapshot import Gap
from soak.state import Tree, packed
from soak.verdict import Mistake
from soak.watch.checkpoint import (
    EVERY_S,
    LAYOUT,
    MAX_GAPS,
    Checkpoints,
    NotResumable,
    Parts,
    Standing,
    digest,
    read,
)
from soak.watch.environment import identity_of
from soak.watch.events import EventLog
from soak.watch.losses import Losses
from soak.watch.observer import Observer
from soak.watch.resumption import cut_logs
from soak.watch.status import Status
from soak.watch.stopping import StopRequest
from soak.watch.worker_log import LogTail, WorkerFacts

TOLD = session.Told(plain=True, as_json=False)

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
    directory.resumable.write_bytes(b"".join(packed(tree)))
    return directory


def damage(directory: RunDirectory) -> None:
    directory.resumable.write_bytes(directory.resumable.read_bytes()[:-1])


def finish(directory: RunDirectory) -> None:
    directory.replace_json(directory.checkpoint, {"state": "finished"})


def change_scenario(directory: RunDirectory) -> None:
    directory.scenario.write_text(dump(SMOKE).replace("rate: 100", "rate: 101"))


def begin(directory: RunDirectory) -> None:
    directory.resumable.unlink()


def gather(directory: RunDirectory) -> None:
    """What the head of a cluster leaves: it has no checkpoint, its workers are elsewhere."""
    directory.resumable.unlink()
    directory.replace_json(directory.environment, {"workers": [{"worker": "worker-0"}]})


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
        (gather, "a run on a cluster cannot go on"),
    ],
    ids=["damaged", "finished", "changed", "never began", "on a cluster"],
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
        session.resume(tmp_path, listen=None, arguments=(), told=TOLD, gate=Gate())


def test_a_run_that_is_still_going_on_is_refused(tmp_path: Path):
    directory = stopped_run(tmp_path / "run")
    held = directory.claim(directory.path)
    assert held is not None

    with pytest.raises(NotResumable, match="still going on"):
        session.resume(directory.path, listen=None, arguments=(), told=TOLD, gate=Gate())
    directory.release(held)


def test_a_run_whose_baseline_is_gone_is_refused(tmp_path: Path):
    directory = stopped_run(tmp_path / "run")
    gate = {"baselines": [str(tmp_path / "gone")], "thresholds": []}
    directory.replace_json(directory.gate, gate)

    with pytest.raises(Mistake, match=r"its baseline is not there.*pass --baseline"):
        session.resume(directory.path, listen=None, arguments=(), told=TOLD, gate=Gate())


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
    Controller(SMOKE, directory, SystemClock(), (), {}, kept).run(StopRequest(), lambda seen: None)


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


@dataclass
class HandClock(SystemClock):
    now_ns: int = 10**15

    def monotonic_ns(self) -> int:
        return self.now_ns


@contextmanager
def running(directory: RunDirectory, clock: HandClock) -> Iterator[tuple[Checkpoints, Ring]]:
    """What writes the checkpoints of a run, and the ring it writes them of."""
    ring = Ring.create(directory.ring, 16)
    ring.start(clock.now_ns)
    workload, facts = Workload(SMOKE), WorkerFacts()
    tail = LogTail(directory.worker_log)
    logs = [LineLog(directory.events), LineLog(directory.verdicts)]
    events = EventLog(logs[0])
    observer = Observer(SMOKE, directory, clock, events, facts, tail)
    logs += observer.logs
    losses = Losses(directory, logs, ring, tail, events, clock)
    identity = identity_of(SMOKE, directory, clock)
    parts = Parts(
        workload=workload,
        feeder=Feeder(workload, ring),
        observer=observer,
        events=events,
        facts=facts,
        tail=tail,
        status=Status(SMOKE, identity, observer, events, logs[1], losses),
        losses=losses,
        logs={log.name: log for log in logs},
    )
    try:
        yield Checkpoints(directory, parts, clock), ring
    finally:
        for log in logs:
            log.close()


@pytest.mark.parametrize(
    ("folded", "secured"), [(8, 0), (9, 9)], ids=["there is room", "half is held back"]
)
def test_a_checkpoint_that_finds_no_room_waits_and_the_load_does_not(
    folded: int, secured: int, tmp_path: Path
):
    directory, clock = stopped_run(tmp_path / "run"), HandClock()
    kept = directory.resumable.read_bytes()
    # The first one finds a full disk; what is left of that one is then removed.
    directory.resumable.with_name("checkpoint.bin.partial").symlink_to("/dev/full")
    with running(directory, clock) as (checkpoints, ring):
        ring.scheduled = ring.folded = folded

        with pytest.raises(RunDirError, match="No space left"):
            checkpoints.write(Standing(), ring)
        found = ring.secured, checkpoints.is_due(clock.now_ns + NS_PER_S, ring)

        assert (secured, False) == found
        assert kept == directory.resumable.read_bytes()
        assert checkpoints.is_due(clock.now_ns + round((EVERY_S + 1) * NS_PER_S), ring)
        checkpoints.write(Standing(), ring)
        assert folded == ring.secured
