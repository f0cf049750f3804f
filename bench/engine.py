"""Does the engine reach its goals, on this machine, beside its peers, in one run?

python -m bench.engine [--quick | --large] [--json PATH]      (make bench-engine)

Every system runs in a process of its own, one after the other. Prints one table of goals and one
of systems, writes all figures as JSON. Ends with 0 whether or not goals are missed: the table says.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import engine_meter as meter
from bench.engine_goals import Results, goals
from bench.engine_table import goal_lines, system_lines
from bench.engine_workload import Plan, prepare

ROOT = Path(__file__).parents[1]
PEERS = ("faiss_sqlite", "chromadb", "sqlite_vec", "lancedb", "qdrant_local")
QUICK_PEERS = ("faiss_sqlite", "chromadb")
# What is asked of the engine alone, in bench/engine_alone.py.
QUESTIONS = ("process", "durable", "in_flight", "recovery", "emergency", "graph")
TURNOVERS = 3
# What is always churned; the others would take most of an hour at 100,000.
CHURNED_BIG = ("engine", "faiss_sqlite")
CHURN_LIMIT_S = {"engine": 240.0, "faiss_sqlite": 90.0}
PEER_CHURN_LIMIT_S = 45.0
TIMEOUT_S = 600.0


def main() -> None:
    options = _arguments()
    build = ROOT / "build" / "bench-engine"
    build.mkdir(parents=True, exist_ok=True)
    start_s = time.monotonic()
    figures: dict[str, Any] = {"machine": meter.machine(), "load_average": [os.getloadavg()]}
    with tempfile.TemporaryDirectory(dir=build) as scratch:
        run = Run(build, Path(scratch))
        sizes = [10_000] if options.quick else [10_000, 100_000]
        figures["courses"] = {str(n): dict(run.courses(n, options.quick)) for n in sizes}
        figures["alone"] = dict(run.alone(sizes[-1]))
        figures["large"] = dict(run.large()) if options.large else {}
    figures["load_average"].append(os.getloadavg())
    figures["took_s"] = time.monotonic() - start_s
    judged = goals(Results(figures))
    figures["goals"] = [asdict(goal) | {"verdict": goal.verdict} for goal in judged]
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))
    print("\n".join([*_heading(figures), "", *goal_lines(judged), ""]))
    print("CPU per operation in ms; memory above the idle process; disk / live bytes")
    print("\n".join(system_lines(figures["courses"] | _as_courses(figures["large"]))))
    print(f"\nall figures: {options.json}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="10,000 records, two peers")
    size.add_argument("--large", action="store_true", help="also a million, engine alone")
    path = ROOT / "build" / "bench-engine" / "result.json"
    parser.add_argument("--json", type=Path, default=path, help="where the figures go")
    return parser.parse_args()


class Run:
    """Starts the processes. build: workloads are kept there; scratch: stores, which are not."""

    def __init__(self, build: Path, scratch: Path) -> None:
        self._build = build
        self._scratch = scratch
        self._started = 0

    def courses(self, records: int, is_quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        plan = self._prepared(records, 384, TURNOVERS)
        for system in ("engine", *(QUICK_PEERS if is_quick else PEERS)):
            limit_s = CHURN_LIMIT_S.get(system, PEER_CHURN_LIMIT_S)
            if (is_quick or records > 10_000) and system not in CHURNED_BIG:
                limit_s = 0.0
            yield system, self._course(system, plan, limit_s)

    def alone(self, records: int) -> Iterator[tuple[str, dict[str, Any]]]:
        plan = self._prepared(records, 384, TURNOVERS)
        for question in QUESTIONS:
            yield question, self._ask("bench.engine_alone", question, plan)

    def large(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for dimensions in (64, 384):
            yield str(dimensions), self._course("engine", self._prepared(10**6, dimensions, 0), 0.0)

    def _prepared(self, records: int, dimensions: int, turnovers: int) -> Plan:
        plan = Plan(records=records, dimensions=dimensions, turnovers=turnovers)
        prepare(plan, self._build)
        return plan

    def _course(self, system: str, plan: Plan, limit_s: float) -> dict[str, Any]:
        return self._ask("bench.engine_course", system, plan, str(limit_s))

    def _ask(self, module: str, name: str, plan: Plan, *more: str) -> dict[str, Any]:
        """The figures that a process wrote, or {"error": its last words}."""
        self._started += 1
        directory = self._scratch / str(self._started)
        directory.mkdir()
        result = directory / "result.json"
        print(f"{name}, {plan.records:,} of {plan.dimensions}-d", file=sys.stderr, flush=True)
        texts = [name, json.dumps(asdict(plan)), self._build, directory, *more, result]
        command = [sys.executable, "-m", module, *map(str, texts)]
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        start_s = time.monotonic()
        try:
            subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | threads,
                check=True,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
            )
        except subprocess.CalledProcessError as error:
            return {"error": (error.stderr.strip().splitlines() or ["no word"])[-1]}
        except subprocess.TimeoutExpired:
            return {"error": f"not done after {TIMEOUT_S:.0f} s"}
        figures: dict[str, Any] = json.loads(result.read_text())
        figures["took_s"] = time.monotonic() - start_s
        figures["load_average"] = os.getloadavg()[0]
        return figures


def _as_courses(large: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"1M {dimensions}-d": {"engine": course} for dimensions, course in large.items()}


def _heading(figures: dict[str, Any]) -> list[str]:
    where = ", ".join(f"{name} {value}" for name, value in figures["machine"].items())
    loads = " -> ".join(f"{load[0]:.1f}" for load in figures["load_average"])
    systems = {
        system: course.get("version", "failed")
        for courses in figures["courses"].values()
        for system, course in courses.items()
    }
    versions = ", ".join(f"{system} {version}" for system, version in systems.items())
    return [where, versions, f"load average {loads}; took {figures['took_s']:.0f} s"]


if __name__ == "__main__":
    main()
