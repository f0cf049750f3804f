"""How does a file become a Scenario? Read, overridden, validated, resolved; or every mistake told.

`load` is what a command calls; `dump` writes what ran, so that running it again repeats the run.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from soak.plugins import nearest
from soak.scenario.choice import Choice
from soak.scenario.model import (
    Check,
    Content,
    Observe,
    Phase,
    Population,
    Scenario,
    Target,
    Turns,
)
from soak.scenario.override import aim, override
from soak.scenario.quantities import FROM_TEXT, parse_duration, parse_rate
from soak.scenario.rules import contradictions, undecidable
from soak.scenario.schema import json_schema
from soak.scenario.shapes import Importance, Popularity
from soak.scenario.usual_checks import usual_checks
from soak.scenario.wording import complaints
from soak.scenario.yaml_source import Problem, Source, read, write
from soak.verdict import Mistake

__all__ = [
    "Check",
    "Choice",
    "Content",
    "Importance",
    "Observe",
    "Phase",
    "Popularity",
    "Population",
    "Scenario",
    "ScenarioError",
    "Target",
    "Turns",
    "dump",
    "json_schema",
    "load",
    "resolve",
    "shipped",
]


class ScenarioError(Mistake):
    """All that is wrong with a scenario, one line each: `file:line: path: what; allowed`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _line(problem: Problem) -> int:
    """For sorting: those of a flag, which have no line, come first."""
    line = problem.origin.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


def load(
    path: Path | str,
    overrides: Sequence[str] = (),
    *,
    target: str | None = None,
    duration: str | None = None,
    rate: str | None = None,
    seed: str | None = None,
    listen: str | None = None,
    variables: Collection[str] = (),
) -> Scenario:
    """The scenario of a file or of a shipped name (`steady`), changed by the flags of a command.

    overrides: `path=value` as after --set. target, duration, rate, seed, listen: as after the flag
    of that name; variables: which of these came from the environment instead, as SOAK_<NAME>.
    Raises ScenarioError with every mistake found.
    """

    def said(name: str, text: str | None) -> str:
        return f"SOAK_{name.upper()}={text}" if name in variables else f"--{name} {text}"

    file = _find(str(path))
    source = _read(file)
    if target is not None:
        source = aim(source, target, said("target", target))
    for assignment in overrides:
        source = override(source, assignment)
    if seed is not None:
        source = override(source, f"seed={seed}", said("seed", seed))
    if listen is not None:
        # Quoted: YAML would read [::1]:9464 as a list.
        source = override(source, f'listen="{listen}"', said("listen", listen))
    scenario = _resolved(source, _name_of(file), is_whole=duration is None)
    return scenario.scaled(
        duration_s=_flag_value(said("duration", duration), duration, parse_duration, "366d"),
        rate=_flag_value(said("rate", rate), rate, _parse_any_rate, "1000000/s"),
    )


def resolve(tree: Mapping[str, object], source: str) -> Scenario:
    """The scenario of plain values, as a file would give it. source: what messages call it."""
    whole = Source(tree=dict(tree), origins={(): source}, problems=())
    return _resolved(whole, source, is_whole=True)


def dump(scenario: Scenario) -> str:
    """The resolved scenario as YAML, which loads as the same scenario."""
    return write(_short(scenario.model_dump(mode="json")))


def _short(tree: object) -> object:
    """The same values with 3.0 written as 3."""
    if isinstance(tree, dict):
        return {key: _short(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_short(value) for value in tree]
    is_whole = isinstance(tree, float) and tree.is_integer() and abs(tree) < 1e15
    return int(tree) if isinstance(tree, float) and is_whole else tree


def shipped() -> Mapping[str, Path]:
    """The scenarios that come with the tester: name to file."""
    here = Path(__file__).parents[1]
    folders = [folder for folder in (here / "configs", here.parent / "configs") if folder.is_dir()]
    return {file.stem: file for file in sorted(folders[0].glob("*.yaml"))} if folders else {}


def _find(name: str) -> Path:
    known = shipped()
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", name) or Path(name).exists():
        return Path(name)
    if name in known:
        return known[name]
    allowed = f"shipped are: {', '.join(known)}{nearest(name, known)}"
    text = f"no scenario of that name, and no file; {allowed}"
    raise ScenarioError([Problem(origin=name, path=(), text=text)])


def _read(file: Path) -> Source:
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problem = Problem(origin=str(file), path=(), text=f"cannot be read: {reason}")
        raise ScenarioError([problem]) from error
    return read(content, str(file))


def _resolved(source: Source, default_name: str, *, is_whole: bool) -> Scenario:
    if not isinstance(source.tree, dict):
        raise ScenarioError([*source.problems, *_not_a_mapping(source)])
    tree = {"name": default_name, **source.tree}
    try:
        scenario = Scenario.model_validate(tree, context=FROM_TEXT)
    except ValidationError as error:
        raise ScenarioError([*source.problems, *complaints(error, source)]) from error
    wrong = [
        Problem(origin=source.origin(path), path=path, text=text)
        for path, text in (
            *contradictions(scenario),
            *(undecidable(scenario) if is_whole else ()),
        )
    ]
    if source.problems or wrong:
        raise ScenarioError([*source.problems, *wrong])
    scenario = scenario.with_rates()
    if "checks" in tree:
        return scenario
    return scenario.model_copy(update={"checks": usual_checks(scenario)})


def _not_a_mapping(source: Source) -> list[Problem]:
    if source.problems:
        return []
    stands = "is empty" if source.tree is None else "is not a mapping of keys"
    text = f"{stands}; a scenario has at least phases, each with name, duration and mix"
    return [Problem(origin=source.origin(()), path=(), text=text)]


def _name_of(file: Path) -> str:
    """The file's stem as a scenario name: `My soak.yaml` is my-soak."""
    return re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-_")[:64] or "scenario"


def _flag_value(
    flag: str, text: str | None, parse: Callable[[str], float], most: str
) -> float | None:
    if text is None:
        return None
    try:
        value = parse(text)
        if not 0 < value <= parse(most):
            raise ValueError(f"must be above 0 and at most {most}")
    except ValueError as error:
        problem = Problem(origin=flag, path=(), text=str(error))
        raise ScenarioError([problem]) from error
    return value


def _parse_any_rate(text: str) -> float:
    return parse_rate(text if "/" in text else f"{text}/s")
