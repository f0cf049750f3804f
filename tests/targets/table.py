"""Which targets work here? Each one's contract suite and a short soak, in its own environment.

    python -m tests.targets.table [NAME ...]

A target fails when its contract suite or its soak does; it is unknown when it cannot be installed
or started here, or when the soak could not decide (a busy machine). The exit code counts those
that failed.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from soak import plugins
from soak.scenario import Target
from soak.targets._packages import NotInstalled, interpreter
from soak.verdict import ExitCode

ROOT = Path(__file__).parents[2]
SOAK_S = 45
# What cannot be soaked without being told how.
SCENARIOS = {"http": "configs/http.yaml"}
ENVIRONMENTS = {"http": "chroma"}
# The engine and what stands for it in tests have their own suites.
OURS = {"engine", "faulty", "memory", "null"}
# What the checks of latency and throughput say on a busy machine is no fault of an adapter.
CALM = {int(ExitCode.OBJECTIVE), int(ExitCode.UNKNOWN)}


def main(names: list[str]) -> int:
    print(f"{'target':12}{'contract suite':32}{f'soak of {SOAK_S} s':24}verdict", flush=True)
    failed = 0
    for name in names or sorted(set(plugins.shipped("targets")) - OURS):
        contract, soaked, verdict = one(name)
        failed += verdict == "fail"
        print(f"{name:12}{contract:32}{soaked:24}{verdict}", flush=True)
    return failed


def one(name: str) -> tuple[str, str, str]:
    """What its contract suite counted, how its soak ended, and the word for both."""
    packages = ENVIRONMENTS.get(name, name)
    if (ROOT / "requirements" / "targets" / f"{packages}.txt").is_file():
        subprocess.run(
            ["make", "-s", f"target-{packages}"], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
        )
    try:
        python = interpreter(Target(name=name))
    except NotInstalled:
        return "not installable here", "-", "unknown"
    suite = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/targets/test_contract.py"],
        cwd=ROOT,
        env=os.environ | {"SOAK_CONTRACT": name},
        capture_output=True,
        text=True,
        check=False,
    )
    counted = re.findall(r"\d+ (?:passed|failed|skipped|error)", suite.stdout)
    if suite.returncode == 0 and not re.search(r"\d+ passed", suite.stdout):
        return ", ".join(counted), "cannot start here", "unknown"
    code = soak(name)
    words = {ExitCode.PASS: "pass", 10: "objective missed", ExitCode.UNKNOWN: "unknown"}
    is_failed = suite.returncode != 0 or code not in {ExitCode.PASS, *CALM}
    verdict = "fail" if is_failed else "pass" if code == ExitCode.PASS else "unknown"
    return ", ".join(counted), words.get(code, f"exit code {code}"), verdict


def soak(name: str) -> int:
    """The exit code of a short soak."""
    with tempfile.TemporaryDirectory() as folder:
        soak_command = str(Path(sys.executable).with_name("soak"))
        scenario = SCENARIOS.get(name, f"configs/peers.yaml --target {name}")
        command = [soak_command, "run", *scenario.split(), "--plain"]
        command += ["--duration", f"{SOAK_S}s", "--listen", "127.0.0.1:0"]
        ended = subprocess.run(
            [*command, "--out", folder], cwd=ROOT, capture_output=True, check=False
        )
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
