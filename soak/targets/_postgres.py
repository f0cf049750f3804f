"""How is PostgreSQL run for a soak? The server in the wheel pgserver, with a database of its own.

Its files are below the run directory, where its user can get there: PostgreSQL refuses to run as
root, and as nobody it may be shut out. Elsewhere they are in a temporary folder, which stays behind
where the worker is killed. So does its socket, whose path has room for 107 bytes only.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from soak.clock import Clock
from soak.result import TargetUnavailable
from soak.targets._packages import how_to_install
from soak.targets._server import NOBODY, Server

INITIAL = ("-U", "postgres", "--auth=trust", "-E", "utf8")
FAST = signal.SIGINT  # which PostgreSQL calls its fast shutdown
SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MOST = 107


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server that runs. folder: its own, with its files in `data`; socket: the folder of that."""

    server: Server
    folder: Path
    socket: Path

    def remove(self) -> None:
        """Server and files, for good."""
        self.server.stop(FAST)
        for place in {self.folder, self.socket}:
            shutil.rmtree(place)


@contextmanager
def started(
    target: str, data_dir: Path, clock: Clock, port: int | None = None
) -> Iterator[Postgres]:
    """A new server for that target, which is removed where the block fails, and stays otherwise.

    What a killed worker left of one in data_dir is removed before. Raises TargetUnavailable.
    """
    user = NOBODY if os.geteuid() == 0 else None
    with ExitStack() as undone:

        def own(folder: Path) -> Path:
            undone.callback(shutil.rmtree, folder)
            if user is not None:
                os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
            return folder

        home = data_dir.resolve()
        is_within = user is None or _is_open_to_all(home)
        folder = own(_emptied(home / target) if is_within else _temporary(target))
        is_short = len(os.fsencode(folder / SOCKET)) <= SOCKET_PATH_BYTES_MOST
        socket = folder if is_short else own(_temporary(target))
        server = start(target, folder, socket, user, clock, port)
        undone.callback(server.stop, FAST)
        yield Postgres(server=server, folder=folder, socket=socket)
        undone.pop_all()


def start(
    target: str, folder: Path, socket: Path, user: str | None, clock: Clock, port: int | None
) -> Server:
    """PostgreSQL with a new database in folder/data, run by that user, or by ours.

    port: of 127.0.0.1, where the socket is not enough.
    """
    spec = find_spec("pgserver")
    if spec is None or spec.origin is None:
        raise TargetUnavailable(how_to_install(target, ["pgserver"]))
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    made = subprocess.run(
        [programs / "initdb", "-D", folder / "data", *INITIAL],
        user=user,
        cwd=folder,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        raise TargetUnavailable(f"initdb: {made.stderr.decode(errors='replace').strip()[-300:]}")
    listen = ["-h", ""] if port is None else ["-h", "127.0.0.1", "-p", str(port)]
    return Server(
        [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(socket), *listen],
        log=folder / "server.log",
        clock=clock,
        is_ready=lambda: _is_ready(folder / "data" / "postmaster.pid"),
        user=user,
    )


def _is_open_to_all(folder: Path) -> bool:
    """Whether anybody may go into it."""
    return all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.parents))


def _emptied(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return folder


def _temporary(target: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"soak-{target}-"))


def _is_ready(file: Path) -> bool:
    """The eighth line of postmaster.pid says so."""
    lines = file.read_text().splitlines() if file.is_file() else []
    return len(lines) >= 8 and lines[7].strip() == "ready"
