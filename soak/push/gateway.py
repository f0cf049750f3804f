"""How does a run that is over tell how it ended? One push of its outcome to a Pushgateway."""

import http.client
import urllib.error
import urllib.parse
import urllib.request

from soak.show.family import Family, gauge
from soak.snapshot import Snapshot
from soak.verdict import Status

TIMEOUT_S = 5.0


class PushError(Exception):
    """The gateway did not take it; the message says why."""


def outcome(snapshot: Snapshot) -> list[Family]:
    """What remains of a run: its word, its length, and its checks."""
    checks = Family(
        name="soak_outcome_check_status",
        kind="gauge",
        help="1 for the status that a check ended with.",
        labels=("check", "status"),
        samples={
            (verdict.check, str(status)): float(verdict.status is status)
            for verdict in snapshot.verdicts
            for status in Status
        },
    )
    return [
        gauge(
            "soak_outcome_exit_code",
            "What the last run's process said.",
            snapshot.verdict.exit_code,
        ),
        gauge("soak_outcome_duration_seconds", "How long it took.", snapshot.elapsed_s),
        gauge(
            "soak_outcome_end_timestamp_seconds",
            "When it ended (UTC).",
            snapshot.identity.started + snapshot.elapsed_s + snapshot.certificate.absent_s,
        ),
        checks,
    ]


def outcome_text(snapshot: Snapshot) -> str:
    """The same as text 0.0.4. scenario and target are in the address, so not in here."""
    lines = []
    for family in outcome(snapshot):
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        for values, value in family.samples.items():
            pairs = zip(family.labels, values, strict=True)
            labels = ",".join(f'{name}="{label}"' for name, label in pairs)
            lines.append(f"{family.name}{{{labels}}} {float(value)!r}")
    return "\n".join(lines) + "\n"


def push_outcome(url: str, snapshot: Snapshot) -> None:
    """Replace what the last run of this scenario on this target left. Raises PushError."""
    identity = snapshot.identity
    scenario, target = (
        urllib.parse.quote(s, safe="") for s in (identity.scenario, identity.target)
    )
    address = f"{url.rstrip('/')}/metrics/job/soak/scenario/{scenario}/target/{target}"
    headers = {"Content-Type": "text/plain; version=0.0.4"}
    body = outcome_text(snapshot).encode()
    request = urllib.request.Request(address, body, headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(200).decode(errors="replace").strip()
            raise PushError(f"{address}: {error.code} {said}") from error
    except (OSError, http.client.HTTPException) as error:
        raise PushError(f"{address}: {getattr(error, 'reason', error)}") from error
