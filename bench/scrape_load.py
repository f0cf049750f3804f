"""Does a crowd of scrapers disturb the load? `python -m bench.scrape_load [--json FILE]`.

The same soak of the target that does nothing, in turns without and with fifty scrapers that ask
ten times a second each, from a process of their own. Goal: p50 and p99 of the latency change by
less than a tenth, or by less than what two turns without scrapers differ.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from soak.clock import monotonic_ns, process_cpu_ns

SCRAPERS, EVERY_S = 50, 0.1
RATE, LENGTH_S = 500, 15
PORT = 19_464
TURNS = 3
CHANGE = 0.1
SOAK = Path(sys.executable).with_name("soak")


def scrape(over: threading.Event, taken_s: list[float], offset_s: float) -> None:
    """Ask until told to stop, on a connection that stays open; keep how long each took."""
    over.wait(offset_s)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    while not over.wait(EVERY_S):
        begun_ns = monotonic_ns()
        try:
            connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()
            continue
        taken_s.append((monotonic_ns() - begun_ns) / 1e9)


def crowd() -> None:
    """Fifty of them until stdin closes; then p99 and count on stdout."""
    over = threading.Event()
    taken_s: list[float] = []
    threads = [
        threading.Thread(target=scrape, args=(over, taken_s, EVERY_S * i / SCRAPERS))
        for i in range(SCRAPERS)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    p50, p99 = np.quantile(taken_s, [0.5, 0.99]) if taken_s else (np.nan, np.nan)
    cpu_s = process_cpu_ns() / 1e9
    print(json.dumps({"count": len(taken_s), "p50_s": p50, "p99_s": p99, "cpu_s": cpu_s}))


@contextmanager
def scrapers(said: dict[str, Any], *, is_there: bool) -> Iterator[None]:
    if not is_there:
        yield
        return
    command = [sys.executable, "-m", "bench.scrape_load", "--crowd"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield
    said.update(json.loads(process.communicate("")[0]))


def turn(*, is_scraped: bool) -> dict[str, Any]:
    """One soak: its latency and lateness, and what the scrapers measured."""
    said: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as out, scrapers(said, is_there=is_scraped):
        command = [
            *(SOAK, "run", "control", "--rate", str(RATE), "--duration", f"{LENGTH_S}s"),
            *("--listen", f"127.0.0.1:{PORT}", "--json", "--plain", "--out", out),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
    operation = max(report["operations"].values(), key=lambda found: found["count"])
    lateness = report["certificate"]["lateness_s"]
    return {
        "latency_p50_s": operation["latency_s"]["p50"],
        "latency_p99_s": operation["latency_s"]["p99"],
        "lateness_p50_s": lateness["p50"],
        "lateness_p99_s": lateness["p99"],
        "tester_cpu_s": report["resources"].get("tester_cpu_s", {}).get("last", 0.0),
        "scrapes": said,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--crowd", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.crowd:
        crowd()
        return
    alone, scraped = [], []
    for _ in range(TURNS):
        alone.append(turn(is_scraped=False))
        scraped.append(turn(is_scraped=True))
    print(f"{'median of turns, us':24}{'alone':>10}{'scraped':>10}{'change':>9}{'noise':>9}")
    for name in ("latency_p50_s", "latency_p99_s", "lateness_p50_s", "lateness_p99_s"):
        before, after = ([found[name] for found in turns] for turns in (alone, scraped))
        noise = (max(before) - min(before)) / np.median(before)
        change = np.median(after) / np.median(before) - 1
        is_fine = change < max(CHANGE, noise)
        print(
            f"{name:24}{np.median(before) * 1e6:10.1f}{np.median(after) * 1e6:10.1f}"
            f"{change:+9.1%}{noise:9.1%}  {'fine' if is_fine else 'DISTURBED'}"
        )
    for found in scraped:
        seen = found["scrapes"]
        print(
            f"{seen['count']} scrapes in a turn: p50 {seen['p50_s'] * 1e3:.1f} ms, "
            f"p99 {seen['p99_s'] * 1e3:.1f} ms"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps({"alone": alone, "scraped": scraped}, indent=1))


if __name__ == "__main__":
    main()
