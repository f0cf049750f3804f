"""Does SIGHUP bring new certificates and tokens into a run that goes on, and bad ones not?"""

import json
import os
import pty
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.endtoend.conftest import ROOT, SOAK, environment, only_run
from tests.endtoend.test_outlets import SCENARIO, certificate
from tests.servers import free_port, until


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Begin a soak of ten minutes with these words; killed when the test is over."""
    (tmp_path / "told.yaml").write_text(SCENARIO.replace("10s", "10m"))
    begun: list[subprocess.Popen[bytes]] = []

    def start(*words: str, stderr: int) -> subprocess.Popen[bytes]:
        command = [SOAK, "run", tmp_path / "told.yaml", "--plain", "--out", tmp_path / "runs"]
        settings = {**environment(), "SOAK_LOG": "info"}
        process = subprocess.Popen(
            [*command, *words], cwd=ROOT, env=settings, stdout=subprocess.DEVNULL, stderr=stderr
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


def lines_of(said: Path, event: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.read_text().splitlines() if f'"{event}"' in line]


def status(address: str, trusted: Path, word: str) -> int:
    """Of an answer; 0 where there is none, or the server is not who it says."""
    context = ssl.create_default_context(cafile=str(trusted))
    asked = urllib.request.Request(
        f"https://{address}/readyz", headers={"Authorization": f"Bearer {word}"}
    )
    try:
        return int(urllib.request.urlopen(asked, context=context).status)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except OSError:
        return 0


def two_certificates(folder: Path) -> list[Path]:
    for name in ("first", "second"):
        (folder / name).mkdir()
    return [certificate(folder / name) for name in ("first", "second")]


@pytest.mark.slow
def test_certificate_and_token_are_read_again_and_what_is_no_good_is_not_taken(
    begin: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
):
    pem, token, said = tmp_path / "server.pem", tmp_path / "token", tmp_path / "said"
    both = two_certificates(tmp_path)
    pem.write_bytes(both[0].read_bytes())
    token.write_text("first\n")
    address = f"127.0.0.1:{free_port()}"

    with said.open("wb") as words:
        flags = ("--publish", f"certificate={pem}", "--publish", f"token-file={token}")
        process = begin("--listen", address, *flags, stderr=words.fileno())
    until(lambda: status(address, both[0], "first") == 200, "the run")

    pem.write_bytes(both[1].read_bytes())
    token.write_text("second\n")
    process.send_signal(signal.SIGHUP)
    until(lambda: status(address, both[1], "second") == 200, "the second certificate")
    assert (0, 401) == (status(address, both[0], "first"), status(address, both[1], "first"))

    pem.write_text("no certificate")
    token.write_text("third\n")
    process.send_signal(signal.SIGHUP)
    until(lambda: lines_of(said, "reread_refused"), "the refusal")
    assert (200, 401) == (status(address, both[1], "second"), status(address, both[1], "third"))

    process.terminate()
    assert 143 == process.wait(60)
    (read,) = lines_of(said, "reread")
    (refused,) = lines_of(said, "reread_refused")
    assert [str(pem), str(token)] == read["files"]
    assert f"cannot use the certificate {pem}" in str(refused["reasons"])
    assert "worker ended" not in said.read_text()


@pytest.mark.slow
def test_a_daemon_reads_certificate_and_token_again_and_says_what_is_no_good(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
):
    pem, token, config = tmp_path / "server.pem", tmp_path / "token", tmp_path / "daemon.yaml"
    first, second = two_certificates(tmp_path)
    pem.write_bytes(first.read_bytes())
    token.write_text("first\n")
    config.write_text("schedules:\n- {name: a, scenario: smoke, every: 3650d}\n")
    address = f"127.0.0.1:{free_port()}"
    flags = ("--publish", f"certificate={pem}", "--publish", f"token-file={token}")
    process = start("daemon", "--config", str(config), "--listen", address, *flags)
    until(lambda: status(address, first, "first") == 200, "the daemon")

    pem.write_bytes(second.read_bytes())
    token.write_text("second\n")
    process.send_signal(signal.SIGHUP)
    until(lambda: status(address, second, "second") == 200, "the second certificate")

    token.write_text("")
    process.send_signal(signal.SIGHUP)
    assert process.stderr
    refused = next(line for line in process.stderr if "reread_refused" in line)
    assert f"{token}: there is no token in it" in refused
    assert (200, 401) == (status(address, second, "second"), status(address, second, "first"))


@pytest.mark.soak
def test_a_terminal_that_hangs_up_stops_the_run_with_a_report(
    begin: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
):
    ours, theirs = pty.openpty()
    process = begin("--listen", "127.0.0.1:0", stderr=theirs)
    os.close(theirs)
    said = b""
    while b"records" not in said:
        said += os.read(ours, 4_096)

    os.close(ours)
    process.send_signal(signal.SIGHUP)

    assert 129 == process.wait(60)
    report = json.loads((only_run(tmp_path / "runs") / "report.json").read_text())
    assert "interrupted" == report["state"]
