"""Does a crowd of scrapers disturb the load? `python -m bench.scrape_load [--json FILE]`.

One soak of the target that does nothing, and beside it fifty scrapers that ask ten times a second
each, for four seconds, and for four seconds not, and so on. Each stretch with them is held
against the mean of its two neighbours without, so that what the machine does meanwhile meets both.
Goal: p50 and p99 of the latency change by less than a tenth; undecided where the interval of the
median has the tenth in it. Noise is the same between stretches that are all without. Scrapers live
on other machines: here they are one thread that waits for sockets and gives way to everybody.
"""

import argparse
import csv
import json
import math
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soak.clock import SystemClock, monotonic_ns, process_cpu_ns
from soak.rundir import RunDirectory

SCRAPERS, EVERY_S = 50, 0.1
RATE, STRETCH_S, PAIRS = 500, 4.0, 24
WARM_S, MARGIN_S = 10.0, 0.6
PORT = 19_464
CHANGE = 0.1
SOAK = Path(sys.executable).with_name("soak")
REQUEST = (
    b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n"
    b"Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n\r\n"
)
FIGURES = ("latency_p50_s", "latency_p99_s", "lateness_p50_s", "lateness_p99_s")
Floats = NDArray[np.float64]


class Crowd:
    """Fifty connections that stay open; each asks every EVERY_S while the crowd is on."""

    def __init__(self, pages: selectors.DefaultSelector) -> None:
        self._pages = pages
        self._waiting: dict[socket.socket, tuple[int, bytearray]] = {}
        self.sockets = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(SCRAPERS)]
        for one in self.sockets:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pages.register(one, selectors.EVENT_READ)
        self.taken_s: deque[float] = deque(maxlen=100_000)
        self.skipped = 0

    def ask(self, number: int) -> None:
        """Let one of them ask, unless its last answer is still to come."""
        one = self.sockets[number]
        if one in self._waiting:
            self.skipped += 1
            return
        self._waiting[one] = monotonic_ns(), bytearray()
        one.sendall(REQUEST)

    def read(self, one: socket.socket) -> None:
        asked_ns, received = self._waiting[one]
        received += one.recv(1 << 16)
        head = received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = int(received[:head].partition(b"Content-Length: ")[2].partition(b"\r")[0])
        if len(received) >= head + 4 + length:
            del self._waiting[one]
            self.taken_s.append((monotonic_ns() - asked_ns) / 1e9)


def crowd() -> None:
    """On and off by the letters 1 and 0 on stdin, until it is closed; then figures on stdout."""
    os.nice(10)
    pages = selectors.DefaultSelector()
    scrapers = Crowd(pages)
    pages.register(sys.stdin, selectors.EVENT_READ)
    is_on, turn, due_ns = False, 0, 0
    step_ns = round(EVERY_S * 1e9 / SCRAPERS)
    while True:
        left_s = max(0.0, (due_ns - monotonic_ns()) / 1e9) if is_on else None
        for key, _ in pages.select(left_s):
            if isinstance(key.fileobj, socket.socket):
                scrapers.read(key.fileobj)
                continue
            told = os.read(sys.stdin.fileno(), 64)
            if not told:
                print(json.dumps(summary(scrapers)))
                return
            is_on, due_ns = told.endswith(b"1"), monotonic_ns()
        while is_on and due_ns <= monotonic_ns():
            scrapers.ask(turn % SCRAPERS)
            turn, due_ns = turn + 1, due_ns + step_ns


def summary(scrapers: Crowd) -> dict[str, float]:
    p50, p99 = np.quantile(scrapers.taken_s, [0.5, 0.99]) if scrapers.taken_s else (np.nan, np.nan)
    cpu_s = process_cpu_ns() / 1e9
    return {
        **{"count": len(scrapers.taken_s), "skipped": scrapers.skipped},
        **{"p50_s": float(p50), "p99_s": float(p99), "cpu_s": cpu_s},
    }


def is_up() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) == 0


