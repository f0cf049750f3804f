"""A target that answers as told, for tests of the load path; it remembers nothing."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from soak.clock import Clock
from soak.result import TargetError, TargetUnavailable
from soak.seams import MaintenanceEvent, Record

CAPABILITIES = frozenset({"get", "store"})
REMEMBERS = False


class Params(BaseModel):
    """at_get: which get does it; what: what it does then.

    cling: hang in that get and all later ones, and in close, beside a process of its own.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    what: Literal[
        "answer",
        "raise",
        "panic",
        "stall",
        "hang",
        "cling",
        "leave",
        "refuse_to_start",
        "close_slowly",
    ] = "answer"
    at_get: int = 10
    stall_s: float = 1.0


class Panic(BaseException):
    """As that of Rust code is: no Exception."""


class Scripted:
    capabilities = CAPABILITIES

    def __init__(self, params: Params, data_dir: Path, clock: Clock) -> None:
        self._params = params
        self._closed = data_dir / "closed"
        self._clock = clock
        self._gets = 0
        if params.what == "cling":
            child = subprocess.Popen(["sleep", "3600"])
            data_dir.joinpath("child").write_text(str(child.pid))

    def store(self, record: Record) -> None:
        pass

    def get(self, key: int) -> Record | None:
        self._gets += 1
        is_clinging = self._params.what == "cling" and self._gets > self._params.at_get
        if self._gets != self._params.at_get and not is_clinging:
            return None
        match self._params.what:
            case "raise":
                raise OSError("the disk said no")
            case "panic":
                raise Panic("a slice index is out of range")
            case "stall":
                self._clock.sleep_s(self._params.stall_s)
            case "hang" | "cling":
                self._clock.sleep_s(3600)
            case "leave":
                raise TargetUnavailable("gone for good")
        return None

    def stats(self) -> Mapping[str, float]:
        return {"gets_count": float(self._gets)}

    def events(self, after: int) -> Sequence[MaintenanceEvent]:
        return ()

    def may_forget(self) -> bool:
        return True

    def count(self) -> int:
        return 0

    def processes(self) -> Sequence[int]:
        return (os.getpid(),)

    def directories(self) -> Sequence[Path]:
        return (self._closed.parent,)

    def close(self) -> None:
        if self._params.what == "close_slowly":
            self._clock.sleep_s(self._params.stall_s)
        if self._params.what == "cling":
            self._clock.sleep_s(3600)
        self._closed.touch()


def build(params: Params, data_dir: Path, clock: Clock) -> Scripted:
    if params.what == "refuse_to_start":
        raise TargetError("no such engine on this machine")
    return Scripted(params, data_dir, clock)
