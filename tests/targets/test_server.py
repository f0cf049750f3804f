"""Does a server that does not come up say why, and leave nothing behind?"""

import socket
import sys
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.result import TargetUnavailable
from soak.targets import http
from soak.targets._server import Server
from tests.servers import free_port
from tests.targets.test_troubles import HandClock

SAYING = [sys.executable, "-uc", "print('hello'); import time; time.sleep(60)"]


def test_a_server_that_is_not_ready_says_what_was_waited_for_and_is_ended(tmp_path: Path):
    log, clock = tmp_path / "log", SystemClock()

    def says_hello() -> bool:
        while b"hello" not in log.read_bytes():
            clock.sleep_s(0.01)
        return False

    with pytest.raises(TargetUnavailable) as refused:
        Server(SAYING, log=log, clock=HandClock(), is_ready=says_hello, awaited="nobody is there")

    assert (f"{sys.executable}: not ready after 60 s; nobody is there; it said last: hello") == str(
        refused.value
    )


def test_a_server_that_ended_says_its_last_line(tmp_path: Path):
    command = [sys.executable, "-c", "print('no disk'); raise SystemExit(3)"]

    with pytest.raises(TargetUnavailable, match=r": no disk$"):
        Server(command, log=tmp_path / "log", clock=SystemClock(), is_ready=lambda: False)


def test_the_started_server_is_waited_for_on_the_port_of_the_url(tmp_path: Path):
    port = free_port()
    start = f"{sys.executable} -m http.server {port} --bind 127.0.0.1"
    params = http.Params(start=start, url=f"http://127.0.0.1:{port}")

    target = http.build(params, tmp_path, SystemClock())
    with socket.create_connection(("127.0.0.1", port)):
        target.close()


def test_a_server_on_another_port_is_told_by_the_port_that_was_waited_for(tmp_path: Path):
    params = http.Params(start="sh -c 'exec sleep 60 # $port'")

    with pytest.raises(TargetUnavailable, match=r"port \d+; does `start` use \$port\?") as refused:
        http.build(params, tmp_path, HandClock())

    assert str(refused.value).startswith("sh: not ready after 60 s; nobody listens on port ")
