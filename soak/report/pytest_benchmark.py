"""How do tools that read pytest-benchmark's JSON see runs? One benchmark per operation of each.

The stats are of the service time, from issue to answer: what a benchmark of the call would time.
They come from the run's histogram, so quantiles are within 0.4 % of the exact ones; `data`, the
single timings, is not there, as after `--benchmark-disable-data`.
Source of the shape: pytest-benchmark 5, `BenchmarkSession.save` and `Stats.fields`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from soak.histogram import SIZE, Histogram, lower_bound_ns
from soak.report import journal
from soak.report.document import Section, as_section
from soak.report.figures import number
from soak.report.record import RunRecord
from soak.rundir import RunDirectory, finite
from soak.seams import Floats

VERSION = "5.1.0"
# Tukey's fences, and the columns that are named after them.
FENCE = 1.5


def benchmark_json(records: Sequence[RunRecord]) -> dict[str, object]:
    """The runs as one file of pytest-benchmark; what a run did not count is left out."""
    first = records[0].document if records else {}
    environment = as_section(first.get("environment"))
    content = {
        "machine_info": {
            "machine": environment.get("machine"),
            "processor": environment.get("cpu_model"),
            "python_version": environment.get("python"),
            "release": environment.get("kernel"),
            "system": "Linux",
            "cpu": {"brand_raw": environment.get("cpu_model"), "count": environment.get("cpus")},
        },
        "commit_info": {},
        "benchmarks": [row for record in records for row in _rows(record)],
        "datetime": first.get("started"),
        "version": VERSION,
    }
    safe = finite(content)
    assert isinstance(safe, dict)
    return safe


def _rows(record: RunRecord) -> Iterator[dict[str, object]]:
    document = record.document
    scenario = str(document.get("scenario"))
    counts = journal.read(RunDirectory(record.directory)).counts
    for name, operation in as_section(document.get("operations")).items():
        histogram = Histogram()
        held = counts.get(f"{name}.service")
        if held is None or held.shape != (SIZE,) or not held.any():
            continue
        histogram.counts[:] = held
        service = as_section(as_section(operation).get("service_s"))
        yield {
            "group": scenario,
            "name": name,
            "fullname": f"{scenario}::{name}[{document.get('target')}]",
            "params": None,
            "param": None,
            "extra_info": {
                "run_id": document.get("run_id"),
                "verdict": as_section(document.get("verdict")).get("status"),
                "latency_s": as_section(operation).get("latency_s"),
                "memory_bytes": _memory(document),
            },
            "options": {"timer": "monotonic", "disable_gc": False, "warmup": False},
            "stats": stats(histogram, service),
        }


def _memory(document: Section) -> object:
    resources = as_section(document.get("resources"))
    return as_section(resources.get("anonymous_bytes")).get("last")


def stats(histogram: Histogram, service: Mapping[str, object]) -> dict[str, object]:
    """pytest-benchmark's columns. service: the exact mean and maximum, in seconds."""
    index = np.flatnonzero(histogram.counts)
    weights = histogram.counts[index].astype(np.float64)
    values = (lower_bound_ns(index) + lower_bound_ns(index + 1)) / 2e9
    count = int(weights.sum())
    mean, worst = number(service.get("mean")), number(service.get("max"))
    mean = mean if math.isfinite(mean) else float((values * weights).sum() / count)
    spread = math.sqrt(float((weights * (values - mean) ** 2).sum()) / max(1, count - 1))
    q1, median, q3 = (_quantile(values, weights, share) for share in (0.25, 0.5, 0.75))
    low, high = q1 - FENCE * (q3 - q1), q3 + FENCE * (q3 - q1)
    inside = values[(values >= low) & (values <= high)]
    is_far, is_beyond = abs(values - mean) > spread, (values < low) | (values > high)
    far, beyond = (int(weights[mask].sum()) for mask in (is_far, is_beyond))
    return {
        "min": float(values[0]),
        "max": worst if math.isfinite(worst) else float(values[-1]),
        "mean": mean,
        "stddev": spread,
        "rounds": count,
        "iterations": 1,
        "median": median,
        "q1": q1,
        "q3": q3,
        "iqr": q3 - q1,
        "ld15iqr": float(inside[0]),
        "hd15iqr": float(inside[-1]),
        "iqr_outliers": beyond,
        "stddev_outliers": far,
        "outliers": f"{far};{beyond}",
        "ops": 1 / mean if mean else math.nan,
        "total": mean * count,
    }


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    """Nearest rank."""
    rank = math.ceil(share * weights.sum())
    return float(values[np.searchsorted(np.cumsum(weights), max(1, rank))])
