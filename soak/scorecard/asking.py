"""When is a detector asked in a run? As often as its judge does, which is more often than it looks.

Looks before now are those of a detector's plan, now is one more: so what a run says in between can
alarm where none of the planned looks does, on a screen and in its record if not at its end.
"""

from soak.judge.judge import PERIOD_SHARE


def ask_times(planned_s: float, period_s: float) -> list[float]:
    """Every period_s, or a hundredth of the run so far where that is more; the end is the last."""
    times = []
    at_s = period_s
    while at_s < planned_s:
        times.append(at_s)
        at_s += max(period_s, at_s * PERIOD_SHARE)
    return [*times, planned_s]
