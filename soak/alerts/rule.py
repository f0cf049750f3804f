"""What is a rule, and how is it written? Alerts and recordings as a file of Prometheus."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["critical", "warning", "info"]
RUNBOOK = "RUNBOOK.md"  # `soak rules --runbook URL` says where people find it
# One run: where Prometheus scraped it, and what it is.
RUN = "job, instance, scenario, target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """An expression that is kept under a name of the form level:metric:operations."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition that somebody wants to hear of. hold: how long it must last, as 5m.

    summary and description are templates of Prometheus; RUNBOOK.md has a heading with its name.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    description: str
    hold: str = "0s"
    labels: Mapping[str, str] = field(default_factory=dict)

    def annotations(self, runbook: str) -> dict[str, str]:
        """runbook: address of RUNBOOK.md."""
        return {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{runbook}#{self.name.lower()}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: Sequence[Recording | Alert]


def rule_file(groups: Iterable[Group], origin: str, runbook: str = RUNBOOK) -> str:
    """The groups as YAML. origin: the command that writes this file."""
    lines = [f"# Written by `{origin}`; change what it is made of, not this file.", "groups:"]
    for group in groups:
        lines += [f"  - name: {group.name}", "    rules:"]
        for rule in group.rules:
            lines += _alert(rule, runbook) if isinstance(rule, Alert) else _recording(rule)
    return "\n".join(lines) + "\n"


def _recording(rule: Recording) -> list[str]:
    return [f"      - record: {rule.name}", *_expr(rule.expr), *_pairs("labels", rule.labels)]


def _alert(rule: Alert, runbook: str) -> list[str]:
    labels = {"severity": rule.severity, **rule.labels}
    return [
        f"      - alert: {rule.name}",
        *_expr(rule.expr),
        f"        for: {rule.hold}",
        *_pairs("labels", labels),
        *_pairs("annotations", rule.annotations(runbook)),
    ]


def _expr(expr: str) -> list[str]:
    return ["        expr: |-", *(f"          {line}" for line in expr.splitlines())]


def _pairs(title: str, pairs: Mapping[str, str]) -> list[str]:
    if not pairs:
        return []
    # A JSON string is a YAML string, whatever is in it.
    quoted = (f"          {k}: {json.dumps(v, ensure_ascii=False)}" for k, v in pairs.items())
    return [f"        {title}:", *quoted]
