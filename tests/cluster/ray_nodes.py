"""Several nodes of Ray on this machine: real daemons, each with processes of its own to kill.

The programs are those of build/cluster, which `make cluster-check` fills; tests only start them.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from soak.clock import sleep_s
from tests.servers import free_port
from tests.source_tree import ROOT

PROGRAMS = ROOT / "build" / "cluster" / "bin"
# The least that Ray takes; nothing of soak goes through it.
STORE_BYTES = 80_000_000
# Ports of nodes on one machine must not be the same.
FREE = ("--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0")
SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0"}
STARTED = "Ray runtime started"

# Of this machine alone; 127.0.0.1 Ray would replace by an address that others can reach.
LOOPBACK = "127.0.0.2"


class Cluster:
    """A head without CPUs, as KubeRay has it, and nodes that take a worker each."""

    def __init__(self, folder: Path) -> None:
        self.address = f"{LOOPBACK}:{free_port()}"
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        port = self.address.rpartition(":")[2]
        self._start("--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false")

    def add(self) -> int:
        """One node more; its number, for `kill`."""
        self._start(f"--address={self.address}", "--num-cpus=1")
        return len(self._started) - 1

    def busy(self) -> list[int]:
        """The nodes on which a worker has its target now."""
        return [n for n in range(len(self._started)) if any(map(_is_worker, self._tree(n)))]

    def kill(self, number: int) -> None:
        """All of the node is gone at once, as when its power fails."""
        for process in self._tree(number):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._started[number].kill()
        self._started[number].wait()

    def close(self) -> None:
        for number in reversed(range(len(self._started))):
            self.kill(number)

    def _tree(self, number: int) -> list[psutil.Process]:
        if self._started[number].poll() is not None:
            return []
        return psutil.Process(self._started[number].pid).children(recursive=True)

    def _start(self, *options: str) -> None:
        temporary = ["--temp-dir", str(self._folder)] if "--head" in options else []
        command = [str(PROGRAMS / "ray"), "start", *options, *temporary, "--block"]
        command += [f"--node-ip-address={LOOPBACK}", f"--object-store-memory={STORE_BYTES}", *FREE]
        said = self._folder / f"node-{len(self._started)}.out"
        with said.open("wb") as words:
            self._started.append(
                subprocess.Popen(
                    [*command, "--disable-usage-stats"] if "--head" in options else command,
                    env={**os.environ, **SETTINGS},
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        # One after another: Ray gives each half a minute, in which few cores start no three.
        while STARTED not in said.read_text():
            assert self._started[-1].poll() is None, said.read_text()
            sleep_s(0.2)


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "soak.worker" in process.cmdline()
    return False


@contextmanager
def cluster(folder: Path, nodes: int) -> Iterator[Cluster]:
    """A cluster of so many nodes that take workers. folder: short, for its sockets."""
    made = Cluster(folder)
    try:
        for _ in range(nodes):
            made.add()
        yield made
    finally:
        made.close()


def soak(*arguments: str) -> subprocess.Popen[str]:
    """`soak` of the environment that has Ray, begun."""
    return subprocess.Popen(
        [str(PROGRAMS / "soak"), *arguments],
        env={**os.environ, **SETTINGS},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
