"""Workers that were made up: results drawn, dealt out to several, told as each tells its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from soak.cluster.parts import Part
from soak.result import OPERATIONS
from soak.scenario import Scenario, resolve
from soak.snapshot import Measured, Recall, Snapshot
from soak.watch.windows import Windows
from tests.snapshots import CERTIFICATE, six_hours

NAMES = ("store", "get", "search")
LENGTH_S = 60.0
CHECKS = [
    {"name": "wrong-answers", "detector": "never"},
    {
        "name": "search-p99",
        "detector": "slo",
        "params": {"operation": "search", "quantile": "p99", "max": "50ms"},
    },
    {"name": "rate", "detector": "slo", "params": {"total": "achieved_per_s", "min": "90/s"}},
    {"name": "recall", "detector": "recall", "params": {"min": 0.9}},
    {"name": "leak", "detector": "leak"},
    {"name": "slows", "detector": "degradation", "needs": "30m"},
]


def scenario(**changes: object) -> Scenario:
    """A minute at 100/s."""
    phase = {"name": "only", "duration": "60s", "mix": dict.fromkeys(NAMES, 1)}
    tree = {"name": "test", "rate": "100/s", "target": "null", "phases": [phase]}
    return resolve(tree | {"checks": CHECKS} | changes, "test")


def results(count: int, seed: int = 3) -> dict[str, np.ndarray]:
    """Columns as `Windows.add` takes them: all answered, the slowest in seconds."""
    drawn = np.random.default_rng(seed)
    due_ns = np.sort(drawn.integers(0, round(LENGTH_S * 1e9), count))
    start_ns = due_ns + drawn.integers(0, 50_000, count)
    return {
        "operation": drawn.integers(0, 4, count) % 3 * 2 % 5,
        "due_ns": due_ns,
        "start_ns": start_ns,
        "end_ns": start_ns + drawn.lognormal(14, 2, count).astype(np.int64),
        "code": np.zeros(count, dtype=np.uint8),
    }


def seen(found: Mapping[str, np.ndarray], verdicts: Sequence[object] = ()) -> Snapshot:
    """What a worker tells at the end that had these results."""
    names = [OPERATIONS[code] for code in np.unique(found["operation"])]
    windows = Windows(names, 10.0, 30.0)
    windows.add(**found)
    windows.close(LENGTH_S, "only")
    scored = np.random.default_rng(found["due_ns"].size).uniform(0.8, 1.0, 50)
    recall = Recall(k=10, samples=50, mean=float(scored.mean()), first=0.9, last=0.9)
    measured = Measured(
        operations=windows.after_warm_up(),
        length_s=windows.measured_s,
        due_count=windows.measured_due_count,
        recall_sd=float(scored.std(ddof=1)),
    )
    return replace(
        six_hours(100),
        elapsed_s=LENGTH_S,
        state="finished",
        operations=windows.totals(),
        measured=measured,
        recall=recall,
        verdicts=tuple(verdicts),
        certificate=CERTIFICATE,
    )


def dealt(found: Mapping[str, np.ndarray], count: int) -> list[dict[str, np.ndarray]]:
    """The same results, each with one of so many workers."""
    size = found["due_ns"].size
    whose = np.random.default_rng(9).integers(0, count, size)
    return [{name: values[whose == i] for name, values in found.items()} for i in range(count)]


def parts(snapshots: Sequence[Snapshot]) -> list[Part]:
    return [
        Part(worker=i, node=f"node-{i}", from_s=0.0, snapshot=snapshot)
        for i, snapshot in enumerate(snapshots)
    ]
