"""Which request is which operation? The parameters of the target http."""

from collections.abc import Mapping, Sequence
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from soak.scenario.credentials import MaybeSecret, names_credential, require_reference
from soak.scenario.quantities import Duration
from soak.targets._mapping import NAME, Call, names_in

# What a template may ask for, beside what setup kept.
RECORD = ("key", "agent", "text", "vector", "importance")
GIVEN: Mapping[str, tuple[str, ...]] = {
    "store": RECORD,
    "get": ("key",),
    "search": ("vector", "k"),
    "search_agent": ("vector", "k", "agent"),
    "update": RECORD,
    "delete": ("key",),
    "maintain": (),
    "count": (),
}
WORKER = "worker"  # soak/cluster/shares.py fills it in


class Get(Call):
    """text: where the record's text lies; nothing there, or a 404, is no record."""

    text: str


class Search(Call):
    """keys, scores: where the hits' lists lie; a key is the digits at an id's end."""

    keys: str
    scores: str
    are_distances: bool = Field(False, description="Nearer is lower: a score is 1 - distance.")


class Setup(Call):
    """Sent once, before anything else. keep: name to where its value lies in the answer."""

    keep: dict[str, str] = Field({}, description="Values for later templates, by name.")

    @model_validator(mode="after")
    def _can_be_named(self) -> Self:
        for name in self.keep:
            if not NAME.fullmatch(f"${name}"):
                raise ValueError(
                    f"keep: {name} is no name for a template; it is lower-case letters"
                )
        return self


class Metrics(BaseModel):
    """figures: a column's name (accounted_bytes, or one with its unit) to the metric it is."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    url: str = Field("http://127.0.0.1:$port/metrics", description="In the format of Prometheus.")
    figures: dict[str, str] = {"accounted_bytes": "process_resident_memory_bytes"}


class Params(BaseModel):
    """url: may hold $port where the scenario starts the server. start: may hold $port and $data."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    url: str = "http://127.0.0.1:$port"
    start: str | None = Field(None, description="The server's command line, where we start it.")
    pid: int | None = Field(None, ge=1, description="The process of a server that runs already.")
    directory: str | None = Field(None, description="Where such a server has its files.")
    headers: dict[str, MaybeSecret] = Field({}, description="A secret is {env: NAME}.")
    timeout_s: Duration = Field(30.0, gt=0)
    metrics: Metrics | None = Field(None, description="Where the server tells of itself.")
    setup: tuple[Setup, ...] = Field((), strict=False)
    store: Call = Call(path="/memories", body={"id": "$key", "text": "$text", "vector": "$vector"})
    get: Get | None = None
    search: Search = Search(path="/search", keys="hits.*.id", scores="hits.*.score")
    search_agent: Search | None = Field(None, description="The search within one agent's records.")
    update: Call | None = None
    delete: Call | None = None
    maintain: Call | None = None
    count: Get | None = Field(None, description="Its `text` is where the number lies.")

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        _require_address("url", self.url)
        if self.metrics is not None:
            _require_address("metrics.url", self.metrics.url)
        if self.start is not None and "$port" in self.url and "$port" not in self.start:
            raise ValueError(
                "start: has no $port, on which url waits for the server; write it where the server "
                "takes its port, or the port that it always takes into url"
            )
        for name, value in self.headers.items():
            if names_credential(name):
                require_reference(f"headers.{name}", value)
        return self

    @model_validator(mode="after")
    def _templates_can_be_filled(self) -> Self:
        known = [WORKER]
        for i, call in enumerate(self.setup):
            _require_known(f"setup[{i}]", call, known)
            known += call.keep
        for name, given in GIVEN.items():
            mapped = getattr(self, name)
            if mapped is not None:
                _require_known(name, mapped, [*given, *known])
        return self


def _require_address(field: str, url: str) -> None:
    """Raises ValueError, without what may be a secret."""
    if "@" in url:
        raise ValueError(f"{field}: takes no user; headers: {{Authorization: {{env: NAME}}}} does")
    parts = urlsplit(url.replace("$port", "1"))
    try:
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port
        is_address = False
    if not is_address:
        raise ValueError(f"{field}: {url} is no address like http://127.0.0.1:8000/path")


def _require_known(where: str, call: Call, known: Sequence[str]) -> None:
    """Raises ValueError for a template with a name there is not."""
    unknown = [name for name in names_in([call.path, call.body]) if name not in known]
    if unknown:
        there = ", ".join(f"${name}" for name in known if name != WORKER) or "none"
        raise ValueError(f"{where}: there is no ${unknown[0]}; there are: {there}")
