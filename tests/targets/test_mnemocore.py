"""Is a delete of MnemoCore's that did nothing found out, and what it kept found again?

Its package is scripted for the first, and that of a checkout, where there is one, for the second.
"""

import json
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from soak.clock import SystemClock
from soak.seams import Record
from soak.targets import mnemocore
from soak.targets._packages import ENVIRONMENTS

CHECKOUT = ENVIRONMENTS.parent / "checkouts" / "mnemocore"
SCOPE = SimpleNamespace(scope_key="soak")


class Missing(Exception):
    pass


class Ledger:
    """Its calls, over a table like its own."""

    def __init__(self, path: Path, *, forgets: bool) -> None:
        self._forgets = forgets
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute(
            "create table memories (id, scope_key, status, content, metadata_json, updated_at)"
        )

    def remember_many(self, writes: Sequence[SimpleNamespace]) -> list[SimpleNamespace]:
        made = [SimpleNamespace(id=f"id of {one.content}") for one in writes]
        rows = [
            (name.id, "soak", "active", one.content, json.dumps(one.metadata))
            for name, one in zip(made, writes, strict=True)
        ]
        self._db.executemany("insert into memories values (?, ?, ?, ?, ?, 0)", rows)
        return made

    def get(self, name: str) -> SimpleNamespace:
        question = "select content from memories where id = ? and status = 'active'"
        row = self._db.execute(question, [name]).fetchone()
        if row is None:
            raise Missing
        return SimpleNamespace(content=row[0], metadata={"agent": 1, "importance": 0.5})

    def forget(self, name: str) -> None:
        if self._forgets:
            self._db.execute("update memories set status = 'forgotten' where id = ?", [name])

    def close(self) -> None:
        self._db.close()


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Memories of records 0 to 4 in a ledger that forgets, or only says so."""
    package = ModuleType(mnemocore.PLACE)
    ledger = Ledger(tmp_path / mnemocore.FILE, forgets=request.param)
    played = {
        "MemoryScope": lambda **_: SCOPE,
        "SyncAgentMemory": SimpleNamespace(open=lambda *_, **__: ledger),
        "MemoryKind": SimpleNamespace(FACT="fact"),
        "MemoryStatus": SimpleNamespace(
            ACTIVE=SimpleNamespace(value="active"), FORGOTTEN=SimpleNamespace(value="forgotten")
        ),
        "MemoryWrite": SimpleNamespace,
        "MemoryNotFoundError": Missing,
    }
    for name, part in played.items():
        setattr(package, name, part)
    monkeypatch.setitem(sys.modules, mnemocore.PLACE, package)
    memories = mnemocore.Memories(tmp_path, SystemClock())
    memories.put([record(key) for key in range(5)])
    yield memories
    memories.close()


def record(key: int) -> Record:
    nothing = np.empty(0, dtype=np.float32)
    return Record(key=key, agent=1, text=f"text {key}", vector=nothing, importance=0.5)


@pytest.mark.parametrize("opened", [True], indirect=True)
def test_what_it_forgot_is_gone(opened: mnemocore.Memories):
    opened.delete(2)

    assert (None, 4) == (opened.get(2), opened.count())


@pytest.mark.parametrize("opened", [False], indirect=True)
def test_what_it_did_not_forget_is_still_there(opened: mnemocore.Memories):
    opened.delete(2)

    assert ("text 2", 5) == (opened.get(2).text, opened.count())


@pytest.mark.slow
def test_what_another_process_acknowledged_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "path", list(sys.path))
    if not CHECKOUT.is_dir():
        pytest.skip(f"git clone https://github.com/{mnemocore.REPOSITORY} {CHECKOUT}")
    params = mnemocore.Params(checkout=str(CHECKOUT))
    first = mnemocore.build(params, tmp_path, SystemClock())
    for key in range(4):
        first.store(record(key))
    first.update(replace(record(1), text="another text"))
    first.delete(2)
    first.close()

    again = mnemocore.build(params, tmp_path, SystemClock())
    kept = [again.get(key) for key in range(4)]
    again.delete(3)

    texts = [one and one.text for one in kept]
    assert ["text 0", "another text", None, "text 3"] == texts
    assert (None, 2) == (again.get(3), again.count())
    again.close()
