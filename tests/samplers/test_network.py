"""Are the bytes of a target's connections its own, and is what nobody tells left out?"""

import os
import socket
from pathlib import Path

import pytest

from soak.clock import SystemClock, sleep_s
from soak.samplers._sockets import Connection, connections
from soak.samplers.network import build, parse_devices
from soak.seams import Subject

DEVICES = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop
    lo:  700 26 0 0 0 0 0 0  700 26 0 0 0 0 0 0
  eth0: 1000 37 0 0 0 0 0 0 2000 22 0 0 0 0 0 0
  eth1:   10  1 0 0 0 0 0 0   20  1 0 0 0 0 0 0
"""


def subject_of(*pids: int) -> Subject:
    return Subject(
        pids=lambda: pids,
        directories=tuple,
        reported=lambda: ({}, 0.0),
        clock=SystemClock(),
    )


def put(proc: Path, pid: int | str, inodes: tuple[int, ...] = (), space: str = "net:[1]") -> None:
    home = proc / str(pid)
    (home / "fd").mkdir(parents=True)
    (home / "ns").mkdir()
    (home / "ns" / "net").symlink_to(space)
    for i, inode in enumerate(inodes):
        (home / "fd" / str(i)).symlink_to(f"socket:[{inode}]")


def connection(inode: int, sent: int, received: int, cookie: int | None = None) -> Connection:
    return Connection(inode=inode, cookie=cookie or inode, sent_bytes=sent, received_bytes=received)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "dev").write_text(DEVICES)
    put(tmp_path, "self")
    return tmp_path


def test_devices_are_summed_but_for_the_loopback(proc: Path) -> None:
    assert {"lo": (700, 700), "eth0": (1000, 2000), "eth1": (10, 20)} == parse_devices(DEVICES)
    row = build(subject_of(), proc, list, lambda: 0).sample()

    assert {"host_loopback_bytes": 700, "host_received_bytes": 1010, "host_sent_bytes": 2020} == row


def test_only_connections_of_the_target_count_and_ended_ones_are_kept(proc: Path) -> None:
    put(proc, 7, (11, 12))
    told = [[connection(11, 5, 50), connection(12, 1, 10), connection(99, 9, 9)]]
    told += [[connection(12, 2, 20)], [connection(12, 3, 30, cookie=77)]]
    sampler = build(subject_of(7), proc, lambda: told.pop(0), lambda: 0)

    rows = [sampler.sample() for _ in range(3)]
    # Connection 11 ended with what it had carried, then 12, whose number another one got.
    assert [6.0, 7.0, 10.0] == [row["tcp_sent_bytes"] for row in rows]
    assert [60.0, 70.0, 100.0] == [row["tcp_received_bytes"] for row in rows]


def test_a_target_without_connections_sent_nothing(proc: Path) -> None:
    put(proc, 7)
    row = build(subject_of(7), proc, list, lambda: 0).sample()

    assert (0.0, 0.0) == (row["tcp_sent_bytes"], row["tcp_received_bytes"])


@pytest.mark.parametrize("hidden", ["another space", "no such call", "out of reach"])
def test_what_is_hidden_is_left_out_and_not_zero(hidden: str, proc: Path) -> None:
    put(proc, 7, (11,), space="net:[2]" if hidden == "another space" else "net:[1]")

    def refuse() -> list[Connection]:
        raise OSError("not supported")

    pids = () if hidden == "out of reach" else (7,)
    listed = refuse if hidden == "no such call" else list
    row = build(subject_of(*pids), proc, listed, lambda: 0).sample()

    assert set() == {"tcp_sent_bytes", "tcp_received_bytes"} & row.keys()


def test_a_look_that_is_dear_is_rarer(proc: Path) -> None:
    put(proc, 7, (11,))
    looks: list[int] = []
    spent = iter(range(0, 10**12, 10**9))
    sampler = build(subject_of(7), proc, lambda: looks.append(1) or [], lambda: next(spent))

    assert [True, False] == ["tcp_sent_bytes" in sampler.sample() for _ in range(2)]
    assert 1 == len(looks)


def test_real_connections_tell_what_they_carried() -> None:
    try:
        connections()
    except OSError as error:
        pytest.skip(f"this kernel does not list connections: {error}")
    sampler = build(subject_of(os.getpid()), cpu_ns=lambda: 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with client, accepted:
            before = sampler.sample()
            client.sendall(b"x" * 50_000)
            read = 0
            while read < 50_000:
                read += len(accepted.recv(65_536))
            sent = 0.0
            while sent < 50_000:  # until the last byte is acknowledged
                row = sampler.sample()
                sent = row["tcp_sent_bytes"] - before["tcp_sent_bytes"]
                sleep_s(0.001)
    assert (50_000.0, 50_000.0) == (
        sent,
        row["tcp_received_bytes"] - before["tcp_received_bytes"],
    )
