"""Is what is due begun once, in its turn, and never two on one target?"""

import pytest

from soak.daemon.config import Soak
from soak.daemon.standing import Going, Outcome, Standing, due_s, read, startable, write
from soak.daemon.times import interval_times
from soak.verdict import Mistake

HOUR_S = 3600.0
NOW_S = 100 * HOUR_S


def soak_of(name: str, target: str = "engine", every_s: float = HOUR_S) -> Soak:
    return Soak(
        name=name,
        scenario="smoke",
        target=target,
        times=interval_times(every_s),
        said="",
        arguments=("smoke",),
    )


def begun(soaks: list[Soak], standings: dict[str, Standing], now_s: float = NOW_S) -> list[str]:
    return [soak.name for soak in startable(soaks, standings, now_s)]


def test_it_is_begun_at_its_time_and_not_before():
    standings = {"a": Standing(since_s=NOW_S - HOUR_S)}

    assert [] == begun([soak_of("a")], standings, NOW_S - 0.001)
    assert ["a"] == begun([soak_of("a")], standings, NOW_S)


def test_times_that_were_missed_are_one():
    soak, missed = soak_of("a"), Standing(since_s=NOW_S - 20.5 * HOUR_S)
    assert ["a"] == begun([soak], {"a": missed}, NOW_S + 60)

    caught_up = Standing(since_s=NOW_S + 60)
    assert [] == begun([soak], {"a": caught_up}, NOW_S + 60)
    assert NOW_S + HOUR_S == due_s(soak, caught_up, NOW_S + 60)


def test_one_goes_on_per_target_and_others_are_not_held_up():
    soaks = [soak_of("a"), soak_of("b"), soak_of("c", "null")]
    due = Standing(since_s=0.0)
    going = Going(scenario="smoke", target="engine", since_s=0.0)

    assert ["a", "c"] == begun(soaks, {"a": due, "b": due, "c": due})
    busy = Standing(since_s=0.0, going=going)
    assert ["c"] == begun(soaks, {"a": busy, "b": due, "c": due})
    # Also when nothing schedules any more what goes on there.
    assert ["c"] == begun(soaks, {"a": due, "b": due, "c": due, "gone": busy})


def test_who_has_waited_longest_comes_first():
    soaks = [soak_of("often"), soak_of("rarely")]
    standings = {
        "often": Standing(since_s=NOW_S - HOUR_S),
        "rarely": Standing(since_s=NOW_S - 5 * HOUR_S),
    }
    assert ["rarely"] == begun(soaks, standings)


def test_a_clock_that_was_put_back_silences_nothing():
    soak, ahead = soak_of("a"), Standing(since_s=NOW_S + 1000 * HOUR_S)

    assert NOW_S + HOUR_S == due_s(soak, ahead, NOW_S)


def test_what_is_kept_is_read_again(tmp_path):
    going = Going(
        scenario="smoke", target="engine", since_s=0.5, pid=7, run="r", url="u", reached_bytes=3
    )
    last = Outcome(run="r", status="fail", exit_code=10, reason="slow", ended_s=5.5)
    counts = {"pass": 2, "fail": 1, "unknown": 0}
    standings = {
        "a": Standing(since_s=1.5, going=going, last=last, counts=counts),
        "b": Standing(since_s=2.5),
    }
    assert {} == read(tmp_path)

    write(tmp_path, standings)

    assert standings == read(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"schedules": {"a": {"since_s": 1}}}', "{}"])
def test_a_damaged_file_is_told_with_a_remedy(tmp_path, content: str):
    (tmp_path / "daemon.json").write_text(content)

    with pytest.raises(Mistake, match=r"daemon.json: is damaged .* move it away"):
        read(tmp_path)
