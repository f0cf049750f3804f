"""Does a run that is killed again and again come to the end of an undisturbed one?

`python -m tests.endtoend.killed --kills 100 --seed 1` kills controller, worker or both at random
moments of an accelerated run, resumes it, and compares: every operation of the schedule was
answered once or was in flight at a kill, and no answer is wrong. Prints a line per kill.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.endtoend.killing import (
    CODES,
    Kill,
    in_doubt,
    killed_run,
    missing,
    report_of,
    scheduled,
    write_scenario,
)


def drawn_kill(rng: np.random.Generator) -> Kill:
    after = int(rng.integers(0, 7))
    whom = list(CODES) if after else ["controller", "both"]
    return Kill(who=str(rng.choice(whom)), after=after)


def main(given: Sequence[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args(given)
    rng = np.random.default_rng(asked.seed)
    kills = [drawn_kill(rng) for _ in range(asked.kills)]
    with tempfile.TemporaryDirectory() as below:
        path = Path(below) / "killed.yaml"
        scenario = write_scenario(path, seed=asked.seed, seconds=12.0 * asked.kills)
        out = Path(below) / "runs"
        wrong, happened = 0, 0
        for course in killed_run(["run", str(scenario)], out, kills):
            code, kill = course.code, course.kill
            if kill is None:
                sys.stdout.write(f"the end: exit code {code}\n{course.words}")
                continue
            happened += 1
            sys.stdout.write(f"{happened:4} {kill.who:10} after {kill.after}: {code}\n")
            sys.stdout.flush()
            if code != CODES[kill.who]:
                wrong += 1
                sys.stdout.write(course.words)
        report = report_of(out)
        lost = missing(scenario, report)
        violations = sum(report["oracle"]["violations"].values())
        total = scheduled(scenario).total()
        sys.stdout.write(
            f"seed {asked.seed}: {happened} kills; {total} operations, {lost} without a result, "
            f"{in_doubt(report)} in doubt; {violations} wrong answers; "
            f"verdict {report['verdict']}\n"
        )
    return int(bool(wrong or violations or lost != in_doubt(report) or happened < asked.kills))


if __name__ == "__main__":
    sys.exit(main())
