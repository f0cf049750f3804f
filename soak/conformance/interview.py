"""Which claims hold? Each is asked of a new target, by the interpreter that has its packages.

    python -m soak.conformance.interview SCENARIO FOLDER

writes an answer a line to FOLDER/answers.jsonl; a target's libraries may say what they like on
stdout.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from soak import plugins
from soak.clock import SystemClock
from soak.conformance.claims import CLAIMS, Claim
from soak.conformance.scene import SEARCH_AGENT, Broken, Scene, promised_by
from soak.result import Failure, TargetError, TargetUnavailable, attempt
from soak.scenario import Scenario, load
from soak.seams import Content
from soak.targets._packages import interpreter
from soak.verdict import ExitCode, Mistake

# All claims together; a server is started for each.
LONGEST_S = 900.0
LAST_WORDS_BYTES = 2_000
ANSWERS = "answers.jsonl"
ENDS = "its process ends when all is closed"
NOT_ASKED = "not asked: the process ended at a claim before it"

Word = Literal["pass", "fail", "unknown", "skipped"]


class Unavailable(Mistake):
    """The target cannot be built; the message is its own words."""

    exit_code = ExitCode.TARGET


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one claim; reason is empty where it holds."""

    name: str
    status: Word
    reason: str = ""


def interviewed(scenario: Path, folder: Path) -> list[Answer]:
    """An answer per claim, whatever becomes of the process that is asked.

    Raises NotInstalled, and Unavailable where the target does not start.
    """
    target = load(scenario).target
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [interpreter(target), "-m", "soak.conformance.interview", str(scenario), str(folder)]
    said, late = folder / "interview.stderr", ""
    with said.open("wb") as words:
        try:
            code = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": paths},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                timeout=LONGEST_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code, late = 0, f"no answer after {LONGEST_S:g} s"
    told = said.read_bytes()[-LAST_WORDS_BYTES:].decode(errors="replace").strip()
    last = told.splitlines()[-1] if told else ""
    if code == ExitCode.TARGET:
        raise Unavailable(f"target {target.name}: {last}")
    answers = _written(folder / ANSWERS)
    return answers + _without_answer(len(answers), late or _how_it_ended(code, last))


def _written(file: Path) -> list[Answer]:
    """None where the process died before it wrote one."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [Answer(**json.loads(line)) for line in lines]


def _how_it_ended(code: int, last: str) -> str:
    """Empty where it ended well. last: the last thing that it said on stderr."""
    if code == 0:
        return ""
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"its process ended with {how}" + (f": {last}" if last else "")


def _without_answer(answered_count: int, ended: str) -> list[Answer]:
    """The claim at which it ended so does not hold, and nobody knows of those after it."""
    if not ended:
        return []
    names = [claim.name for claim in CLAIMS[answered_count:]] or [ENDS]
    unasked = [Answer(name=name, status="unknown", reason=NOT_ASKED) for name in names[1:]]
    return [Answer(name=names[0], status="fail", reason=ended), *unasked]


def answers_of(scenario: Scenario, folder: Path) -> Iterator[Answer]:
    """Here and now, one claim after another. Raises TargetUnavailable."""
    chosen = scenario.content
    seed, keys = scenario.seed, scenario.population.keys
    content = plugins.load("content", chosen.kind).build(chosen.params, seed, keys)
    module = plugins.load("targets", scenario.target.name)
    can = promised_by(scenario.target)
    for number, claim in enumerate(CLAIMS, start=1):
        reason = why_not(claim, can, vars(module))
        if reason:
            yield Answer(name=claim.name, status="skipped", reason=reason)
            continue
        home = folder / f"{number:02}"
        home.mkdir()
        reason = _asked(claim, scenario, content, home)
        yield Answer(name=claim.name, status="fail" if reason else "pass", reason=reason)


def why_not(claim: Claim, can: frozenset[str], said: Mapping[str, Any]) -> str:
    """Why a claim is not made; empty where it is. said: by the target's module, name by name."""
    implied = frozenset({SEARCH_AGENT}) - said["CAPABILITIES"]
    lacking = sorted(claim.needs - can - implied)
    if lacking:
        return f"it lacks {', '.join(lacking)}, and says so"
    if claim.remembers and not said.get("REMEMBERS", True):
        return "it remembers nothing, and says so"
    return ""


def _asked(claim: Claim, scenario: Scenario, content: Content, home: Path) -> str:
    """Why the claim does not hold; empty where it does."""
    chosen, clock = scenario.target, SystemClock()
    scene = attempt(
        lambda changes: Scene(chosen, changes, content=content, home=home, clock=clock),
        claim.changes,
    )
    if isinstance(scene, Failure):
        raise TargetUnavailable(str(scene.error)) from scene.error
    for failure in (attempt(claim.ask, scene), attempt(lambda asked: asked.target.close(), scene)):
        if isinstance(failure, Failure):
            return _words(failure.error)
    return ""


def _words(error: Exception) -> str:
    if isinstance(error, Broken):
        return str(error)
    known = "" if isinstance(error, TargetError) else ", which is no TargetError"
    return f"it raised {type(error).__name__}{known}: {error}"


def main(scenario: str, folder: str) -> int:
    with (Path(folder) / ANSWERS).open("a") as lines:
        try:
            for answer in answers_of(load(scenario), Path(folder)):
                lines.write(json.dumps(asdict(answer)) + "\n")
                lines.flush()
        except TargetUnavailable as error:
            sys.stderr.write(f"{error}\n")
            return ExitCode.TARGET
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
