"""What do the boards ask of Prometheus? Their queries, one by one, as Grafana would put them."""

import re
from dataclasses import dataclass
from typing import Any

from dashboards.files import boards
from tests.servers import Prometheus

BOARDS = boards()
# What a few minutes of a soak cannot show: a leak takes longer, nobody injected a fault, and its
# target says nothing of its own health.
LATER = re.compile(
    r'soak_leak_|soak_health_reported|detector="leak"|kind=~"(fault|change_point|gap|evict|checkpoint)|^soak_check_broken'
)


@dataclass(frozen=True)
class Question:
    """One query of a panel or an annotation. is_instant: asked for one moment."""

    board: str
    title: str
    expr: str
    is_instant: bool

    def __str__(self) -> str:
        return f"{self.board}: {self.title}: {self.expr}"


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] not in ("row", "text")]


def questions() -> list[Question]:
    asked = [
        Question(uid, panel["title"], target["expr"], target["instant"])
        for uid, board in BOARDS.items()
        for panel in panels(board)
        for target in panel["targets"]
    ]
    marks = BOARDS["soak-overview"]["annotations"]["list"]
    return asked + [Question("annotation", m["name"], m["target"]["expr"], False) for m in marks]


def filled(expr: str, run: str, other: str) -> str:
    """As Grafana fills the variables in when a run is chosen."""
    known = {
        "$scenario": ".+",
        "$target": ".+",
        "$run_id": run,
        "$other_run": other,
        "$__rate_interval": "2m",
        "$__range": "5m",
    }
    for name, value in known.items():
        expr = expr.replace(name, value)
    return expr


def unanswered(
    asked: list[Question],
    server: Prometheus,
    run: str,
    start_s: float,
    end_s: float,
    other: str = "",
) -> list[str]:
    silent = []
    for question in asked:
        expr = filled(question.expr, run, other or run)
        if question.is_instant:
            found = server.query(expr, end_s)
        else:
            found = server.range(expr, start_s, end_s, 15.0)
        if not found:
            silent.append(str(question))
    return silent
