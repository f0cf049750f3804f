"""On what did this run happen? Machine, versions and command, for environment.json."""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from soak import __version__
from soak.clock import Clock
from soak.rundir import RunDirectory
from soak.scenario import Scenario
from soak.scenario.credentials import masked
from soak.snapshot import Identity

PACKAGES = (
    "numpy",
    "prometheus-client",
    "psutil",
    "apscheduler",
    "pydantic",
    "numkong",
    "zstandard",
)

# Addresses may hold passwords, and a run directory is passed on: none of SOAK_PUBLISH.
SETTINGS = tuple(
    f"SOAK_{name}"
    for name in ("DURATION", "LISTEN", "LOG", "OUT", "RATE", "SEED", "TARGET", "TIME_SCALE")
)


def describe(arguments: Sequence[str], proc: Path = Path("/proc")) -> dict[str, object]:
    """Facts that explain a figure to someone who reads it on another machine."""
    return {
        "soak": __version__,
        "python": sys.version.split()[0],
        "packages": {name: _version(name) for name in PACKAGES},
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu_model": _field(proc / "cpuinfo", "model name"),
        "cpus": os.cpu_count(),
        "cpus_allowed": len(os.sched_getaffinity(0)),
        "memory_total": _field(proc / "meminfo", "MemTotal"),
        "command": [masked(argument) for argument in arguments],
        "settings": {k: v for k, v in sorted(os.environ.items()) if k in SETTINGS},
    }


def with_target(
    environment: Mapping[str, object], ready: Mapping[str, object]
) -> dict[str, object]:
    """The same with what the target said when it was ready: capabilities and configuration."""
    said = {k: v for k, v in ready.items() if k not in ("kind", "t_ns")}
    return {**environment, "target": said}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _field(path: Path, name: str) -> str:
    """The first `name: value` of a /proc file; empty where the kernel does not tell."""
    if not path.exists():
        return ""
    for line in path.read_text(errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def identity_of(scenario: Scenario, directory: RunDirectory, clock: Clock) -> Identity:
    """Which run this is; `started` is now, and moves to time zero once that is fixed."""
    return Identity(
        run_id=directory.run_id,
        scenario=scenario.name,
        target=scenario.target.name,
        seed=scenario.seed,
        version=__version__,
        started=clock.wall_s(),
        directory=str(directory.path),
        time_scale=scenario.target.time_scale,
    )
