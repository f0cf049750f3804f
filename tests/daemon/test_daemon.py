"""Does a daemon settle what ended, refuse what is wrong, and leave what it cannot do on record?"""

import json
import os
import shutil
import signal
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.daemon.answers import DaemonAnswers
from soak.daemon.daemon import Asked, Daemon
from soak.daemon.standing import Going, Standing, read, write
from soak.rundir import RunDirectory
from soak.show.pages import JSON_TYPE
from soak.show.web import serve
from soak.verdict import Mistake
from tests.runs import write_run
from tests.servers import until
from tests.snapshots import six_hours

NEVER = "- {name: %s, scenario: smoke, every: 3650d, baseline: kept}\n"
RUN = "20260301T120000Z-smoke-0a1b2c"
GOING = Going(scenario="smoke", target="engine", since_s=0.0)


class Shop:
    """A folder for a daemon with its config, runs and baselines."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.store = folder, folder / "runs", folder / "baselines"
        self.file = folder / "daemon.yaml"
        self.out.mkdir()
        self.schedule("a")

    def schedule(self, *names: str) -> None:
        self.file.write_text("schedules:\n" + "".join(NEVER % name for name in names))

    def ended_run(self, standing: Standing, kind: str = "healthy") -> Path:
        """A run of `a` of which there is no process any more."""
        run = write_run(self.out / "a" / RUN, kind, length_s=300.0)
        (self.out / "a" / "run.stderr").write_text(f"soak {RUN}: smoke on engine\n")
        write(self.out, {"a": standing})
        return run

    def opened(self) -> Daemon:
        return Daemon(self.file, self.out, self.store, SystemClock())

    def turned(self) -> Standing:
        """How `a` stands after a turn of a new daemon, on disk as in memory."""
        daemon = self.opened()
        daemon.turn()
        daemon.close()
        assert asdict(daemon.standings["a"]) == asdict(read(self.out)["a"])
        return daemon.standings["a"]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def now_going(**known: float | str) -> Standing:
    return Standing(since_s=SystemClock().wall_s(), going=replace(GOING, **known))


def test_a_run_that_ended_while_nobody_looked_is_recorded_and_becomes_the_baseline(shop: Shop):
    shop.ended_run(now_going())

    last = shop.turned().last

    assert last
    assert (RUN, "pass", 0, "") == (last.run, last.status, last.exit_code, last.comparison)
    assert [RUN] == [path.name for path in (shop.store / "kept").iterdir()]


def test_a_regression_is_what_the_comparison_says(shop: Shop):
    run = shop.ended_run(now_going())
    (run / "comparison.json").write_text(json.dumps({"verdict": {"status": "fail"}}))

    standing = shop.turned()

    assert standing.last
    assert "fail" == standing.last.comparison
    page = DaemonAnswers(shop.opened()).get("/metrics", compressed=False)[1].decode()
    said = 'schedule="a",status="fail"} 1.0'
    assert [said in line for line in page.splitlines() if "_comparison_status{" in line][1]


def test_a_run_that_gets_no_further_is_recorded_instead_of_resumed_again(shop: Shop):
    run = shop.ended_run(now_going(), kind="crashed")
    (run / "checkpoint.bin").write_bytes(b"")
    reached_bytes = (run / "windows.csv").stat().st_size
    write(shop.out, {"a": now_going(run=RUN, reached_bytes=reached_bytes)})

    standing = shop.turned()

    assert standing.last
    assert (RUN, "unknown", 13) == (
        *(standing.last.run, standing.last.status, standing.last.exit_code),
    )
    assert {"pass": 0, "fail": 0, "unknown": 1} == standing.counts


def stopped(daemon: Daemon) -> int:
    """Its exit code, asked to stop before its first turn."""
    code = daemon.keep_on(Asked(stop=signal.SIGTERM), lambda: None)
    daemon.close()
    return code


def test_a_run_that_a_daemon_stopped_is_resumed_however_far_it_got(shop: Shop):
    run = shop.ended_run(now_going(), kind="crashed")
    (run / "checkpoint.bin").write_bytes(b"")
    reached_bytes = (run / "windows.csv").stat().st_size
    write(shop.out, {"a": now_going(run=RUN, reached_bytes=reached_bytes)})
    assert 143 == stopped(shop.opened())

    second = shop.opened()
    second.turn()

    standing = second.standings["a"]
    assert standing.going
    assert (None, RUN, reached_bytes) == (
        *(standing.last, standing.going.run, standing.going.reached_bytes),
    )
    until(lambda: not second.runs("a").is_going(), "the end of what cannot be resumed")
    second.close()


def test_a_run_whose_process_was_not_noted_is_stopped_all_the_same(shop: Shop):
    folder = shop.out / "a"
    folder.mkdir()
    place = RunDirectory(folder)
    held = place.claim(folder)
    assert held is not None
    with subprocess.Popen(["sleep", "600"], pass_fds=(held,)) as run:
        place.release(held)
        write(shop.out, {"a": now_going(pid=0)})

        assert 143 == stopped(shop.opened())
        assert -signal.SIGTERM == run.wait(30)


def test_who_is_stopping_or_cannot_keep_its_state_is_alive_and_not_ready(shop: Shop):
    daemon = shop.opened()
    answers, kept = DaemonAnswers(daemon), shop.out / "daemon.json"

    def status() -> list[int]:
        paths = "/healthz", "/readyz"
        return [int(answers.get(path, compressed=False)[0].status) for path in paths]

    assert [200, 200] == status()
    kept.unlink()
    kept.mkdir()
    daemon.reread()
    assert [200, 503] == status()
    assert f"{kept} cannot be written\n" == answers.get("/readyz", compressed=False)[1].decode()
    kept.rmdir()
    daemon.turn()
    assert [200, 200] == status()
    assert 143 == stopped(daemon)
    assert [200, 503] == status()


def test_the_loop_turns_while_a_run_is_read_for_its_baseline(shop: Shop):
    histograms = shop.ended_run(now_going()) / "histograms.npz"
    os.mkfifo(histograms)
    daemon = shop.opened()

    daemon.turn()

    assert daemon.standings["a"].last
    # Its reader waits for a writer.
    with histograms.open("wb"):
        assert not any(shop.store.glob("kept/*"))
    daemon.close()
    assert [RUN] == [path.name for path in (shop.store / "kept").iterdir()]


def test_a_run_that_was_cut_off_before_it_began_is_as_due_as_before(shop: Shop):
    since_s = SystemClock().wall_s() - 1.0
    write(shop.out, {"a": now_going(since_s=since_s)})

    standing = shop.turned()

    assert (since_s, None, None) == (standing.since_s, standing.going, standing.last)


def test_what_cannot_be_begun_is_on_record(shop: Shop):
    write(shop.out, {"a": Standing(since_s=-1.0)})
    shop.out.joinpath("a").write_text("in the way of its folder")

    last = shop.turned().last

    assert last
    assert ("", "unknown", 13) == (last.run, last.status, last.exit_code)
    assert "cannot be begun" in last.reason


def test_of_the_runs_of_a_schedule_the_newest_are_kept_and_the_baseline(shop: Shop):
    older = [RUN.replace("20260301", f"2026020{day}") for day in (1, 2, 3)]
    for name in older:
        write_run(shop.out / "a" / name, "healthy", length_s=300.0)
    shop.ended_run(now_going())
    shop.file.write_text(shop.file.read_text().replace("every: ", "keep: 2, every: "))

    daemon = shop.opened()
    for _ in range(4):
        daemon.turn()
    daemon.close()

    assert [older[2], RUN] == sorted(
        path.parent.name for path in shop.out.glob("a/*/scenario.yaml")
    )
    assert [RUN] == [path.name for path in (shop.store / "kept").iterdir()]


def test_a_config_is_reread_and_a_wrong_one_is_refused_in_one_line(
    shop: Shop, capsys: pytest.CaptureFixture[str]
):
    daemon = shop.opened()
    shop.schedule("a", "b")
    daemon.reread()
    assert ["a", "b"] == sorted(daemon.standings) == [soak.name for soak in daemon.soaks]
    capsys.readouterr()

    shop.file.write_text("schedules:\n- {name: c}\n- {nam: d}\n")
    daemon.reread()

    said = capsys.readouterr()
    assert 1 == (said.out + said.err).count("\n")
    assert "daemon.yaml:2: schedules[0].scenario: is missing" in said.out + said.err
    assert ["a", "b"] == sorted(daemon.standings)

    shop.schedule("b")
    daemon.reread()
    assert ["b"] == sorted(daemon.standings)
    daemon.close()


def test_two_daemons_do_not_share_a_folder(shop: Shop):
    first = shop.opened()

    with pytest.raises(Mistake, match="another daemon has it"):
        shop.opened()
    first.close()
    shop.opened().close()


def test_the_page_of_a_run_that_goes_on_is_passed_on_from_its_own_server(shop: Shop):
    own = serve("127.0.0.1:0", six_hours, lambda: 0.0)
    going = replace(GOING, run=RUN, url=own.url)
    write(shop.out, {"a": replace(now_going(), going=going)})
    daemon = shop.opened()
    answers = DaemonAnswers(daemon)

    def at(path: str) -> tuple[int, str, bytes]:
        answer, body = answers.get(path, compressed=False)
        return int(answer.status), answer.type, body

    assert b'href="/live/a/"' in at("/")[2]
    assert at("/live/a/")[2].startswith(b"<!doctype html>")
    assert (200, JSON_TYPE) == at("/live/a/api/run")[:2]
    assert 404 == at("/live/a/nothing")[0] == at("/live/b/")[0] == at("/live/a/../b")[0]
    own.close()
    assert (503, b"no run of a goes on, or it does not answer\n") == at("/live/a/")[::2]
    daemon.close()


def test_a_report_is_shown_and_nothing_beside_it(shop: Shop):
    run = shop.ended_run(Standing(since_s=SystemClock().wall_s()))
    (run / "report.html").write_text("<p>found</p>")
    shutil.copytree(run, shop.out / "b" / RUN)
    daemon = shop.opened()
    answers = DaemonAnswers(daemon)

    def status(path: str) -> int:
        return int(answers.get(path, compressed=False)[0].status)

    page = answers.get("/", compressed=False)[1].decode()
    path = f"/runs/a/{RUN}/report.html"
    assert f'href="{path}"' in page
    assert b"<p>found</p>" == answers.get(path, compressed=False)[1]
    assert 200 == status("/report.css") == status("/colours.css") == status("/healthz")
    others = (f"/runs/b/{RUN}/report.html", f"/runs/a/{RUN}/report.json", "/runs/a/../daemon.json")
    assert [404, 404, 404] == [status(other) for other in others]
    daemon.close()
