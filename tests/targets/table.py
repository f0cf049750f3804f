"""Which targets work here? Each one's contract suite, its own tests, and a short soak, where it is.

    python -m tests.targets.table [NAME ...]

A target fails when its contract suite or its soak does; it is unknown when it cannot be installed
or started here (where CI is set, it fails then), or when the soak could not decide (a busy
machine). Systems that are on no package index are looked for in build/checkouts/NAME. The exit
code counts those that failed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from soak import plugins
from soak.conformance.scene import promised_by
from soak.scenario import Target, load
from soak.targets._packages import NotInstalled, interpreter
from soak.verdict import ExitCode

ROOT = Path(__file__).parents[2]
CHECKOUTS = ROOT / "build" / "checkouts"
SOAK_S = 45
PEERS, KEEPERS = "configs/peers.yaml", "configs/keepers.yaml"  # these cannot search
# What cannot be soaked without being told how.
SCENARIOS = {"http": "configs/http.yaml"}
ENVIRONMENTS = {"http": "chroma"}
# The same target with other parameters: a row of its own.
VARIANTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "langmem-memory": ("langmem", {"kept_in": "memory"}),
}
# What reads everything for one record takes no 40 operations a second; the same as on its page.
GENTLE = {
    "agno_knowledge": ("--rate", "4/s", "--set", "population.preload=300"),
    "cognee": ("--rate", "10/s", "--set", "population.preload=500"),
    "letta": ("--rate", "10/s", "--set", "population.preload=500"),
}
# What a system still calls though its own packages deprecate it is nobody's concern here.
PYTEST = ("-q", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning")
# The engine and what stands for it in tests have their own suites.
OURS = {"engine", "faulty", "memory", "null"}
# What the checks of latency and throughput say on a busy machine is no fault of an adapter.
CALM = {int(ExitCode.OBJECTIVE), int(ExitCode.UNKNOWN)}


def main(names: list[str]) -> int:
    print(f"{'target':16}{'contract suite':32}{f'soak of {SOAK_S} s':24}verdict", flush=True)
    failed = 0
    for name in names or sorted({*plugins.shipped("targets"), *VARIANTS} - OURS):
        contract, soaked, verdict = one(name)
        failed += verdict == "fail"
        print(f"{name:16}{contract:32}{soaked:24}{verdict}", flush=True)
    return failed


def one(row: str) -> tuple[str, str, str]:
    """What its contract suite counted, how its soak ended, and the word for both."""
    name, params = VARIANTS.get(row, (row, {}))
    if "checkout" in plugins.params_model("targets", name).model_fields:
        if not (CHECKOUTS / name).is_dir():
            return f"no build/checkouts/{name}", "-", "unknown"
        params = {**params, "checkout": str(CHECKOUTS / name)}
    packages = ENVIRONMENTS.get(name, name)
    if (ROOT / "requirements" / "targets" / f"{packages}.txt").is_file():
        subprocess.run(
            ["make", "-s", f"target-{packages}"], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
        )
    try:
        python = interpreter(Target(name=name))
    except NotInstalled:
        return "not installable here", "-", "unknown"
    of_its_own = Path("tests", "targets", f"test_{name}.py")
    files = [
        "tests/targets/test_contract.py",
        *([of_its_own] if (ROOT / of_its_own).is_file() else []),
    ]
    suite = subprocess.run(
        [python, "-m", "pytest", *PYTEST, *files],
        cwd=ROOT,
        env=os.environ | {"SOAK_CONTRACT": name, "SOAK_CONTRACT_PARAMS": json.dumps(params)},
        capture_output=True,
        text=True,
        check=False,
    )
    counted = re.findall(r"\d+ (?:passed|failed|skipped|error)", suite.stdout)
    if suite.returncode == 0 and not re.search(r"\d+ passed", suite.stdout):
        return ", ".join(counted), "cannot start here", "unknown"
    code = soak(name, params)
    words = {ExitCode.PASS: "pass", 10: "objective missed", ExitCode.UNKNOWN: "unknown"}
    is_failed = suite.returncode != 0 or code not in {ExitCode.PASS, *CALM}
    verdict = "fail" if is_failed else "pass" if code == ExitCode.PASS else "unknown"
    return ", ".join(counted), words.get(code, f"exit code {code}"), verdict


def soak(name: str, params: Mapping[str, object]) -> int:
    """The exit code of a short soak, of the operations that the target can do."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("soak")), "run"]
        command += [SCENARIOS[name]] if name in SCENARIOS else flags(name, params)
        command += ["--plain", "--duration", f"{SOAK_S}s", "--listen", "127.0.0.1:0"]
        ended = subprocess.run(
            [*command, "--out", folder], cwd=ROOT, capture_output=True, check=False
        )
    return ended.returncode


def flags(name: str, params: Mapping[str, object]) -> list[str]:
    """What of `soak run` is this target's own: its scenario, and what it cannot do left out."""
    can = promised_by(Target(name=name, params=params))
    scenario = PEERS if "search" in can else KEEPERS
    lacking = [each for each in load(str(ROOT / scenario)).operations if each not in can]
    own = [scenario, "--target", name, *GENTLE.get(name, ())]
    own += [f"--set=target.params.{field}={value}" for field, value in params.items()]
    return own + [f"--set=phases[*].mix.{each}=0" for each in lacking]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
