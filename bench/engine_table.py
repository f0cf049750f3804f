"""How do the figures of one run read? Text for a terminal, pure."""

from collections.abc import Sequence
from typing import Any

from bench.engine_goals import Goal

_LABELS = ("store 1", "store 100", "get", "search", "by agent")
_KINDS = ("store_1", "store_100", "get", "search", "search_agent")


def goal_lines(goals: Sequence[Goal]) -> list[str]:
    """The table of goals, one line each, and how many are missed."""
    rows = [("goal", "bound", "measured", "verdict", "peers in the same run; notes")]
    for goal in goals:
        sign = ">=" if goal.is_floor else "<="
        found = "-" if goal.measured is None else f"{goal.measured:.3g} {goal.unit}".strip()
        beside = "; ".join(part for part in (goal.peers, goal.note) if part)
        rows.append(
            (goal.name, f"{sign} {goal.bound:.3g} {goal.unit}", found, goal.verdict, beside)
        )
    missed = sum(goal.verdict == "MISSED" for goal in goals)
    absent = sum(goal.verdict == "not measured" for goal in goals)
    tail = f"{len(goals)} goals: {missed} missed, {absent} not measured"
    return [*aligned(rows), tail]


def system_lines(courses: dict[str, dict[str, Any]]) -> list[str]:
    """Every system at every size: CPU per operation (ms), recall, memory, disk, by phase."""
    rows = [("records", "system", "phase", *_LABELS, "recall", "by agent", "memory MB", "disk x")]
    lines = []
    for size, systems in courses.items():
        for system, course in systems.items():
            if "error" in course:
                lines.append(f"{size} {system}: {course['error']}")
                continue
            for phase in ("loaded", "churned", "halved"):
                if phase in course:
                    rows.append((size, system, _phase(phase, course), *_figures(course[phase])))
    return [*aligned(rows), *lines]


def _phase(phase: str, course: dict[str, Any]) -> str:
    if phase == "loaded":
        per_record = course["load"]["cpu_s"] / course["loaded"]["records"] * 1e3
        return f"loaded, {per_record:.3g} ms each"
    if phase == "churned":
        return f"{course['churn']['turnovers']:.3g} turnovers"
    return "half deleted"


def _figures(phase: dict[str, Any]) -> tuple[str, ...]:
    costs = tuple(f"{phase[k]['cpu_us'] / 1e3:.3g}" if k in phase else "" for k in _KINDS)
    recalls = tuple(
        f"{phase[k]['recall']:.4f}" if k in phase else "" for k in ("search", "search_agent")
    )
    disk = phase["disk_bytes"] / phase["live_bytes"]
    return (*costs, *recalls, f"{phase['private_bytes'] / 1e6:.1f}", f"{disk:.2f}")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns padded to their widest cell, two spaces between."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
