"""Results of benchmarks as JSON, of which only what a test names differs."""

from soak.bench.outcome import Outcome, document
from soak.bench.suite import chosen
from soak.scenario import dump, load
from soak.scenario.yaml_source import read


def told(name: str, *, per_s: float = 100.0, p95_s: float = 0.002, status: str = "pass") -> dict:
    """The result of a shipped benchmark whose operations all took p95_s and whose checks have that
    status, each at half its bound."""
    (benchmark,) = chosen([name])
    scenario = load(benchmark.file)
    plan = read(dump(scenario).encode(), name).tree
    latency = {"p50": p95_s / 2, "p95": p95_s, "p99": p95_s * 2, "max": p95_s * 9}
    operations = {op: {"count": 50, "latency_s": latency} for op in scenario.operations}
    bare = document(Outcome(benchmark=benchmark, exit_code=0, execution_s=9.5, record=None))
    return {
        **bare,
        "timestamp": "2026-03-01T12:00:00Z",
        "verdict": {"status": status, "exit_code": 0, "reason": "because"},
        "results": {
            "operations": operations,
            "operations_per_s": per_s,
            "memory_bytes_per_1000_records": 2e6,
            "recall": 0.99,
        },
        "objectives": [
            {
                "name": check.name,
                "status": status,
                "effect": 0.5 * bound if (bound := bound_of(check)) else None,
                "threshold": bound,
                "unit": "s",
                "reason": "",
            }
            for check in scenario.checks
        ],
        "metadata": {**bare["metadata"], "params": plan, "environment": {"cpu_model": "Example"}},
    }


def bound_of(check) -> float | None:
    return getattr(check.params, "max", None) or getattr(check.params, "min", None)
