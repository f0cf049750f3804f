"""What one scenario cannot say: the rate itself is what is looked for."""

from soak.bench.functions import Findings, Trials


def benchmark_max_rate(trials: Trials) -> Findings:
    """What is the highest rate that keeps the objectives of a steady mixed load?"""
    return trials.highest_rate("latency/mixed")
