"""What is to be soaked when? The daemon's file, read as strictly as a scenario."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from soak.daemon.times import CRON_HELP, Times, cron_times, interval_times
from soak.scenario import ScenarioError, load
from soak.scenario.choice import Strict
from soak.scenario.model import Name, Positive
from soak.scenario.quantities import FROM_TEXT, format_duration
from soak.scenario.wording import complaints
from soak.scenario.yaml_source import Problem, Source
from soak.scenario.yaml_source import read as read_yaml

LEAST_S = 1.0


class ConfigError(ScenarioError):
    """All that is wrong with a daemon's file, one line each, as of a scenario."""


def _cron(text: str) -> str:
    cron_times(text)
    return text


class Schedule(Strict):
    """A scenario that is run again and again, with flags of `soak run`."""

    name: Name = Field(description="What the page and the metrics call it; its runs' folder.")
    scenario: str = Field(min_length=1, description="A file, or the name of a shipped one.")
    cron: Annotated[str, AfterValidator(_cron)] | None = Field(None, description=CRON_HELP)
    every: Annotated[Positive, Field(ge=LEAST_S)] | None = Field(
        None, description="Multiples of this since 1970: of 6h, 00:00, 06:00, 12:00, 18:00 UTC."
    )
    target: str | None = Field(None, description="As after --target.")
    duration: Positive | None = Field(None, description="As after --duration.")
    set: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="path=value each, as after --set."
    )
    baseline: Name | None = Field(
        None, description="Must not be worse than this; the first run that passes becomes it."
    )
    keep: Annotated[int, Field(ge=1)] | None = Field(
        None, description="So many runs; older ones are deleted."
    )


class Config(Strict):
    """The whole file."""

    schedules: Annotated[tuple[Schedule, ...], Field(strict=False, min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """One schedule, resolved. scenario, target: as metrics name them. baseline: empty for none.

    said: its times, for people. arguments: of `soak run`, without where the run goes. keep: so many
    runs, 0 for all.
    """

    name: str
    scenario: str
    target: str
    times: Times
    said: str
    arguments: tuple[str, ...]
    baseline: str = ""
    keep: int = 0


def read(path: Path) -> tuple[Soak, ...]:
    """The schedules of a file, in its order. Raises ConfigError with every mistake found."""
    try:
        source = read_yaml(path.read_bytes(), str(path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problem = Problem(origin=str(path), path=(), text=f"cannot be read: {reason}")
        raise ConfigError([problem]) from error
    if not isinstance(source.tree, dict):
        text = "is not a mapping of keys; it has schedules, each with name, scenario, cron or every"
        unlike = Problem(origin=source.origin(()), path=(), text=text)
        raise ConfigError(source.problems or [unlike])
    try:
        config = Config.model_validate(source.tree, context=FROM_TEXT)
    except ValidationError as error:
        raise ConfigError([*source.problems, *complaints(error, source, Config)]) from error
    found = [_resolved(each, i, source) for i, each in enumerate(config.schedules)]
    problems = [*source.problems, *_contradictions(config, source)]
    problems += [each for each in found if isinstance(each, Problem)]
    if problems:
        raise ConfigError(problems)
    return tuple(each for each in found if isinstance(each, Soak))


def _contradictions(config: Config, source: Source) -> Iterator[Problem]:
    names = [schedule.name for schedule in config.schedules]
    for i, schedule in enumerate(config.schedules):
        path = ("schedules", i)
        if schedule.name in names[:i]:
            text = f"{schedule.name} is also the name of schedules[{names.index(schedule.name)}]"
            yield Problem(origin=source.origin((*path, "name")), path=(*path, "name"), text=text)
        if (schedule.cron is None) == (schedule.every is None):
            text = "needs either cron or every, to say when"
            yield Problem(origin=source.origin(path), path=path, text=text)


def _resolved(schedule: Schedule, i: int, source: Source) -> Soak | Problem:
    """What it stands for, or what is wrong with its scenario under these flags."""
    duration = None if schedule.duration is None else format_duration(schedule.duration)
    try:
        scenario = load(schedule.scenario, schedule.set, target=schedule.target, duration=duration)
    except ScenarioError as error:
        path = ("schedules", i, "scenario")
        text = "; ".join(str(error).splitlines())
        return Problem(origin=source.origin(path), path=path, text=text)
    flags = {"target": schedule.target, "duration": duration}
    arguments = [f"--{name}={value}" for name, value in flags.items() if value is not None]
    arguments += [f"--set={change}" for change in schedule.set]
    every_s = schedule.every or LEAST_S
    return Soak(
        name=schedule.name,
        scenario=scenario.name,
        target=scenario.target.name,
        times=cron_times(schedule.cron) if schedule.cron else interval_times(every_s),
        said=f"cron {schedule.cron}" if schedule.cron else f"every {format_duration(every_s)}",
        arguments=(schedule.scenario, *arguments),
        baseline=schedule.baseline or "",
        keep=schedule.keep or 0,
    )
