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
# A memory that replaced another is active; active ones come last and have the last word on a key.
KEYS = """
select json_extract(metadata_json, '$.key'), id, status from memories
where scope_key = ? and status in (?, ?) order by status = ?, updated_at
"""


class Params(BaseModel):
    """checkout: a clone of RobinALG87/MnemoCore-Persistent-Cognitive-Ai-Memory."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    checkout: str | None = None


class Memories:
    """One scope. One call at a time: the synchronous client has one event loop.

    A memory's metadata has its key, so that a new process finds again what an earlier one stored.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._package = package("mnemocore", PLACE)
        self._to_read = f"{(directory / FILE).resolve().as_uri()}?mode=ro"
        self._clock = clock
        self._turn = Lock()
        self._scope = self._package.MemoryScope(user_id="soak", agent_id="soak")
        self._memory = self._package.SyncAgentMemory.open(directory / FILE, scope=self._scope)
        self._names = self._kept()

    def put(self, records: Sequence[Record]) -> None:
        kind = self._package.MemoryKind.FACT  # the only kind that can be replaced
        writes = [
            self._package.MemoryWrite(
                content=one.text, kind=kind, confidence=1.0, metadata=_with_key(one)
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
                metadata=_with_key(record),
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
        ((number,),) = self._read(COUNT, [self._scope.scope_key, active])
        return int(number)

    def close(self) -> None:
        with self._turn:
            self._memory.close()

    def _kept(self) -> Names:
        """The ids of what the file holds, and of what it has forgotten."""
        status = self._package.MemoryStatus
        active, forgotten = status.ACTIVE.value, status.FORGOTTEN.value
        names = Names()
        for key, name, state in self._read(
            KEYS, [self._scope.scope_key, active, forgotten, active]
        ):
            names.live[key] = name
            if state == forgotten:
                names.forget(key)
        return names

    def _read(self, question: str, values: Sequence[str]) -> Sequence[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self._to_read, uri=True)) as db:
            return db.execute(question, values).fetchall()

    @contextlib.contextmanager
    def _missing(self) -> Any:
        try:
            yield
        except self._package.MemoryNotFoundError as error:
            raise RecordMissing(str(error)) from error


def _with_key(record: Record) -> dict[str, Any]:
    return {**beside(record), "key": record.key}


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the file in data_dir/mnemocore. Raises TargetUnavailable without a checkout."""
    assert isinstance(params, Params)
    importable("mnemocore", REPOSITORY, params.checkout, "src")
    directory = data_dir / "mnemocore"
    directory.mkdir(parents=True, exist_ok=True)
    return Driven(
        lambda: Memories(directory, clock),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(package("mnemocore", PLACE).AgentMemoryError, sqlite3.Error, ValueError, OSError),
    )
