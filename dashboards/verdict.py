"""How does it stand, in one strip? Everything a person asks first, in that order."""

from grafanalib.core import Stat

from dashboards.board import Row
from dashboards.panels import GREEN, GREY, ORANGE, RED, said, steps, tile
from dashboards.queries import now

PASS_FAIL = said((0, "PASS", GREEN), (1, "FAIL", RED), (2, "UNKNOWN", GREY))
FAILS, UNDECIDED = 'status="fail"', 'status="unknown"'
NONE_IS_GOOD = steps((GREEN, None), (RED, 1))


def verdict() -> Row:
    """Eight tiles."""
    return "", 4, [(3, shown) for shown in (*judgement(), *course())]


def judgement() -> list[Stat]:
    """What it is worth: verdict, trust, health, correctness."""
    word = "soak_run_verdict_status"
    return [
        tile(
            "Verdict",
            "All checks together, so far.",
            "none",
            f"max({now(word, FAILS)}) + 2 * max({now(word, UNDECIDED)})",
            mappings=PASS_FAIL,
            sparkline=False,
        ),
        tile(
            "Trusted",
            "Whether the certificate finds a reason to doubt the figures.",
            "none",
            f"min({now('soak_certificate_trusted')})",
            mappings=said((1, "yes", GREEN), (0, "NO", RED)),
            sparkline=False,
        ),
        tile(
            "Health",
            "0 to 100 %, by one formula for every target; what it reports itself is no part of it.",
            "percentunit",
            f"min({now('soak_health_ratio')})",
            thresholds=steps((RED, None), (ORANGE, 0.5), (GREEN, 0.8)),
        ),
        tile(
            "Wrong answers",
            "Answers that contradict what was stored, since the start.",
            "short",
            f"sum({now('soak_oracle_violations_total')})",
            thresholds=NONE_IS_GOOD,
            sparkline=False,
        ),
    ]


def course() -> list[Stat]:
    """Where it goes: leak, checks, rate, end."""
    end = now("soak_run_expected_end_timestamp_seconds")
    return [
        tile(
            "Growth per hour",
            "Of anonymous memory, beyond what live records explain; a leak where its check fails.",
            "bytes",
            f"max({now('soak_leak_bytes_per_second')}) * 3600",
            sparkline=False,
        ),
        tile(
            "Failing checks",
            "How many checks fail now.",
            "short",
            f"sum({now('soak_verdict_status', FAILS)})",
            thresholds=NONE_IS_GOOD,
            sparkline=False,
        ),
        tile(
            "Achieved rate",
            "Operations per second that were done.",
            "ops",
            f"sum({now('soak_achieved_rate')})",
        ),
        tile(
            "Time left",
            "Until the planned end.",
            "s",
            f"floor(clamp_min(max({end}) - time(), 0))",
            sparkline=False,
        ),
    ]
