"""How often is `soak compare` right? Real short runs of one target, equal and slowed by 15 %.

Every run is `soak run` of the target `faulty`, which waits a fixed time in each operation before
the target `memory` answers: 5 ms, and 5.75 ms where it is slowed; that wait is nearly all of a
service time. It is not the embedded engine that is inside, because its durable stores wait for the
disk: on a machine whose disk others use their medians differ by 8 % between equal runs, and that
would be a check of the disk. Neighbours of equal runs are compared (as shipped, all have to pass),
and each slowed run with the equal one before it (all have to fail, which by the usual thresholds
the median of service time does). Groups of GROUP such pairs, which ran by turns, are judged
together as `soak compare --interleaved` does. Where tails must hold, too, what is equal may be
unknown, and may not fail. What whole equal runs differ by is the spread that soak/comparison
assumes of a single baseline run.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from soak.comparison.interleaved import compare_pairs
from soak.comparison.judgement import compare, figures_of
from soak.report.record import RunRecord, load_run

SCENARIO = """\
question: Is this target slower than it was?
rate: 80/s
target: {name: faulty, params: {delay_s: 5ms}}
population: {keys: 1000, agents: 4, preload: 300}
phases:
  - {name: warm-up, duration: 2s, warm: true, mix: &mix {store: 2, get: 4, search: 3, delete: 1}}
  - {name: steady, duration: 25s, mix: *mix}
checks: [{name: wrong-answers, detector: never}]
observe: {window: 1s}
"""
SLOWED = "target.params.delay_s=5.75ms"
SHIPPED = "as shipped"
VARIANTS = {SHIPPED: (), "tails must hold": ("latency_p99=10%",)}
GROUP = 5  # pairs of one interleaved comparison, as `soak compare --interleaved` makes


def main() -> int:
    """Print the table; 1 where a slowed run did not fail or an equal one did not pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        (out / "paced.yaml").write_text(SCENARIO)
        equal = [run(out)]
        slowed = []
        for pair in range(asked.pairs):
            slowed.append(run(out, "--set", SLOWED))
            equal.append(run(out))
            print(f"{pair + 1} of {asked.pairs} pairs", file=sys.stderr)
    same = list(zip(equal[1:], equal[:-1], strict=True))
    slower = list(zip(slowed, equal[:-1], strict=True))
    found = {
        f"{way}{kind}, {variant}": judge(pairs, thresholds)
        for way, judge in (("", outcomes), ("interleaved, ", by_turns))
        for variant, thresholds in VARIANTS.items()
        for kind, pairs in (("equal", same), ("15 % slower", slower))
    }
    spread = spreads(equal)
    for name, counts in found.items():
        print(f"{name:42} {dict(counts)}")
    for name, ratio in spread.items():
        print(f"{name:42} equal runs differ by {100 * ratio:.2f} % (standard deviation)")
    if asked.json:
        asked.json.write_text(json.dumps({"outcomes": found, "spread": spread}, indent=1))
    return int(any(is_wrong(name, counts) for name, counts in found.items()))


def is_wrong(name: str, counts: Counter[str]) -> bool:
    """As shipped, everything has to be told rightly; else nothing equal may fail."""
    if SHIPPED in name:
        return counts.total() > counts["pass" if "equal" in name else "fail"]
    return "equal" in name and counts["fail"] > 0


def run(out: Path, *changes: str) -> RunRecord:
    """One run of the scenario; its record, read back."""
    before = set(out.glob("runs/*"))
    command = ["run", str(out / "paced.yaml"), "--plain", "--listen", "127.0.0.1:0"]
    soak = str(Path(sys.executable).with_name("soak"))
    subprocess.run(
        [soak, *command, "--out", str(out / "runs"), *changes],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    (made,) = set(out.glob("runs/*")) - before
    return load_run(made)


def outcomes(
    pairs: Sequence[tuple[RunRecord, RunRecord]], thresholds: Sequence[str]
) -> Counter[str]:
    return Counter(
        str(compare(one, [other], thresholds=thresholds).verdict.status) for one, other in pairs
    )


def by_turns(
    pairs: Sequence[tuple[RunRecord, RunRecord]], thresholds: Sequence[str]
) -> Counter[str]:
    """Each whole group of pairs; of equal runs every other pair, so that no run is in two."""
    is_chain = len(pairs) > 1 and pairs[0][0] is pairs[1][1]
    apart = pairs[::2] if is_chain else pairs
    groups = [apart[i : i + GROUP] for i in range(0, len(apart) - GROUP + 1, GROUP)]
    return Counter(
        str(compare_pairs(group, thresholds=thresholds).verdict.status) for group in groups
    )


def spreads(records: Sequence[RunRecord]) -> dict[str, float]:
    """Standard deviation between equal runs, as a share, of what is compared as a ratio."""
    return {
        metric.name: float(np.std([math.log(value) for value in values], ddof=1))
        for metric, values in figures_of(records)
        if metric.scale == "ratio"
    }


if __name__ == "__main__":
    raise SystemExit(main())
