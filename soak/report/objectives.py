"""Which window was a check's worst? From the scenario's checks and the record of the windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from soak.detectors._bare import bare
from soak.report.record import RunRecord
from soak.scenario.quantities import parse_size
from soak.seams import Floats

Line = Mapping[str, object]

# Total of the run that a check compares, and how a window shows it.
RECALL_TOTALS = ("recall_mean", "recall")
# A window shorter than this share of the usual ends with the run: its rate says nothing.
CUT_SHORT = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The window, or sample, that came closest to breaking a check or broke it most."""

    value: float
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a checked figure went: shape (n,) each, and which way is bad."""

    start_s: Floats
    end_s: Floats
    values: Floats
    bad: Literal["high", "low"]


def asked_checks(record: RunRecord) -> dict[str, Line]:
    """Check name to {detector, params} as the scenario that ran says it."""
    listed = record.plan.get("checks")
    checks = listed if isinstance(listed, list | tuple) else []
    return {str(check.get("name")): check for check in checks if isinstance(check, Mapping)}


def latency_columns(record: RunRecord) -> dict[str, tuple[str, str]]:
    """Check name to (operation, column of the windows) for those that bound a latency."""
    found = {}
    for name, check in asked_checks(record).items():
        params = _params(check)
        operation = params.get("operation")
        if check.get("detector") != "slo" or not isinstance(operation, str):
            continue
        measure, quantile = params.get("measure") or "latency", params.get("quantile") or "p99"
        found[name] = operation, f"{measure}_{quantile}_s"
    return found


def worst(record: RunRecord, check: Line) -> Worst | None:
    """Where the check's figure was worst after warm-up; None where windows do not show it."""
    course = _course(record, check)
    if course is None:
        return None
    measured = np.isfinite(course.values) & (course.start_s >= warm_until(record))
    if not measured.any():
        return None
    away = -np.inf if course.bad == "high" else np.inf
    values = np.where(measured, course.values, away)
    at = int(values.argmax() if course.bad == "high" else values.argmin())
    return Worst(
        value=float(values[at]), start_s=float(course.start_s[at]), end_s=float(course.end_s[at])
    )


def warm_until(record: RunRecord) -> float:
    """Seconds since the start at which warm-up was over; zero without one."""
    phases = record.plan.get("phases")
    listed = phases if isinstance(phases, list | tuple) else []
    warm = [str(p.get("name")) for p in listed if isinstance(p, Mapping) and p.get("warm")]
    is_warm = np.isin(record.windows.phase, warm)
    return float(record.windows.figures["end_s"][is_warm].max(initial=0.0))


def _course(record: RunRecord, check: Line) -> Course | None:
    params = _params(check)
    match check.get("detector"), params.get("operation"), params.get("total"):
        case "slo", str(operation), _:
            column = latency_columns(record)[str(check.get("name"))][1]
            mine = record.windows.of(operation)
            return _windows(mine, mine.get(column), "high")
        case "slo", _, "error_count":
            return _per_window(record, ("error", "timeout"))
        case "slo", _, "achieved_per_s":
            return _throughput(record)
        case "recall", _, _:
            return _sampled(record, record.samples.get("recall"), "low")
        case "slo", _, total if total in RECALL_TOTALS:
            return _sampled(record, record.samples.get("recall"), "low")
        case "density", _, _:
            return _density(record, params)
        case _:
            return None


def per_window(record: RunRecord, names: tuple[str, ...]) -> tuple[Floats, Floats, Floats]:
    """Start, end and the sum over operations of those columns, one entry per window."""
    columns = record.windows.figures
    start_s, first, inverse = np.unique(columns["start_s"], return_index=True, return_inverse=True)
    rows = np.sum([columns[name] for name in names], axis=0)
    sums = np.bincount(inverse, weights=rows, minlength=len(start_s)).astype(np.float64)
    return start_s, columns["end_s"][first], sums


def _per_window(record: RunRecord, names: tuple[str, ...]) -> Course | None:
    if not len(record.windows):
        return None
    start_s, end_s, bad = per_window(record, names)
    count = per_window(record, ("count",))[2]
    return Course(start_s=start_s, end_s=end_s, values=bad / count, bad="high")


def throughput(record: RunRecord) -> tuple[Floats, Floats]:
    """End and operations per second of each window; nan for the one that a stop cut short."""
    start_s, end_s, count = per_window(record, ("count",))
    lengths = end_s - start_s
    is_whole = lengths >= CUT_SHORT * np.median(lengths)
    return end_s, np.where(is_whole, count / np.maximum(lengths, 1e-9), np.nan)


def _throughput(record: RunRecord) -> Course | None:
    if not len(record.windows):
        return None
    start_s, _, _ = per_window(record, ("count",))
    end_s, per_s = throughput(record)
    return Course(start_s=start_s, end_s=end_s, values=per_s, bad="low")


def _density(record: RunRecord, params: Line) -> Course | None:
    """Bytes per thousand records, less what the process holds without any; see the detector."""
    column = str(params.get("column") or "anonymous_bytes")
    held, live = record.samples.get(column), record.samples.get("live_records")
    if held is None or live is None:
        return None
    least, fixed = params.get("min_records"), taken_off(record, params)
    enough = live >= (least if isinstance(least, int) else 1)
    spent = np.maximum(held - fixed, 0.0)
    per_thousand = np.divide(spent, live / 1_000, out=np.full_like(held, np.nan), where=enough)
    return _sampled(record, per_thousand, "high")


def taken_off(record: RunRecord, params: Line) -> float:
    """Bytes that the detector density counts as no record's."""
    column, above = str(params.get("column") or "anonymous_bytes"), params.get("above")
    return bare(record.samples, column, parse_size(above) if isinstance(above, str) else None)


def _sampled(
    record: RunRecord, values: Floats | None, bad: Literal["high", "low"]
) -> Course | None:
    t_s = record.samples["t_s"]
    return None if values is None else Course(start_s=t_s, end_s=t_s, values=values, bad=bad)


def _windows(
    figures: Mapping[str, Floats], values: Floats | None, bad: Literal["high", "low"]
) -> Course | None:
    if values is None or not values.size:
        return None
    return Course(start_s=figures["start_s"], end_s=figures["end_s"], values=values, bad=bad)


def _params(check: Line) -> Line:
    params = check.get("params")
    return params if isinstance(params, Mapping) else {}
