"""What do the detectors cost? `python -m bench.detection [--json FILE]`: share of a core in a week.

CPU time of one answer of the leak detector at a full series of 24 hours, for memory and three more
resources, and of the one for degradation at a full series of an hour, for three figures, asked as
often as in a run of seven days; and of maintenance, at each sample. Goal:
below one percent of a core. Exit code 1 above it.
"""

import argparse
import json
import sys
from pathlib import Path

from soak.clock import process_cpu_ns
from soak.detectors import degradation
from soak.detectors.leak import PERIOD_S, Params, detect
from soak.scorecard.asking import ask_times
from soak.scorecard.event_traces import HEAP, event_trace
from soak.scorecard.leak_traces import LIVES, leak_trace
from soak.scorecard.speed_traces import speed_trace
from soak.watch.upkeep import Upkeep

GOAL_RATIO = 0.01
RESOURCES = 4
WATCHED_FIGURES = 3
WEEK_S = 7 * 86_400.0


def answer_s() -> float:
    """CPU seconds of one answer, the mean over live sets."""
    runs = [leak_trace(30_000, live, hours=24.0) for live in LIVES]
    before_ns = process_cpu_ns()
    for run in runs:
        detect(run.evidence, Params())
    return (process_cpu_ns() - before_ns) / 1e9 / len(runs)


def change_s() -> float:
    """CPU seconds of one answer about degradation, the mean of four."""
    runs = [speed_trace(seed) for seed in range(30_000, 30_004)]
    before_ns = process_cpu_ns()
    for run in runs:
        degradation.detect(run.evidence, degradation.Params())
    return (process_cpu_ns() - before_ns) / 1e9 / len(runs)


def sample_s() -> float:
    """CPU seconds per sample of watching for maintenance."""
    columns = event_trace(30_000, HEAP).columns
    rows = [
        dict(zip(columns, map(float, values), strict=True))
        for values in zip(*columns.values(), strict=True)
    ]
    upkeep = Upkeep()
    before_ns = process_cpu_ns()
    for row in rows:
        upkeep.take(row)
    return (process_cpu_ns() - before_ns) / 1e9 / len(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    one_answer_s, one_change_s, one_sample_s = answer_s(), change_s(), sample_s()
    answers = len(ask_times(WEEK_S, PERIOD_S))
    growth_ratio = RESOURCES * answers * one_answer_s / WEEK_S
    change_ratio = WATCHED_FIGURES * answers * one_change_s / WEEK_S
    ratio = growth_ratio + change_ratio + one_sample_s
    print(f"one answer about growth       {1000 * one_answer_s:8.1f} ms, {answers} in a week")
    print(f"one about degradation         {1000 * one_change_s:8.1f} ms, {answers} in a week")
    print(f"one sample for maintenance    {1e6 * one_sample_s:8.1f} us, one a second")
    print(f"all of a core, over a week    {100 * ratio:8.4f} % (goal: below 1 %)")
    if arguments.json:
        figures = {
            "answer_s": one_answer_s,
            "change_s": one_change_s,
            "sample_s": one_sample_s,
            "core_ratio": ratio,
        }
        arguments.json.write_text(json.dumps(figures, indent=1))
    return int(ratio > GOAL_RATIO)


if __name__ == "__main__":
    sys.exit(main())
