"""What is a scenario, once it is read? Frozen models; a field's name is its key in the file."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from soak import plugins
from soak.result import OPERATIONS
from soak.scenario.choice import Params, PlugIn, Strict
from soak.scenario.quantities import Duration, Rate, rate_fields
from soak.scenario.shapes import Importance, Popularity, Share

MAX_PHASES = 255  # one byte of a slot's tag
MAX_KEYS = 1 << 26
LARGEST_TIME_SCALE = 1e6
NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"

Name = Annotated[str, Field(pattern=NAME)]
Positive = Annotated[Duration, Field(gt=0)]


class Target(PlugIn):
    """The system under test."""

    seam: ClassVar[str] = "targets"
    chooser: ClassVar[str] = "name"

    name: str = Field("engine", description="A file of soak/targets, or a dotted module name.")
    params: Params = Field({}, validate_default=True, description="The target's own parameters.")
    clients: int = Field(1, ge=1, le=1024, description="Threads that issue operations.")
    timeout: Positive = Field(30.0, description="An operation that takes longer has failed.")
    time_scale: float = Field(
        1.0,
        ge=1,
        le=LARGEST_TIME_SCALE,
        description="So many times as fast memories age in it; the load comes as ever.",
    )
    python: str | None = Field(
        None, min_length=1, description="Interpreter of another virtual environment."
    )


class Content(PlugIn):
    """What the memories say, and how large they are."""

    seam: ClassVar[str] = "content"

    kind: str = Field("clustered", description="A file of soak/content.")
    params: Params = Field({}, validate_default=True)


class Arrivals(PlugIn):
    """When operations are due."""

    seam: ClassVar[str] = "arrivals"

    kind: str = Field("poisson", description="A file of soak/arrivals.")
    params: Params = Field({}, validate_default=True)

    @property
    def is_open(self) -> bool:
        """False where the clients decide when the next operation is due: there is no rate."""
        return bool(getattr(plugins.load(self.seam, self.kind), "IS_OPEN", True))


class Check(PlugIn):
    """What must hold: a detector, its parameters, and a name for the report."""

    seam: ClassVar[str] = "detectors"
    chooser: ClassVar[str] = "detector"

    name: Name = Field(description="What the report and the metrics call it.")
    detector: str = Field(description="A file of soak/detectors.")
    params: Params = Field({}, validate_default=True, description="The detector's parameters.")
    needs: Duration = Field(
        0.0,
        description="A run planned shorter than this skips the check: it could not decide.",
    )
    phases: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)] | None = Field(
        None, description="Only the time of these phases is judged; all after warm-up without it."
    )
    abort: Duration | None = Field(
        None, description="The run ends when the check has failed for so long after warm-up."
    )

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, value: object) -> object:
        return {"name": value, "detector": value} if isinstance(value, str) else value


def _known_operation(name: str) -> str:
    if name not in OPERATIONS:
        allowed = f"there are: {', '.join(OPERATIONS)}{plugins.nearest(name, OPERATIONS)}"
        raise ValueError(f"is no operation; {allowed}")
    return name


def _some_weight(mix: dict[str, float]) -> dict[str, float]:
    if not any(mix.values()):
        raise ValueError("all weights are zero; at least one operation must have a weight above 0")
    return mix


OperationName = Annotated[str, AfterValidator(_known_operation)]
Weight = Annotated[float, Field(ge=0, le=1e9)]
Mix = Annotated[
    dict[OperationName, Weight],
    AfterValidator(_some_weight),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {name: {"type": "number", "minimum": 0} for name in OPERATIONS},
            "additionalProperties": False,
            "minProperties": 1,
        }
    ),
]


Feature = Literal["pin", "tiers", "exact_filter"]


class Phase(Strict):
    """A stretch of time with one arrival process and one mix of operations."""

    name: Name = Field(description="Unique in the scenario.")
    duration: Positive
    warm: bool = Field(False, description="Warm-up: what happens here is shown but not judged.")
    arrivals: Arrivals = Field(
        "poisson", validate_default=True, description="When operations are due."
    )
    rate: Annotated[Rate, Field(gt=0)] | None = Field(
        None, description="Operations per second; the scenario's where it is absent."
    )
    mix: Mix = Field(description="Weight of each operation; only their proportion counts.")
    popularity: Popularity = Field(
        "zipf", validate_default=True, description="Which live keys are used."
    )
    importance: Importance = Field(
        "beta", validate_default=True, description="How important new records are."
    )

    def scaled(self, stretch: float, faster: float) -> "Phase":
        """The phase stretch times as long and faster times as fast."""
        params = self.arrivals.params
        given = {name: getattr(params, name) for name in rate_fields(type(params))}
        rates = {name: rate and rate * faster for name, rate in given.items()}
        arrivals = self.arrivals.model_copy(update={"params": params.model_copy(update=rates)})
        return self.model_copy(
            update={
                "duration": self.duration * stretch,
                "rate": self.rate and self.rate * faster,
                "arrivals": arrivals,
            }
        )


class Population(Strict):
    """Which records there are. Content derives from key and seed, so this holds for all phases."""

    keys: int = Field(40_000, ge=1, le=MAX_KEYS, description="Records the tester follows.")
    agents: int = Field(16, ge=1, le=1 << 20, description="Owners of records.")
    batch: int = Field(10, ge=1, le=10_000, description="Records of one store_batch.")
    pinned: Share = Field(0.002, description="Share of records that must never be forgotten.")
    k: int = Field(10, ge=1, le=1_000, description="How many hits a search asks for.")
    scan: int = Field(100, ge=1, le=1 << 20, description="How many records a scan reads.")
    depth: int = Field(2, ge=1, le=8, description="How many steps a traversal walks.")
    agent_filter: Share = Field(0.5, description="Share of searches within one agent's records.")
    transition: Share = Field(
        0.2, description="Share of the uppermost tier that a transition moves to the next."
    )
    cold: bool = Field(
        False, description="A reopen also drops the target's files from the page cache."
    )
    preload: int = Field(
        0, ge=0, le=MAX_KEYS, description="Records stored before time zero, not measured."
    )


class Turns(Strict):
    """Two runs beside each other, of which one works while the other rests."""

    every: Positive = Field(description="How long a turn is; a phase is a whole number of both's.")
    is_second: bool = Field(False, description="It begins where the other rests.")


class Observe(Strict):
    """How often the tester looks, from outside."""

    window: Positive = Field(10.0, description="Operations are summed up over this long.")
    sample: Positive = Field(1.0, description="Memory, disk and host are read this often.")
    judge: Positive = Field(10.0, description="Checks are asked this often.")
    recall_every: Positive = Field(1.0, description="At most one search per this is scored.")


_LISTEN = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):([0-9]{1,5})")


def _host_and_port(listen: str) -> str:
    match = _LISTEN.fullmatch(listen)
    if match is None or int(match[3]) > 65_535:
        raise ValueError("is host:port, like 127.0.0.1:9464; port 0 takes a free one")
    return listen


class Scenario(Strict):
    """One soak: what is tested, with what load, and what must hold."""

    name: Name = Field(description="The file's stem where it is absent.")
    question: str = Field("", max_length=300, description="What this run answers, in a sentence.")
    seed: int = Field(1, ge=0, lt=1 << 63, description="Same seed, same operations.")
    rate: Annotated[Rate, Field(gt=0)] = Field(100.0, description="Operations per second.")
    target: Target = Field("engine", validate_default=True)
    content: Content = Field("clustered", validate_default=True)
    population: Population = Population()
    phases: Annotated[tuple[Phase, ...], Field(strict=False, min_length=1, max_length=MAX_PHASES)]
    checks: Annotated[tuple[Check, ...], Field(strict=False)] = Field(
        (), description="What must hold; the usual objectives where it is absent."
    )
    observe: Observe = Observe()
    maintain_every: Positive | None = Field(
        None, description="Ask the target for maintenance this often, beside the mix."
    )
    turns: Turns | None = Field(
        None, description="The load comes in every second stretch of time, for a run beside it."
    )
    requires: Annotated[tuple[Feature, ...], Field(strict=False)] = Field(
        (), description="What the target must have beside its operations to answer the question."
    )
    listen: Annotated[str, AfterValidator(_host_and_port)] | None = Field(
        "127.0.0.1:9464", description="Where /metrics and the page are served; null: nowhere."
    )

    @property
    def duration_s(self) -> float:
        """How long all phases take together."""
        return sum(phase.duration for phase in self.phases)

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that some phase's mix or maintain_every asks for, in their own order."""
        asked = {name for phase in self.phases for name, weight in phase.mix.items() if weight}
        asked |= {"maintain"} if self.maintain_every else set()
        return tuple(name for name in OPERATIONS if name in asked)

    def with_rates(self) -> "Scenario":
        """Every phase with open arrivals says its rate."""
        phases = tuple(
            phase.model_copy(update={"rate": phase.rate or self.rate})
            if phase.arrivals.is_open
            else phase
            for phase in self.phases
        )
        return self.model_copy(update={"phases": phases})

    def scaled(self, *, duration_s: float | None = None, rate: float | None = None) -> "Scenario":
        """The same soak in another time or at another nominal rate, in proportion; both > 0."""
        stretch = duration_s / self.duration_s if duration_s else 1.0
        faster = rate / self.rate if rate else 1.0
        phases = tuple(phase.scaled(stretch, faster) for phase in self.phases)
        return self.model_copy(update={"phases": phases, "rate": self.rate * faster})

    def with_target(self, name: str) -> "Scenario":
        """The same soak of another target, with that target's default parameters.

        Raises PluginError for a target there is not; whether it can do what the mix asks is not
        looked at: `load(..., target=name)` does.
        """
        if name == self.target.name:
            return self
        old = self.target
        target = Target(
            name=name, clients=old.clients, timeout=old.timeout, time_scale=old.time_scale
        )
        return self.model_copy(update={"target": target})
