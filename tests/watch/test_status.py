"""Are all totals of a run known to checks?"""

from soak.detectors._totals import TOTALS
from soak.result import OPERATIONS
from soak.watch.status import flat
from soak.watch.windows import Windows


def test_every_total_of_every_operation_can_be_named_in_a_check():
    totals = flat(Windows(list(OPERATIONS), 10.0, 30.0).totals(), length_s=1.0)

    assert set() == set(totals) - TOTALS
    assert set() == {f"all_{name}" for name in totals} - TOTALS
