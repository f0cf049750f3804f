"""What is left of a PostgreSQL, and where does it lie? Its server is any process here."""

import os
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from soak.clock import Clock, SystemClock
from soak.result import TargetUnavailable
from soak.targets import _postgres as postgres
from soak.targets._server import Server

LASTING = ("sleep", "600")
CLOCK = SystemClock()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Open to all, which pytest's own folders are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """Those that were started; in the place of initdb and postgres."""
    made: list[Server] = []

    def start(_: str, folder: Path, socket: Path, user: object, clock: Clock, port: object):
        made.append(Server(LASTING, log=folder / "log", clock=clock, is_ready=lambda: True))
        return made[-1]

    monkeypatch.setattr(postgres, "start", start)
    return made


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_whatever_fails_leaves_no_server_and_no_files(
    error: type[BaseException], servers: list[Server], data_dir: Path, temporary: Path
):
    with pytest.raises(error), postgres.started("letta", data_dir, CLOCK):
        raise error

    assert not is_alive(servers[0].pid)
    assert ([], []) == (list(data_dir.iterdir()), list(temporary.iterdir()))


def test_one_that_is_used_stays_below_the_run_until_it_is_removed(
    servers: list[Server], data_dir: Path, temporary: Path
):
    with postgres.started("letta", data_dir, CLOCK) as one:
        kept = one
    alive = is_alive(servers[0].pid), kept.folder, kept.socket, list(temporary.iterdir())
    kept.remove()

    assert (True, data_dir / "letta", data_dir / "letta", []) == alive
    assert (False, []) == (is_alive(servers[0].pid), list(data_dir.iterdir()))


@pytest.mark.usefixtures("servers")
def test_what_a_killed_worker_left_is_removed_before(data_dir: Path):
    left = data_dir / "letta" / "data"
    left.mkdir(parents=True)
    with postgres.started("letta", data_dir, CLOCK) as one:
        assert ["log"] == [path.name for path in one.folder.iterdir()]
    one.remove()


@pytest.mark.usefixtures("servers")
def test_a_socket_whose_path_would_be_too_long_is_elsewhere(data_dir: Path, temporary: Path):
    far = data_dir / ("x" * 90)
    far.mkdir(mode=0o755)
    with postgres.started("letta", far, CLOCK) as one:
        assert (far / "letta", temporary) == (one.folder, one.socket.parent)
    one.remove()

    assert ([], []) == (list(far.iterdir()), list(temporary.iterdir()))


@pytest.mark.skipif(os.geteuid() != 0, reason="the server runs as we do")
@pytest.mark.usefixtures("servers")
def test_a_run_directory_that_is_closed_to_the_servers_user_is_not_used(
    data_dir: Path, temporary: Path
):
    data_dir.chmod(0o700)
    with postgres.started("letta", data_dir, CLOCK) as one:
        assert (temporary, []) == (one.folder.parent, list(data_dir.iterdir()))
    one.remove()

    assert [] == list(temporary.iterdir())


@pytest.mark.skipif(find_spec("pgserver") is not None, reason="the package is here")
def test_where_the_package_is_missing_one_line_says_what_installs_it(data_dir: Path):
    with (
        pytest.raises(TargetUnavailable, match=r"pgserver not installed; .*make target-letta"),
        postgres.started("letta", data_dir, CLOCK),
    ):
        pass

    assert [] == list(data_dir.iterdir())


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").is_dir()
