"""Are all totals of a run known to checks, and are leaks those of bytes?"""

from soak.detectors._totals import TOTALS
from soak.result import OPERATIONS
from soak.verdict import Concern, Status, Verdict
from soak.watch.status import flat, is_measured
from soak.watch.windows import Windows


def test_every_total_of_every_operation_can_be_named_in_a_check():
    totals = flat(Windows(list(OPERATIONS), 10.0, 30.0).totals(), length_s=1.0)

    assert set() == set(totals) - TOTALS
    assert set() == {f"all_{name}" for name in totals} - TOTALS


def test_files_that_pile_up_are_no_leak_of_bytes():
    def leak(detector: str, unit: str) -> Verdict:
        return Verdict(
            check=detector,
            detector=detector,
            concern=Concern.LEAK,
            status=Status.FAIL,
            reason="it grows",
            effect=4.0,
            unit=unit,
        )

    assert [True, False] == [
        is_measured(leak("leak", "bytes/s")),
        is_measured(leak("pile_up", "per hour")),
    ]
