"""How much more load do more workers make? A table, measured on nodes of Ray on this machine.

    python -m tests.cluster.scaling [--duration 20s]        (make cluster-scaling)

Each client asks as fast as it is answered, so the table says what can be offered, and what a worker
costs; nodes on one machine share its cores, so it cannot say how far many machines go.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.ray_nodes import cluster, soak

COUNTS = (1, 2, 4)
SCENARIO = """
name: scaling
target: "{target}"
population: {{keys: 8000, preload: {preload}}}
phases:
  - {{name: warm-up, duration: 5s, warm: true, arrivals: closed, mix: {mix}}}
  - {{name: full, duration: {duration}, arrivals: closed, mix: {mix}}}
checks: [{{name: wrong-answers, detector: never}}]
listen: null
"""
TARGETS = {
    "null": (0, "{store: 1, get: 4}"),
    "engine": (4000, "{store: 5, get: 20, search: 75}"),
}
HEAD = "| target | workers | operations/s | per worker | times no cluster | p50 | p99 | lost |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one run did."""

    per_s: float
    p50_s: float
    p99_s: float
    dropped: int


def measured(target: str, duration: str, *where: str) -> Row:
    """A run with these options: of a cluster, or of this machine alone."""
    preload, mix = TARGETS[target]
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        file = folder / "scaling.yaml"
        file.write_text(SCENARIO.format(target=target, preload=preload, mix=mix, duration=duration))
        arguments = ["run", str(file), "--plain", "--json", "--out", str(folder / "runs")]
        told, said = soak(*arguments, *where).communicate()
        assert told, said
        return row(told)


def row(told: str) -> Row:
    report = json.loads(told)
    operations = report["operations"].values()
    most = max(operations, key=lambda each: each["count"])
    return Row(
        per_s=sum(each["count"] for each in operations) / report["duration_s"],
        p50_s=most["latency_s"]["p50"],
        p99_s=most["latency_s"]["p99"],
        dropped=report["certificate"]["dropped_results"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Load of several workers on this machine.")
    parser.add_argument("--duration", default="20s")
    parser.add_argument("--targets", nargs="*", default=list(TARGETS))
    asked = parser.parse_args()
    say(f"{len(os.sched_getaffinity(0))} cores for all nodes, targets and the head together.\n")
    say(HEAD)
    say("|" + " --- |" * (HEAD.count("|") - 1))
    alone = {target: measured(target, asked.duration) for target in asked.targets}
    for target, found in alone.items():
        tell(target, "no cluster", 1, found, found)
    with (
        tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as name,
        cluster(Path(name), max(COUNTS)) as made,
    ):
        for target, workers in itertools.product(asked.targets, COUNTS):
            where = ("--cluster", made.address, "--workers", str(workers))
            found = measured(target, asked.duration, *where)
            tell(target, str(workers), workers, found, alone[target])


def tell(target: str, label: str, workers: int, found: Row, alone: Row) -> None:
    times = found.per_s / alone.per_s
    say(
        f"| {target} | {label} | {found.per_s:,.0f} | {found.per_s / workers:,.0f} | {times:.2f} "
        f"| {found.p50_s * 1e3:.3f} ms | {found.p99_s * 1e3:.2f} ms | {found.dropped} |"
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
