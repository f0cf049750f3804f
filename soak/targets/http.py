"""Any system behind HTTP and JSON: the scenario says which request is which operation.

docs/targets/http.md. A server that the scenario starts is what is sampled. For one that runs
already, name its process with `pid`, and what it tells of itself with `metrics`; without a process,
checks of its memory are unknown, unless they are of a column that its metrics fill.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import RecordMissing, TargetError, TargetUnavailable
from soak.scenario.quantities import Duration
from soak.seams import Hit, Query, Record, Target
from soak.targets import _metrics as metrics
from soak.targets._driven import Driven
from soak.targets._mapping import Absent, Call, Wire, picked
from soak.targets._server import Server, free_port, listens, watched

CAPABILITIES = frozenset({"store", "get", "search", "update", "delete", "maintain"})
Kind = TypeVar("Kind", bound=Call)
DIGITS = re.compile(r"\d+$")


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
    headers: dict[str, str] = {}
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


def capabilities_of(params: Params) -> frozenset[str]:
    """The operations that are mapped."""
    return frozenset(name for name in CAPABILITIES if getattr(params, name) is not None)


class Remote:
    """The mapped calls. Where nothing counts, what was stored and not deleted is counted here."""

    def __init__(self, url: str, params: Params, server: Server | None) -> None:
        self._params = params
        self._server = server
        self._port = str(urlsplit(url).port or "")
        self._wire = Wire(url, params.headers, params.timeout_s)
        self._lock = Lock()
        self._held = 0
        self._kept: dict[str, object] = {}
        for call in params.setup:
            answer = self._ask(call, {})
            self._kept |= {name: picked(answer, path) for name, path in call.keep.items()}

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            self._ask(self._params.store, _values(record))
            with self._lock:
                self._held += 1

    def get(self, key: int) -> Record | None:
        call = _mapped(self._params.get)
        try:
            text = picked(self._ask(call, {"key": key}), call.text)
        except Absent:
            return None
        if text is None:
            return None
        nothing = np.empty(0, dtype=np.float32)
        return Record(key=key, agent=-1, text=text, vector=nothing, importance=0.0)

    def search(self, query: Query) -> Sequence[Hit]:
        params, values = self._params, {"vector": query.vector.tolist(), "k": query.k}
        call = params.search if query.agent is None else _mapped(params.search_agent)
        values |= {} if query.agent is None else {"agent": query.agent}
        answer = self._ask(call, values)
        keys, scores = picked(answer, call.keys), picked(answer, call.scores)
        if not isinstance(keys, list) or not isinstance(scores, list):
            raise TargetError(f"search: no lists at {call.keys} and {call.scores}")
        return [
            Hit(_key(name), 1.0 - score if call.are_distances else score)
            for name, score in zip(keys, scores, strict=True)
        ]

    def replace(self, record: Record) -> None:
        try:
            self._ask(_mapped(self._params.update), _values(record))
        except Absent as error:
            raise RecordMissing(str(error)) from error

    def delete(self, key: int) -> None:
        try:
            self._ask(_mapped(self._params.delete), {"key": key})
        except Absent as error:
            raise RecordMissing(str(error)) from error
        with self._lock:
            self._held -= 1

    def scan(self, limit: int) -> int:
        raise TargetError("a scan cannot be mapped")

    def maintain(self) -> None:
        self._ask(_mapped(self._params.maintain), {})

    def stats(self) -> Mapping[str, float]:
        told = self._params.metrics
        if told is None:
            return {}
        address = told.url.replace("$port", self._port)
        return metrics.read(address, told.figures, self._params.timeout_s)

    def count(self) -> int:
        call = self._params.count
        return self._held if call is None else int(picked(self._ask(call, {}), call.text))

    def close(self) -> None:
        self._wire.close()
        if self._server is not None:
            self._server.stop()

    def _ask(self, call: Call, values: Mapping[str, object]) -> object:
        answer: object = self._wire.ask(call, {**self._kept, **values})
        return answer


def _values(record: Record) -> dict[str, object]:
    return {
        "key": record.key,
        "agent": record.agent,
        "text": record.text,
        "vector": record.vector.tolist(),
        "importance": record.importance,
    }


def _mapped(call: Kind | None) -> Kind:
    if call is None:
        raise TargetError("this operation is not mapped in the scenario")
    return call


def _key(name: object) -> int:
    found = DIGITS.search(str(name))
    if found is None:
        raise TargetError(f"search: the id {name!r} does not end in a number")
    return int(found[0])


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Starts the scenario's server, or takes the one that is there."""
    assert isinstance(params, Params)
    server, url = None, params.url
    directory = Path(params.directory) if params.directory else None
    if params.start is not None:
        directory, port = data_dir / "server", free_port()
        directory.mkdir(parents=True, exist_ok=True)
        words = params.start.replace("$port", str(port)).replace(
            "$data", shlex.quote(str(directory))
        )
        log = data_dir / "server.log"
        server = Server(shlex.split(words), log=log, clock=clock, is_ready=lambda: listens(port))
        url = url.replace("$port", str(port))
    elif "$port" in url:
        raise TargetUnavailable(f"{url}: name the server's url, or start one with `start`")
    try:
        return Driven(
            lambda: Remote(url, params, server),
            capabilities=capabilities_of(params),
            directories=[directory] if directory else [],
            clock=clock,
            errors=(Absent,),
            processes=watched(server, params.pid),
        )
    except TargetError as error:
        if server is not None:
            server.stop()
        raise TargetUnavailable(str(error)) from error
