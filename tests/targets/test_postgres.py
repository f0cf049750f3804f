"""Is nothing left of a PostgreSQL that could not be used? Its server is any process here."""

import tempfile
from pathlib import Path

import pytest

from soak.clock import Clock, SystemClock
from soak.targets import _postgres as postgres
from soak.targets._server import Server

LASTING = ("sleep", "600")


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """Those that were started; in the place of initdb and postgres."""
    made: list[Server] = []

    def start(folder: Path, clock: Clock, port: int | None) -> Server:
        made.append(Server(LASTING, log=folder / "log", clock=clock, is_ready=lambda: True))
        return made[-1]

    monkeypatch.setattr(postgres, "start", start)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return made


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_whatever_fails_leaves_no_server_and_no_files(
    error: type[BaseException], servers: list[Server], tmp_path: Path
):
    with pytest.raises(error), postgres.started("letta", SystemClock()):
        raise error

    assert not is_alive(servers[0].pid)
    assert [] == list(tmp_path.iterdir())


def test_one_that_is_used_stays_until_it_is_removed(servers: list[Server], tmp_path: Path):
    with postgres.started("letta", SystemClock()) as one:
        kept = one
    alive = is_alive(servers[0].pid), kept.folder.parent
    kept.remove()

    assert (True, tmp_path) == alive
    assert (False, []) == (is_alive(servers[0].pid), list(tmp_path.iterdir()))


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").is_dir()
