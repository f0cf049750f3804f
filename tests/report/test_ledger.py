import numpy as np
import pytest

from soak.report.ledger import Match, entries, match
from soak.snapshot import Event


def run(at_s: float, source: str, duration_s: float = 1.0, kind: str = "evict", **details) -> Event:
    return Event(
        time_s=at_s,
        wall_time=at_s,
        kind=kind,
        source=source,
        duration_s=duration_s,
        details={"maintenance": True, **details},
    )


def test_detected_runs_are_paired_with_declared_ones_in_time():
    events = [
        *(run(10, "declared"), run(50, "declared"), run(90, "declared")),
        *(run(11.5, "detected", kind="unknown"), run(52.9, "detected"), run(70, "detected")),
    ]

    assert match(events) == Match(
        detected=3,
        declared=3,
        matched=2,
        precision=pytest.approx(2 / 3),
        recall=pytest.approx(2 / 3),
    )


def test_one_detected_burst_explains_many_small_declared_runs():
    events = [run(10, "detected", 30), *(run(at_s, "declared", 0.1) for at_s in range(11, 40))]

    found = match(events)

    assert (29, 1.0, 1.0) == (found.matched, found.precision, found.recall)


@pytest.mark.parametrize(
    ("sources", "precision", "recall"),
    [
        ((), None, None),
        (("declared",), None, 0.0),
        (("detected",), None, None),
    ],
    ids=["nothing", "nothing seen", "nothing declared"],
)
def test_agreement_needs_two_sides(sources, precision, recall):
    found = match([run(1, source) for source in sources])

    assert (precision, recall) == (found.precision, found.recall)


def test_pairing_agrees_with_comparing_every_pair():
    rng = np.random.default_rng(11)
    for _ in range(50):
        events = [
            run(float(at_s), str(source), float(length_s))
            for at_s, source, length_s in zip(
                rng.uniform(0, 300, 24),
                rng.choice(["declared", "detected"], 24),
                rng.exponential(4, 24),
                strict=True,
            )
        ]
        declared = [event for event in events if event.source == "declared"]
        detected = [event for event in events if event.source == "detected"]
        expected = sum(
            any(
                other.time_s - 2 <= event.time_s + event.duration_s
                and event.time_s - 2 <= other.time_s + other.duration_s
                for other in detected
            )
            for event in declared
        )
        assert expected == match(events).matched


def test_entries_sum_gain_and_keep_the_worst_cost():
    events = [
        run(5, "declared", 2, records=10, bytes_reclaimed=100, longest_pause_s=0.004),
        run(9, "declared", 4, records=20, bytes_reclaimed=50, longest_pause_s=0.001),
        Event(time_s=1, wall_time=1, kind="phase", source="injected"),
    ]

    (entry,) = entries(events)

    assert ("evict", "declared", 2, 6, 4) == (
        entry.kind,
        entry.source,
        entry.count,
        entry.duration_s,
        entry.longest_s,
    )
    assert (30, 150, 0.004) == (entry.records, entry.bytes_reclaimed, entry.longest_pause_s)
