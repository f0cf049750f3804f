"""Which alerts does a check of a scenario make? Its verdict, and how fast it spends its budget.

The verdict is the tester's own, so a check, its row in the report and its alert are one rule. An
objective over a share of operations (p99 at most 50 ms: one in a hundred may take longer) also
has a budget, and the rate at which it is spent needs no verdict:

    burn = share of bad operations / share that may be bad

Over the whole run, a burn above 1 is a broken objective: tests/alerts/test_same_rule.py. Over
windows that are fractions of the planned run it tells early: fast means half of the budget in a
twelfth of the run, slow means two thirds in a third.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from soak.alerts.rule import RUN, Alert, Group, Recording, Severity
from soak.detectors import slo
from soak.histogram import BOUNDS_S
from soak.scenario import Check, Scenario
from soak.verdict import Mistake

ALLOWED_BAD = {"p50": 0.5, "p95": 0.05, "p99": 0.01, "p999": 0.001}
# (name of the alert, burn, long window, short window as a share of the planned run, how bad)
BURNS: tuple[tuple[str, float, float, float, Severity], ...] = (
    ("SoakObjectiveBurnsFast", 6.0, 1 / 12, 1 / 72, "critical"),
    ("SoakObjectiveBurnsSlowly", 2.0, 1 / 3, 1 / 12, "warning"),
)
MIN_WINDOW_S = 60
# By detector: name of the alert, severity, what to say. Any other detector is SoakCheckFailed.
VERDICTS: dict[str, tuple[str, Severity, str]] = {
    "never": ("SoakWrongAnswers", "critical", "answers contradict what was stored"),
    "leak": ("SoakLeak", "critical", "memory or disk grows beyond what live records explain"),
    "pile_up": ("SoakPileUp", "critical", "open files or threads pile up"),
    "degradation": ("SoakDegrades", "warning", "it is slower or worse than it was"),
    "recall": ("SoakRecallLow", "warning", "searches miss records that are there"),
    "density": ("SoakFootprintHigh", "warning", "records take more memory than they may"),
    "slo": ("SoakObjectiveMissed", "warning", "an objective is missed over the run so far"),
    "worst_window": ("SoakObjectiveMissed", "warning", "an objective is missed for a while"),
    "burn_rate": ("SoakObjectiveMissed", "warning", "failures use up their budget too fast"),
}
OTHERWISE: tuple[str, Severity, str] = ("SoakCheckFailed", "warning", "a check fails")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Bad and all operations of an objective as PromQL over a range ({window} in them)."""

    check: str
    bad: str
    allowed_ratio: float

    def burn(self, window: str) -> str:
        """How many times as fast as it may the budget is spent, over that window."""
        return f"{self.bad.replace('{window}', window)}\n/ {self.allowed_ratio:g}"


def check_groups(scenario: Scenario) -> list[Group]:
    """The rules of a scenario's checks. Raises Mistake where there is no check to make one of."""
    if not scenario.checks:
        raise Mistake(f"scenario {scenario.name} has no checks, so there is nothing to alert on")
    budgets = [budget for check in scenario.checks if (budget := budget_of(scenario, check))]
    stem = f"soak-{scenario.name}"
    groups = [
        Group(name=f"{stem}-checks", rules=[verdict_alert(scenario, c) for c in scenario.checks])
    ]
    if budgets:
        recordings = [recorded(scenario, b, w) for b in budgets for w in _windows(scenario)]
        groups.append(Group(name=f"{stem}-burn", rules=recordings))
        alerts = [alert for budget in budgets for alert in burn_alerts(scenario, budget)]
        groups.append(Group(name=f"{stem}-budgets", rules=alerts))
    return groups


def verdict_alert(scenario: Scenario, check: Check) -> Alert:
    """Fires while the check fails; gone when it passes again or the run is over."""
    name, severity, trouble = VERDICTS.get(check.detector, OTHERWISE)
    return Alert(
        name=name,
        expr=(
            f'soak_verdict_status{{scenario="{scenario.name}", check="{check.name}", '
            'status="fail"} == 1'
        ),
        severity=severity,
        summary=f"{check.name}: {trouble} ({{{{ $labels.target }}}})",
        description=(
            f"Check {check.name} (detector {check.detector}) of scenario {scenario.name} on "
            "{{ $labels.target }} fails. What it measured is soak_check_effect, what it allows "
            "soak_check_threshold; the report says since when and why."
        ),
        labels={"check": check.name, "detector": check.detector},
    )


