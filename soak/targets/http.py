"""Any system behind HTTP and JSON: the scenario says which request is which operation.

docs/targets/http.md. A server that the scenario starts is what is sampled. For one that runs
already, name its process with `pid`, and what it tells of itself with `metrics`; without a process,
checks of its memory are unknown, unless they are of a column that its metrics fill.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

import numpy as np

from soak.clock import Clock
from soak.result import RecordMissing, TargetError, TargetUnavailable
from soak.seams import Hit, Query, Record, Target
from soak.targets import _metrics as metrics
from soak.targets._driven import Driven
from soak.targets._mapping import Absent, Call, Wire, picked
from soak.targets._requests import Params, Setup
from soak.targets._server import Server, free_port, listens, watched

CAPABILITIES = frozenset({"store", "get", "search", "search_agent", "update", "delete", "maintain"})
Kind = TypeVar("Kind", bound=Call)
DIGITS = re.compile(r"\d+$")


def capabilities_of(params: Params) -> frozenset[str]:
    """The calls that are mapped."""
    return frozenset(name for name in CAPABILITIES if getattr(params, name) is not None)


class Remote:
    """The mapped calls. Where nothing counts, what was stored and not deleted is counted here.

    Raises TargetUnavailable where the service already holds records: they would be taken for its
    wrong answers. Where nothing counts, the first record that is stored tells, by a search with its
    vector and a get of its key.
    """

    def __init__(self, url: str, params: Params, server: Server | None) -> None:
        self._params = params
        self._server = server
        self._url = url
        self._port = str(urlsplit(url).port or "")
        self._wire = Wire(url, params.headers, params.timeout_s)
        self._lock = Lock()
        self._held = 0
        self._kept: dict[str, object] = {}
        self._first = Lock()
        self._is_empty = params.count is not None
        with ExitStack() as undone:
            undone.callback(self._wire.close)
            for call in params.setup:
                self._set_up(call)
            if self._is_empty and self.count():
                raise self._full()
            undone.pop_all()

    def _set_up(self, call: Setup) -> None:
        try:
            answer = self._ask(call, {})
        except Absent:
            if call.method != "DELETE":
                raise
            return  # what is to be emptied was never made
        self._kept |= {name: picked(answer, path) for name, path in call.keep.items()}

    def _full(self) -> TargetUnavailable:
        return TargetUnavailable(
            f"{self._url}: already holds records; empty it in `setup`, or by hand"
        )

    def _require_empty(self, record: Record) -> None:
        with self._first:
            if not self._is_empty and self._holds(record):
                raise self._full()
            self._is_empty = True

    def _holds(self, record: Record) -> bool:
        """Whether anything comes back before it is stored; what fails then, has nothing yet."""
        with suppress(TargetError, Absent):
            if self.search(Query(vector=record.vector, k=1)):
                return True
        with suppress(TargetError):
            return self._params.get is not None and self.get(record.key) is not None
        return False

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            if not self._is_empty:
                self._require_empty(record)
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
        if call is None:
            return self._held
        told = picked(self._ask(call, {}), call.text)
        try:
            return int(told)
        except (TypeError, ValueError) as error:
            raise TargetError(f"count: no number at {call.text!r}: {str(told)[:60]}") from error

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
    with ExitStack() as undone:
        if params.start is not None:
            directory, port = data_dir / "server", free_port()
            directory.mkdir(parents=True, exist_ok=True)
            url = url.replace("$port", str(port))
            words = params.start.replace("$port", str(port))
            words = words.replace("$data", shlex.quote(str(directory)))
            server = _started(words, url, data_dir / "server.log", clock)
            undone.callback(server.stop)
        elif "$port" in url:
            raise TargetUnavailable(f"{url}: name the server's url, or start one with `start`")
        target = Driven(
            lambda: Remote(url, params, server),
            capabilities=capabilities_of(params),
            directories=[directory] if directory else [],
            clock=clock,
            errors=(Absent,),
            processes=watched(server, params.pid),
        )
        undone.pop_all()
    return target


def _started(command: str, url: str, log: Path, clock: Clock) -> Server:
    """The server, once somebody listens on the url's port, who was not there before."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if listens(port):
        raise TargetUnavailable(f"{url}: somebody listens there already; end that, or use $port")
    return Server(
        shlex.split(command),
        log=log,
        clock=clock,
        is_ready=lambda: listens(port),
        awaited=f"nobody listens on port {port}; does `start` use $port?",
    )
