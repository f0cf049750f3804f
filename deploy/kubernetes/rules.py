"""What does the Prometheus operator have to be told? The scenarios' alerts as a PrometheusRule.

python -m deploy.kubernetes.rules     writes deploy/kubernetes/monitoring/rules.yaml
"""

from pathlib import Path
from textwrap import indent

from soak.alerts.files import rule_files
from soak.scenario import load

HERE = Path(__file__).parent
SCENARIOS = (HERE / "base/scenarios/pod.yaml", HERE / "overlays/sidecar/beside.yaml")
RULES = HERE / "monitoring" / "rules.yaml"
TEXT = """\
# Written by `make kubernetes-rules` from the scenarios of the pods; change those, not this file.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: soak
spec:
  groups:
"""


def prometheus_rule() -> str:
    """One object with all groups; the rules are those of `soak rules`, word by word."""
    written = rule_files([load(path) for path in SCENARIOS])
    groups = (text.partition("groups:\n")[2] for text in written.values())
    return TEXT + "".join(indent(group, "  ") for group in groups)


if __name__ == "__main__":
    RULES.write_text(prometheus_rule(), encoding="utf-8")
