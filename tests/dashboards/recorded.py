"""A real soak in short time: its own pages, one per quarter of a minute, for a real Prometheus."""

import os
import re
import subprocess
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.endtoend.conftest import ROOT, SOAK
from tests.servers import free_port

# Times as fast as life: as fast as the machine can, which may be busy with something else.
SCALES = (30, 12, 4)
ENOUGH_PAGES = 11
DURATION = "6m"
EVERY_S = 15.0
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
TROUBLED = """
name: troubled
question: What does a dashboard show of a target that leaks, forgets and fails?
rate: 12/s
target:
  name: faulty
  params: {capacity_records: 300, leak_bytes_per_operation: 40KB, error_ratio: 0.01, onset_s: 4m}
population: {keys: 4000, agents: 4}
phases:
  - {name: warm-up, duration: 1m, warm: true, mix: {store: 60, get: 20, search: 20}}
  - name: steady
    duration: 14m
    mix: {store: 45, get: 25, search: 15, update: 5, delete: 10}
checks:
  - {name: wrong-answers, detector: never}
  - {name: errors, detector: slo, params: {total: error_count, per: count, max: 0.1%}}
  - {name: search-p99, detector: slo, params: {operation: search, max: 50ms}}
observe: {window: 15s, sample: 3s, judge: 30s}
"""


@dataclass
class Recording:
    """One soak. pages: (wall time, OpenMetrics text)."""

    pages: list[tuple[float, str]] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        found = re.search(r'run_id="([^"]+)"', self.pages[-1][1])
        assert found
        return found[1]

    def seen_at(self, instance: str) -> list[tuple[float, str]]:
        """The pages as a Prometheus has them that scraped this run at that address."""
        labelled = rf'\g<0>instance="{instance}",'
        return [(at_s, re.sub(r"^\w+{", labelled, page, flags=re.M)) for at_s, page in self.pages]


def recorded(folder: Path, *flags: str) -> Recording:
    """Many times as fast as life, read by HTTP four times a minute of the soak's own time."""
    for scale in SCALES:
        recording = soaked(folder / f"{scale}", scale, *flags)
        if len(recording.pages) >= ENOUGH_PAGES:
            return recording
    raise AssertionError((folder / f"{SCALES[-1]}" / "log").read_text())


def soaked(folder: Path, scale: int, *flags: str) -> Recording:
    folder.mkdir(parents=True)
    scenario = folder / "troubled.yaml"
    scenario.write_text(TROUBLED)
    port = free_port()
    command = [
        *(SOAK, "run", str(scenario), "--duration", DURATION, "--plain", *flags),
        *("--listen", f"127.0.0.1:{port}", "--out", str(folder / "runs")),
    ]
    environment = {**os.environ, "SOAK_TIME_SCALE": str(scale), "NO_COLOR": "1"}
    recording = Recording()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        follow(process, f"http://127.0.0.1:{port}/metrics", recording, EVERY_S / scale / 3)
    finally:
        process.kill()
        process.wait()
    return recording


def follow(process: subprocess.Popen, url: str, recording: Recording, pause_s: float) -> None:
    """Keep a page whenever the soak's own time has moved on enough."""
    pause = threading.Event()
    request = urllib.request.Request(url, headers=OPENMETRICS)
    latest_s = 0.0
    while process.poll() is None:
        pause.wait(pause_s)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                page = reply.read().decode()
        except (urllib.error.URLError, ConnectionError):
            continue  # not up yet, or over
        at_s = figure(page, "soak_run_start_timestamp_seconds") + figure(
            page, "soak_run_elapsed_seconds"
        )
        if at_s >= latest_s + EVERY_S:
            recording.pages.append((at_s, page))
            latest_s = at_s


def figure(page: str, name: str) -> float:
    found = re.search(rf"^{name}{{[^}}]*}} (\S+)$", page, re.MULTILINE)
    assert found, name
    return float(found[1])