def soaked(out: Path) -> tuple[RunDirectory, list[float], dict[str, float]]:
    """The run, the wall times at which the crowd was turned on and off in turns, and its words."""
    length_s = WARM_S + (2 * PAIRS + 2) * STRETCH_S
    command = [
        *(str(SOAK), "run", "control", "--rate", str(RATE), "--duration", f"{length_s:g}s"),
        *("--set", "observe.window=1s", "--listen", f"127.0.0.1:{PORT}", "--plain"),
        *("--out", str(out)),
    ]
    pause = threading.Event()
    with (out / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as run:
        while not is_up():
            assert run.poll() is None, (out / "log").read_text()
            pause.wait(0.5)
        pause.wait(WARM_S)
        asking = [sys.executable, "-m", "bench.scrape_load", "--crowd"]
        others = subprocess.Popen(asking, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert others.stdin
        turned_s = []
        for number in range(2 * PAIRS + 1):
            others.stdin.write(b"01"[number % 2 : number % 2 + 1])
            others.stdin.flush()
            turned_s.append(SystemClock().wall_s())
            pause.wait(STRETCH_S)
        said = json.loads(others.communicate()[0])
        turned_s.append(SystemClock().wall_s())
    (directory,) = (path for path in out.iterdir() if path.is_dir())
    return RunDirectory(directory), turned_s, said


def columns(path: Path, names: tuple[str, ...]) -> dict[str, Floats]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in names}


def stretches(directory: RunDirectory, turned_s: list[float]) -> dict[str, Floats]:
    """Each figure per stretch, of which the even ones are without scrapers.

    Means over the windows well within it, by how many operations each counts, and the share of a
    processor that the controller used.
    """
    started = json.loads(directory.report.read_text())["started"]
    zero_s = datetime.fromisoformat(started).timestamp()
    rows = columns(directory.windows, ("start_s", "end_s", "count", *FIGURES))
    samples = columns(directory.samples, ("t_s", "tester_cpu_s"))
    found: dict[str, list[float]] = {name: [] for name in (*FIGURES, "tester_cpu_ratio")}
    for on_s, off_s in pairwise(turned_s):
        first_s, last_s = on_s - zero_s + MARGIN_S, off_s - zero_s
        inside = (rows["start_s"] >= first_s) & (rows["end_s"] <= last_s)
        for name in FIGURES:
            mean = np.average(rows[name][inside], weights=rows["count"][inside])
            found[name].append(float(mean))
        within = (samples["t_s"] >= first_s) & (samples["t_s"] <= last_s)
        at_s, cpu_s = samples["t_s"][within], samples["tester_cpu_s"][within]
        found["tester_cpu_ratio"].append(float((cpu_s[-1] - cpu_s[0]) / (at_s[-1] - at_s[0])))
    return {name: np.array(values) for name, values in found.items()}


def changes(values: Floats) -> tuple[Floats, Floats]:
    """Each stretch with scrapers over the mean of its neighbours; and the same without any."""
    alone, scraped = values[0::2], values[1::2]
    beside = (alone[:-1] + alone[1:]) / 2
    return scraped / beside - 1, alone[1:-1] / ((alone[:-2] + alone[2:]) / 2) - 1


def interval(values: Floats) -> tuple[float, float]:
    """Between which the median lies, 95 %, by the ranks of a fair coin's heads."""
    rank = math.floor((values.size - 1.96 * math.sqrt(values.size)) / 2)
    ordered = np.sort(values)
    return float(ordered[max(0, rank)]), float(ordered[min(values.size, values.size - rank) - 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--crowd", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.crowd:
        crowd()
        return
    with tempfile.TemporaryDirectory() as out:
        directory, turned_s, said = soaked(Path(out))
        found = stretches(directory, turned_s)
    heads = f"{'alone':>10}{'scraped':>10}{'change, median (95 %)':>32}{'noise':>9}"
    print(f"{f'{PAIRS} pairs':16}{heads}")
    told: dict[str, Any] = {"scrapes": said}
    for name in FIGURES:
        values = found[name]
        with_them, without = changes(values)
        middle = float(np.median(with_them))
        low, high = interval(with_them)
        noise = float(np.quantile(np.abs(without), 0.5))
        word = "fine" if high < CHANGE else "DISTURBED" if low > CHANGE else "undecided"
        shown = f"{middle:+.1%} ({low:+.1%} to {high:+.1%})"
        alone_us, scraped_us = np.median(values[0::2]) * 1e6, np.median(values[1::2]) * 1e6
        print(f"{name:16}{alone_us:8.1f}us{scraped_us:8.1f}us{shown:>32}{noise:9.1%}  {word}")
        told[name] = {"stretches": values.tolist(), "change": middle, "interval": [low, high]}
        told[name]["noise"] = noise
    cpu = found["tester_cpu_ratio"]
    per_scrape_us = (np.median(cpu[1::2]) - np.median(cpu[0::2])) / (SCRAPERS / EVERY_S) * 1e6
    told["cpu_per_scrape_us"] = float(per_scrape_us)
    print(
        f"{said['count']} scrapes, {said['skipped']} skipped: p50 {said['p50_s'] * 1e3:.2f} ms, "
        f"p99 {said['p99_s'] * 1e3:.2f} ms; {per_scrape_us:.0f} us of the controller's time each"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