def budget_of(scenario: Scenario, check: Check) -> Budget | None:
    """The budget of an objective over a share of operations; None where there is none."""
    params = check.params
    if not isinstance(params, slo.Params) or params.max is None:
        return None
    if params.operation is not None and params.quantile in ALLOWED_BAD:
        bad = slower_than(scenario, params, params.max)
        return Budget(check=check.name, bad=bad, allowed_ratio=ALLOWED_BAD[params.quantile])
    if (params.total, params.per) == ("error_count", "count"):
        return Budget(check=check.name, bad=failed(scenario), allowed_ratio=params.max)
    return None


def slower_than(scenario: Scenario, params: slo.Params, bound_s: float) -> str:
    """Share of operations above the bound, or above the next bound that the exporter has.

    First as native histograms tell it, then as classic ones do: a Prometheus keeps one of them.
    """
    metric = f"soak_operation_{params.measure}_seconds"
    where = f'scenario="{scenario.name}", operation="{params.operation}"'
    edge_s = min(edge for edge in BOUNDS_S if edge >= bound_s)
    native = (
        f"1 - histogram_fraction(0, {bound_s:g}, "
        f"sum by ({RUN}) (rate({metric}{{{where}}}[{{window}}])))"
    )
    below = f'sum by ({RUN}) (rate({metric}_bucket{{{where}, le="{edge_s}"}}[{{window}}]))'
    every = f"sum by ({RUN}) (rate({metric}_count{{{where}}}[{{window}}]))"
    return f"(({native})\n  or (1 - {below}\n    / {every}))"


def failed(scenario: Scenario) -> str:
    """Share of operations that failed or took too long."""
    where = f'scenario="{scenario.name}"'
    bad = (
        f"sum by ({RUN}) "
        f'(rate(soak_operations_total{{{where}, outcome=~"error|timeout"}}[{{window}}]))'
    )
    every = f"sum by ({RUN}) (rate(soak_operations_total{{{where}}}[{{window}}]))"
    return f"({bad}\n  / {every})"


def recorded(scenario: Scenario, budget: Budget, window: str) -> Recording:
    labels = {"check": budget.check}
    return Recording(name=_burn_name(window), expr=budget.burn(window), labels=labels)


def burn_alerts(scenario: Scenario, budget: Budget) -> Iterator[Alert]:
    """Fast and slow: both windows must burn, so that it ends soon after the trouble does."""
    where = f'{{scenario="{scenario.name}", check="{budget.check}"}}'
    for name, burn, long_share, short_share, severity in BURNS:
        long, short = (_window(scenario, share) for share in (long_share, short_share))
        yield Alert(
            name=name,
            expr=(
                f"{_burn_name(long)}{where} > {burn:g}\nand {_burn_name(short)}{where} > {burn:g}"
            ),
            severity=severity,
            labels={"check": budget.check},
            summary=(
                f"{budget.check} burns its budget {burn:g} times as fast as it may "
                "({{ $labels.target }})"
            ),
            description=(
                f"Over {long} and over {short}, operations on {{{{ $labels.target }}}} were bad "
                "{{ $value | humanize }} times as often as objective "
                f"{budget.check} of scenario {scenario.name} allows for a whole run."
            ),
        )


def _burn_name(window: str) -> str:
    return f"run_check:soak_objective_burn:ratio_rate{window}"


def _windows(scenario: Scenario) -> list[str]:
    shares = sorted({share for _, _, *both, _ in BURNS for share in both})
    return list(dict.fromkeys(_window(scenario, share) for share in shares))


def _window(scenario: Scenario, share: float) -> str:
    length_s = max(MIN_WINDOW_S, round(scenario.duration_s * share))
    unit_s, unit = next((n, u) for n, u in ((3600, "h"), (60, "m"), (1, "s")) if not length_s % n)
    return f"{length_s // unit_s}{unit}"
