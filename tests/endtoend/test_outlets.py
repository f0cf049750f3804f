"""`soak run --publish ...`: https and a token for who looks on, and figures for who cannot."""

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from soak.outlets import outlets
from soak.verdict import Mistake
from tests.endtoend.conftest import ROOT, SOAK, environment, only_run
from tests.programs import program
from tests.servers import fetched, free_port, prometheus, running, until

SCENARIO = """
name: told
question: Who hears of it?
rate: 50/s
target: memory
population: {keys: 1000, agents: 2}
phases: [{name: steady, duration: 10s, mix: {store: 40, get: 60}}]
checks: [{name: answers, detector: never}]
observe: {window: 1s, judge: 1s}
"""


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("tokn-file=a", "did you mean token-file"),
        ("certificate", "name=value"),
        ("clients=ca.pem", "need certificate=FILE"),
        ("pushgateway=ftp://a", "write http"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(pair, said):
    with pytest.raises(Mistake, match=said):
        outlets([pair])


def certificate(folder: Path) -> Path:
    key, path, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [program("openssl"), *request.split(), *subject, "-keyout", key, "-out", path]
    subprocess.run(command, check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + path.read_bytes())
    return both


@pytest.mark.slow
def test_a_run_is_seen_by_https_with_a_token_and_told_to_prometheus_and_a_pushgateway(
    tmp_path: Path,
):
    both = certificate(tmp_path)
    (tmp_path / "told.yaml").write_text(SCENARIO)
    (tmp_path / "token").write_text("s3cret\n")
    url = f"https://127.0.0.1:{free_port()}"
    gateway = f"127.0.0.1:{free_port()}"
    gateway_command = [
        *(program("prometheus-pushgateway"), f"--web.listen-address={gateway}"),
        "--persistence.file=",
    ]
    flags = ("--web.enable-remote-write-receiver",)
    with (
        running(gateway_command, tmp_path / "gateway.log", f"http://{gateway}/-/ready"),
        prometheus(tmp_path / "prometheus", "global: {}\n", *flags) as server,
    ):
        told = (
            *(f"certificate={both}", f"token-file={tmp_path / 'token'}"),
            *(f"remote-write={server.url}/api/v1/write", f"pushgateway=http://{gateway}"),
        )
        process = subprocess.Popen(
            [
                *(SOAK, "run", str(tmp_path / "told.yaml"), "--plain"),
                *("--listen", url.removeprefix("https://"), "--out", str(tmp_path / "runs")),
                *(word for pair in told for word in ("--publish", pair)),
            ],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            trusting = ssl.create_default_context(cafile=str(both))
            asked = urllib.request.Request(
                f"{url}/readyz", headers={"Authorization": "Bearer s3cret"}
            )
            until(lambda: urllib.request.urlopen(asked, context=trusting).read(), "https")
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(f"{url}/metrics", context=trusting)
            code = process.wait(120)
        finally:
            process.kill()
            process.wait()
        written = server.query("sum(soak_operations_total)")
        page = fetched(f"http://{gateway}/metrics").decode()
    report = json.loads((only_run(tmp_path / "runs") / "report.json").read_text())
    done = sum(operation["count"] for operation in report["operations"].values())
    assert {frozenset(): float(done)} == written
    assert (
        f'soak_outcome_exit_code{{instance="",job="soak",scenario="told",target="memory"}} {code}'
        in page
    )
