"""Does a day that is killed twenty times end as one that nobody disturbed?

`python -m tests.endtoend.killed_day --kills 20 --seed 1`: 24 hours of `steady` at 8/s and sixty
times the speed, and beside it the same with controller, worker or both killed at random moments
and resumed; 26 minutes. Prints kills, counts, latencies and checks of both; 0 where they agree.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.endtoend.conftest import ROOT
from tests.endtoend.killing import (
    CODES,
    Course,
    Kill,
    Running,
    in_doubt,
    killed_run,
    missing,
    report_of,
)

RATE_PER_S = 8
# Two processes on two cores: medians of so many operations are alike, tails are the machine's.
MEDIAN_RATIO = 1.25
RESUMED_S = 10.0  # real seconds from `soak resume` to its load, whatever the run's age


def day(path: Path, *, seed: int, hours: float, scale: float) -> Path:
    """The shipped scenario. Its latencies are told in run time, which is `scale` times the real."""
    tree = yaml.safe_load((ROOT / "configs" / "steady.yaml").read_text())
    tree |= {"name": "day", "seed": seed, "rate": f"{RATE_PER_S}/s", "listen": None}
    # At such a speed a look a second would be most of the load.
    tree["observe"] = {"window": "60s", "sample": "10s", "judge": "60s", "recall_every": "10s"}
    tree["target"]["timeout"] = f"{10 * scale:g}s"
    warm, steady = tree["phases"]
    warm["duration"], steady["duration"] = f"{hours * 3:g}m", f"{hours * 57:g}m"
    for check in tree["checks"]:
        if check["name"].endswith("-p99"):
            check["params"]["max"] = f"{200 * scale:g}ms"
        if check["name"] == "throughput":
            check["params"]["min"] = f"{RATE_PER_S / 2:g}/s"
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


def drawn_kills(rng: np.random.Generator, count: int, length_s: float) -> Iterator[Kill]:
    """One in each of so many parts of most of the run: all of them come before its end, though a
    worker on a busy machine tells its figures less often than once a second."""
    moments_s = 0.75 * length_s / count * (np.arange(count) + rng.uniform(size=count))
    for after_s in np.diff(moments_s, prepend=0.0):
        yield Kill(who=str(rng.choice(list(CODES))), after=max(1, int(after_s)))


def rows(reports: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, bool]]:
    """What is compared, of the undisturbed and of the killed, and whether that agrees."""
    quiet, killed = reports
    of_killed = {check["name"]: check["status"] for check in killed["checks"]}
    for check in quiet["checks"]:
        one, other = check["status"], of_killed[check["name"]]
        yield f"check {check['name']}", one, other, one == other
    one, other = (report["verdict"]["status"] for report in reports)
    yield "verdict", one, other, one == other
    for name, row in quiet["operations"].items():
        other_row = killed["operations"][name]
        p50s = [1e3 * each["service_s"]["p50"] for each in (row, other_row)]
        is_alike = max(p50s) <= MEDIAN_RATIO * min(p50s)
        yield f"{name} p50", f"{p50s[0]:.1f} ms", f"{p50s[1]:.1f} ms", is_alike


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--hours", type=float, default=24.0)
    arguments.add_argument("--scale", type=float, default=60.0)
    asked = arguments.parse_args()
    length_s = asked.hours * 3_600
    within_s = 3 * length_s / asked.scale + 300
    with tempfile.TemporaryDirectory() as below:
        scenario = day(
            Path(below) / "day.yaml", seed=asked.seed, hours=asked.hours, scale=asked.scale
        )
        outs = [Path(below) / "undisturbed", Path(below) / "killed"]
        command = ("run", str(scenario))
        undisturbed = Running(*command, "--out", str(outs[0]), scale=asked.scale)
        kills = drawn_kills(np.random.default_rng(asked.seed), asked.kills, length_s)
        courses = []
        for course in killed_run(command, outs[1], kills, asked.scale, within_s):
            courses.append(course)
            sys.stdout.write(said(course))
            sys.stdout.flush()
        end = undisturbed.end(within_s=within_s)
        sys.stdout.write(f"undisturbed, the end: exit code {end.code}\n{end.words}")
        reports = [report_of(out) for out in outs]
        losses = [missing(scenario, report) for report in reports]
    happened = [course for course in courses if course.kill]
    is_whole = len(happened) == asked.kills and all(is_right(course) for course in happened)
    resumed_s = [course.load_after_s for course in courses[1:]]
    sys.stdout.write(f"load again after a resume: at most {max(resumed_s):.1f} s\n")
    is_soon = max(resumed_s) <= RESUMED_S
    return int(_told(reports, losses) or not is_whole or not is_soon)


def is_right(course: Course) -> bool:
    return course.kill is None or course.code == CODES[course.kill.who]


def said(course: Course) -> str:
    """A line, and below it the words of the last one and of those that ended as they must not."""
    kill, after_s = course.kill, course.load_after_s
    what = f"{kill.who} after {kill.after} s" if kill else "to the end"
    words = course.words if kill is None or not is_right(course) else ""
    return f"{what:24} load after {after_s:4.1f} s, exit code {course.code}\n{words}"


def _told(reports: list[dict[str, Any]], losses: list[int]) -> int:
    """Prints the comparison; 0 where all of it agrees."""
    sys.stdout.write(f"\n{'':28}{'undisturbed':>14}{'killed':>14}\n")
    doubts = [in_doubt(report) for report in reports]
    violations = [sum(report["oracle"]["violations"].values()) for report in reports]
    for name, values in (
        ("without a result", losses),
        ("in doubt", doubts),
        ("wrong answers", violations),
    ):
        sys.stdout.write(f"{name:28}{values[0]:14}{values[1]:14}\n")
    agreed = losses == doubts and not any(violations)
    for report in reports:
        sys.stdout.writelines(f"{error}\n" for error in report["errors"])
    for name, one, other, is_alike in rows(reports):
        sys.stdout.write(f"{name:28}{one:>14}{other:>14}{'' if is_alike else '   differs'}\n")
        agreed = agreed and is_alike
    return int(not agreed)


if __name__ == "__main__":
    sys.exit(main())
