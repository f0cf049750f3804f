"""MnemoCore 3.0 from its repository: AgentMemory, a ledger of memories in SQLite, in the worker.

docs/targets/mnemocore.md. Loaded from a checkout that the scenario names (the package index has an
older line of code). It recalls by words and takes no vectors from outside, so there is no `search`.
`maintain` is rebuild(), which makes its projections anew from the ledger; to forget only marks.
"""

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import BaseModel, ConfigDict

from soak.clock import Clock
from soak.result import RecordMissing, TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._beside import beside, record_of
from soak.targets._checkout import importable
from soak.targets._driven import Driven
from soak.targets._names import Names
from soak.targets._packages import package

CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "update", "delete", "scan", "maintain", "reopen"}
)
REPOSITORY = "RobinALG87/MnemoCore-Persistent-Cognitive-Ai-Memory"
PLACE = "mnemocore.agent_memory"
FILE = "memories.db"
COUNT = "select count(*) from memories where scope_key = ? and status = ?"


class Params(BaseModel):
    """checkout: a clone of RobinALG87/MnemoCore-Persistent-Cognitive-Ai-Memory."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    checkout: str | None = None


class Memories:
    """One scope. One call at a time: the synchronous client has one event loop."""

    def __init__(self, directory: Path, names: Names, clock: Clock) -> None:
        self._package = package("mnemocore", PLACE)
        self._to_read = f"{(directory / FILE).resolve().as_uri()}?mode=ro"
        self._names = names
        self._clock = clock
        self._turn = Lock()
        self._scope = self._package.MemoryScope(user_id="soak", agent_id="soak")
        self._memory = self._package.SyncAgentMemory.open(directory / FILE, scope=self._scope)

    def put(self, records: Sequence[Record]) -> None:
        kind = self._package.MemoryKind.FACT  # the only kind that can be replaced
        writes = [
            self._package.MemoryWrite(
                content=one.text, kind=kind, confidence=1.0, metadata=beside(one)
            )
            for one in records
        ]
        with self._turn:
            made = self._memory.remember_many(writes)
            pairs = zip(records, made, strict=True)
            self._names.live.update((one.key, memory.id) for one, memory in pairs)

    def get(self, key: int) -> Record | None:
        name = self._names.known(key)
        if name is None:
            return None
        with self._turn, contextlib.suppress(self._package.MemoryNotFoundError):
            found = self._memory.get(name)
            return record_of(key, found.metadata, found.content)
        return None

    def search(self, query: Query) -> Sequence[Hit]:
        raise TargetError("mnemocore recalls by words, not by vectors")

    def replace(self, record: Record) -> None:
        """The old memory stays in the ledger, as superseded."""
        now = datetime.fromtimestamp(self._clock.wall_s(), UTC).isoformat()
        with self._turn, self._missing():
            made = self._memory.supersede(
                self._names.of_live(record.key),
                record.text,
                effective_at=now,
                metadata=beside(record),
            )
            self._names.live[record.key] = made.id

    def delete(self, key: int) -> None:
        with self._turn, self._missing():
            self._memory.forget(self._names.of_live(key))
            self._names.forget(key)

    def scan(self, limit: int) -> int:
        with self._turn:
            return len(self._memory.list(limit=limit))

    def maintain(self) -> None:
        with self._turn:
            self._memory.rebuild()

    def stats(self) -> Mapping[str, float]:
        return {}

    def count(self) -> int:
        """From its file, over an index: its own list would read all memories to count them."""
        active = self._package.MemoryStatus.ACTIVE.value
        with contextlib.closing(sqlite3.connect(self._to_read, uri=True)) as db:
            (number,) = db.execute(COUNT, [self._scope.scope_key, active]).fetchone()
        return int(number)

    def close(self) -> None:
        with self._turn:
            self._memory.close()

    @contextlib.contextmanager
    def _missing(self) -> Any:
        try:
            yield
        except self._package.MemoryNotFoundError as error:
            raise RecordMissing(str(error)) from error


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the file in data_dir/mnemocore. Raises TargetUnavailable without a checkout."""
    assert isinstance(params, Params)
    importable("mnemocore", REPOSITORY, params.checkout, "src")
    directory = data_dir / "mnemocore"
    directory.mkdir(parents=True, exist_ok=True)
    names = Names()
    return Driven(
        lambda: Memories(directory, names, clock),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(package("mnemocore", PLACE).AgentMemoryError, sqlite3.Error, ValueError, OSError),
    )
