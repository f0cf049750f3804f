"""How does a request get its values, and where in an answer does a value lie? Templates and paths.

A string that is `$vector` alone becomes the vector itself; `memory-$key` becomes text. A path goes
down by names and positions, and `*` goes through a list: `result.points.*.id`, `ids.0`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import local
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from soak.result import TargetError
from soak.scenario.credentials import FromEnvironment, read

NAME = re.compile(r"\$([a-z]+)")
FAILURES = (HTTPException, OSError, ValueError)
CLOSED = (BrokenPipeError, ConnectionResetError)  # RemoteDisconnected is one of the latter
SAID_LENGTH = 200


class Call(BaseModel):
    """One request, as a template."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    method: str = Field("POST", pattern="^[A-Z]+$")
    path: str = Field(description="Below the target's url; may hold $key and the like.")
    body: JsonValue = Field(None, description="JSON with $key, $text, $vector, $agent, ...")


class Absent(Exception):
    """The server answered 404."""


class Wire:
    """Calls of one server; a kept connection for each thread.

    Raises TargetUnavailable where a header's secret is not in the environment.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str | FromEnvironment], timeout_s: float
    ) -> None:
        self._url = urlsplit(url)
        sent = {name: read(value) for name, value in headers.items()}
        self._secrets = [sent[n] for n, value in headers.items() if not isinstance(value, str)]
        self._headers = {"Content-Type": "application/json", **sent}
        self._timeout_s = timeout_s
        self._mine = local()
        self._lines: list[HTTPConnection] = []  # one for each thread

    def ask(self, call: Call, values: Mapping[str, object]) -> Any:
        """The answer's JSON, or None where it has no body. Raises Absent and TargetError."""
        path = self._url.path.rstrip("/") + str(filled(call.path, values))
        body = None if call.body is None else json.dumps(filled(call.body, values))
        asked = f"{call.method} {self._url.netloc}{path}"
        try:
            status, content = self._exchange(call.method, path, body)
        except FAILURES as error:
            self._drop()
            raise TargetError(f"{asked}: {type(error).__name__}: {error}") from error
        if status == 404:
            raise Absent(asked)
        if status >= 300:
            raise TargetError(f"{asked}: {status}: {self._said(content)}")
        try:
            return json.loads(content) if content.strip() else None
        except ValueError as error:
            raise TargetError(f"{asked}: answers no JSON: {self._said(content)}") from error

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        line = self._line()
        is_kept = line.sock is not None
        try:
            answer = self._answer(line, method, path, body)
        except CLOSED:
            if not is_kept:
                raise
            # Servers close connections that were idle for some seconds, which is no failure of
            # theirs: no answer had begun, and on a new connection the same would be one.
            line.close()
            answer = self._answer(line, method, path, body)
        return answer.status, answer.read()

    def _answer(
        self, line: HTTPConnection, method: str, path: str, body: str | None
    ) -> HTTPResponse:
        line.request(method, path, body, self._headers)
        return line.getresponse()

    def _line(self) -> HTTPConnection:
        line: HTTPConnection | None = getattr(self._mine, "line", None)
        if line is None:
            kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
            line = kind(self._url.hostname or "", self._url.port, timeout=self._timeout_s)
            self._mine.line = line
            self._lines.append(line)
        return line

    def _said(self, content: bytes) -> str:
        """How the answer begins, without the secrets that it may repeat."""
        words = content.decode(errors="replace")
        for secret in self._secrets:
            words = words.replace(secret, "...")
        return words[:SAID_LENGTH]

    def close(self) -> None:
        while self._lines:
            self._lines.pop().close()

    def _drop(self) -> None:
        """The next call of this thread makes a new connection."""
        line = getattr(self._mine, "line", None)
        if line is not None:
            line.close()
            self._lines.remove(line)
            self._mine.line = None


def filled(template: Any, values: Mapping[str, object]) -> Any:
    """The template with its values. Raises TargetError for a name there is not."""
    if isinstance(template, Mapping):
        return {name: filled(part, values) for name, part in template.items()}
    if isinstance(template, str):
        return _filled_text(template, values)
    if isinstance(template, Sequence):
        return [filled(part, values) for part in template]
    return template


def names_in(template: Any) -> Iterator[str]:
    """The names that a template asks for, as often as it does."""
    if isinstance(template, Mapping):
        template = list(template.values())
    if isinstance(template, str):
        yield from NAME.findall(template)
    elif isinstance(template, Sequence):
        for part in template:
            yield from names_in(part)


def _filled_text(template: str, values: Mapping[str, object]) -> object:
    unknown = [name for name in NAME.findall(template) if name not in values]
    if unknown:
        raise TargetError(f"{template}: no ${unknown[0]}; there are: {', '.join(sorted(values))}")
    whole = NAME.fullmatch(template)
    if whole:
        return values[whole[1]]
    return NAME.sub(lambda found: str(values[found[1]]), template)


def picked(tree: Any, path: str) -> Any:
    """What lies there; None where nothing does, a list below a `*`."""
    head, _, rest = path.partition(".")
    if not path:
        return tree
    if head == "*":
        return [picked(part, rest) for part in tree] if isinstance(tree, list) else None
    if isinstance(tree, list):
        inside = head.isdecimal() and int(head) < len(tree)
        return picked(tree[int(head)], rest) if inside else None
    return picked(tree[head], rest) if isinstance(tree, dict) and head in tree else None
