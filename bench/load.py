"""What does the load path cost, and does it keep its promises? `python -m bench.load`.

    python -m bench.load [--quick] [--json FILE] [--locust PYTHON]

Every figure stands beside its goal and beside peers measured in the same run. Exit code 1: a goal
was missed. Goals of CPU time hold on a busy machine; those of lateness and rate need free cores,
so what the machine did meanwhile (hiccups, steal) is printed, too.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from bench import load_course, load_loops, sleep_loop
from bench.stalling import STALL_S

ROOT = Path(__file__).parent.parent
LOCUST = ROOT / "build" / "bench" / "bin" / "python"
RATES = (100.0, 1000.0, 5000.0)
HOW_TO = "python3 -m venv build/bench && build/bench/bin/pip install -r requirements/bench.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One goal. bound: the most (or, at_least, the least) it may be; None: shown, not judged."""

    name: str
    unit: str
    measured: float
    bound: float | None = None
    at_least: bool = False
    peers: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        if self.bound is None:
            return True
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


class Locust:
    """The peer, in an interpreter of its own."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def measure(self, mode: str, *figures: float) -> dict[str, float]:
        """Raises SystemExit with how to install it where it is not."""
        if not self._python.exists():
            raise SystemExit(f"no Locust at {self._python}; install it:\n  {HOW_TO}")
        script = str(ROOT / "bench" / "locust_peer.py")
        command = [str(self._python), script, mode, *map(str, figures)]
        found = subprocess.run(command, capture_output=True, check=False, text=True)
        if found.returncode:
            raise SystemExit(f"Locust failed:\n{found.stderr[-2000:]}")
        measured: dict[str, float] = json.loads(found.stdout)
        return measured


def costs(directory: Path, locust: Locust, *, quick: bool) -> Iterator[Row]:
    """What an operation that does nothing costs."""
    peer = locust.measure("max", 3.0 if quick else 10.0)
    found = load_loops.operation_costs(directory, 9 if quick else 31)
    yield Row(
        name="worker CPU per no-op operation",
        unit="ns",
        measured=found["load_ns"],
        bound=400,
        peers={
            "two clock readings and a call": found["floor_ns"],
            "Histogram.observe": found["observe_ns"],
            "Locust": peer["cpu_ns"],
        },
    )
    yield Row(
        name="highest no-op rate, one client",
        unit="/s",
        measured=found["rate_per_s"],
        bound=2e6,
        at_least=True,
        peers={"Locust": peer["rate_per_s"]},
    )
    found = load_loops.controller_costs(directory, 100 if quick else 1000)
    yield Row(
        name="schedule with keys, per operation",
        unit="ns",
        measured=found["schedule_ns"],
        bound=150,
    )
    yield Row(
        name="drain and fold, per operation",
        unit="ns",
        measured=found["drain_ns"] + found["fold_ns"],
        bound=150,
    )


def pacing(directory: Path, locust: Locust, *, quick: bool) -> Iterator[Row]:
    """Whether a rate is held, and how late an idle client is."""
    duration_s = 5.0 if quick else 60.0
    for rate_per_s in RATES:
        name = f"{rate_per_s:g}/s"
        course = load_course.run(directory / f"rate-{rate_per_s:g}", rate_per_s, duration_s)
        loop = sleep_loop.run(rate_per_s, duration_s)
        peer = locust.measure("held", duration_s, rate_per_s)
        taken_s = (int(loop.start_ns[-1]) - int(loop.start_ns[0])) / 1e9
        yield Row(
            name=f"held rate error at {name}",
            unit="%",
            measured=100 * abs(course.rate_error(rate_per_s)),
            bound=0.02 if duration_s == 60 else 0.2,
            peers={
                "sleep loop": 100 * abs((loop.start_ns.size - 1) / taken_s / rate_per_s - 1),
                "Locust": 100 * abs(peer["rate_per_s"] / rate_per_s - 1),
            },
        )
        late_ns = loop.start_ns - loop.due_ns
        for share, bound in ((0.5, 40.0), (0.99, 150.0)):
            yield Row(
                name=f"idle lateness at {name}, p{100 * share:g}",
                unit="us",
                measured=1e6 * course.idle_lateness_s(share),
                bound=bound if rate_per_s == 1000 else None,
                peers={
                    "sleep loop": float(np.quantile(late_ns, share)) / 1e3,
                    "hiccup": 1e6
                    * course.hiccup.get("p50_s" if share == 0.5 else "p99_s", math.nan),
                },
            )
        yield Row(
            name=f"CPU per paced operation at {name}, worker + controller",
            unit="us",
            measured=(course.worker_cpu_ns + course.feeder_cpu_ns) / 1e3,
            peers={"sleep loop": loop.cpu_ns / 1e3, "Locust": peer["cpu_ns"] / 1e3},
        )


def stall(directory: Path, locust: Locust, *, quick: bool) -> Iterator[Row]:
    """A second without an answer, against what the schedule says callers felt."""
    rate_per_s, duration_s = 1000.0, 10.0 if quick else 60.0
    count = round(rate_per_s * duration_s)
    waits_s = np.maximum(0.0, STALL_S - np.arange(count) / rate_per_s)
    course = load_course.run_with_stall(directory / "stall", rate_per_s, duration_s)
    loop = sleep_loop.run(rate_per_s, duration_s, stall_at=count // 2)
    peer = locust.measure("stall", duration_s, rate_per_s)
    totals = course.windows.totals()["get"]
    for share, key in ((0.99, "p99_s"), (0.999, "p999_s")):
        truth_s = float(np.quantile(waits_s, share, method="inverted_cdf"))
        shown_s = totals.latency.quantile_s(share)
        yield Row(
            name=f"one-second stall, error of p{100 * share:g}",
            unit="%",
            measured=100 * abs(shown_s / truth_s - 1),
            bound=1.0,
            peers={
                "truth, ms": 1e3 * truth_s,
                "shown, ms": 1e3 * shown_s,
                "sleep loop, ms": float(np.quantile(loop.took_ns, share)) / 1e6,
                "Locust, ms": 1e3 * peer[key],
            },
        )


def memory(directory: Path, *, quick: bool) -> Iterator[Row]:
    """Whether memory grows with operations, in either process."""
    count = 2_000_000 if quick else 40_000_000
    rate_per_s = 1_000_000.0
    course = load_course.run(directory / "memory", rate_per_s, count / rate_per_s, keep=False)
    for name, growth in (
        ("worker", course.worker_growth_bytes),
        ("controller", course.feeder_growth_bytes),
    ):
        yield Row(
            name=f"memory growth of the {name} over {count / 1e6:g} M operations",
            unit="B/op",
            measured=growth,
            bound=0.1 if count > 10_000_000 else 1.0,
            peers={"a list of results": 40.0},
        )


def steal_s() -> float:
    """Processor time others took from this machine so far."""
    ticks = int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8])
    return ticks / os.sysconf("SC_CLK_TCK")


def show(row: Row) -> None:
    bound = ""
    if row.bound is not None:
        bound = f"{'>=' if row.at_least else '<='} {row.bound:g}"
    peers = "; ".join(f"{name} {value:.4g}" for name, value in row.peers.items())
    mark = "" if row.bound is None else ("ok" if row.is_kept else "MISSED")
    print(
        f"{row.name:58} {row.measured:10.4g} {row.unit:5} {bound:10} {mark:7} {peers}", flush=True
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a minute instead of eight")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--locust", type=Path, default=LOCUST, help="an interpreter with Locust")
    asked = parser.parse_args()
    locust, rows, stolen_s = Locust(asked.locust), [], steal_s()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for part in (costs, pacing, stall):
            for row in part(directory, locust, quick=asked.quick):
                rows.append(row)
                show(row)
        for row in memory(directory, quick=asked.quick):
            rows.append(row)
            show(row)
    machine = {"steal_s": steal_s() - stolen_s, "load_average": os.getloadavg()[2]}
    print(f"steal {machine['steal_s']:.1f} s, load average {machine['load_average']:.1f}")
    if asked.json:
        found = [asdict(row) | {"is_kept": row.is_kept} for row in rows]
        asked.json.write_text(json.dumps({"rows": found, "machine": machine}, indent=1))
    return 0 if all(row.is_kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
