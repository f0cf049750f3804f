"""How is PostgreSQL run for a soak? The server in the wheel pgserver, with a database of its own.

Its files are in a temporary folder: a socket's path has room for 107 bytes, and a run directory may
be closed to the user that the server runs as. PostgreSQL refuses to run as root.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from soak.clock import Clock
from soak.result import TargetUnavailable
from soak.targets._server import NOBODY, Server

INITIAL = ("-U", "postgres", "--auth=trust", "-E", "utf8")
FAST = signal.SIGINT  # which PostgreSQL calls its fast shutdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server that runs; folder: its own, with its socket and its files in `data`."""

    server: Server
    folder: Path

    def remove(self) -> None:
        """Server and files, for good."""
        self.server.stop(FAST)
        shutil.rmtree(self.folder)


@contextmanager
def started(target: str, clock: Clock, port: int | None = None) -> Iterator[Postgres]:
    """A new server for that target, which is removed where the block fails, and stays otherwise."""
    folder = Path(tempfile.mkdtemp(prefix=f"soak-{target}-"))
    with ExitStack() as undone:
        undone.callback(shutil.rmtree, folder)
        server = start(folder, clock, port)
        undone.callback(server.stop, FAST)
        yield Postgres(server=server, folder=folder)
        undone.pop_all()


def start(folder: Path, clock: Clock, port: int | None = None) -> Server:
    """PostgreSQL with a new database in folder/data and its socket beside; as nobody for root.

    port: of 127.0.0.1, where the socket is not enough.
    """
    spec: Any = find_spec("pgserver")
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    user = NOBODY if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
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
        [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *listen],
        log=folder / "server.log",
        clock=clock,
        is_ready=lambda: _is_ready(folder / "data" / "postmaster.pid"),
        user=user,
    )


def _is_ready(file: Path) -> bool:
    """The eighth line of postmaster.pid says so."""
    lines = file.read_text().splitlines() if file.is_file() else []
    return len(lines) >= 8 and lines[7].strip() == "ready"
