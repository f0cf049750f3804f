"""Which rule files are there? The general one and one per scenario, as text."""

from collections.abc import Iterable
from pathlib import Path

from soak.alerts.checks import check_groups
from soak.alerts.general import general_groups
from soak.alerts.rule import RUNBOOK, rule_file
from soak.scenario import Scenario

GENERAL = "soak.yml"


def rule_files(scenarios: Iterable[Scenario], runbook: str = RUNBOOK) -> dict[str, str]:
    """File name to content. Raises Mistake for a scenario without checks."""
    written = {GENERAL: rule_file(general_groups(), "soak rules", runbook)}
    for scenario in scenarios:
        origin = f"soak rules {scenario.name}"
        written[f"{scenario.name}.yml"] = rule_file(check_groups(scenario), origin, runbook)
    return written


def write_rules(scenarios: Iterable[Scenario], folder: Path, runbook: str = RUNBOOK) -> list[Path]:
    """The files that were written below folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in rule_files(scenarios, runbook).items():
        path = folder / name
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written
