"""Is a delete of mem0's that did nothing found out? Its package is scripted here."""

import sqlite3
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from soak.seams import Record
from soak.targets import mem0


class Forgetless:
    """Acknowledges every delete and keeps everything."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, object]] = {}
        self.vector_store = SimpleNamespace(client=self)

    def add(self, messages: list[dict[str, str]], **beside: object) -> dict[str, object]:
        name = f"id {len(self._kept)}"
        self._kept[name] = {"memory": messages[0]["content"], **beside}
        return {"results": [{"id": name}]}

    def get(self, name: str) -> dict[str, object] | None:
        return self._kept.get(name)

    def delete(self, name: str) -> None:
        """As it says."""

    def count(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(count=len(self._kept))

    def close(self) -> None:
        """There is nothing to close."""


def test_what_it_did_not_forget_is_still_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = ModuleType("mem0")
    package.Memory = SimpleNamespace(from_config=lambda _: Forgetless())
    monkeypatch.setitem(sys.modules, "mem0", package)
    for name in ("MEM0_TELEMETRY", "MEM0_DIR"):
        monkeypatch.setenv(name, "")
    sqlite3.connect(tmp_path / "history.db").close()
    vector = np.array([1.0, 0.0], dtype=np.float32)
    record = Record(key=2, agent=1, text="a text", vector=vector, importance=0.5)
    memories = mem0.Memories(tmp_path, mem0.Params(dimensions=2))
    memories.put([record])
    memories.delete(2)

    assert ("a text", 1) == (memories.get(2).text, memories.count())
    memories.close()
