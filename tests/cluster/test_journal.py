"""Does the record of a run on many nodes say what a single run's says?"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soak.cluster.journal import Journal
from soak.result import Outcome, slot_code
from soak.rundir import RunDirectory
from soak.snapshot import Recall
from tests.cluster.worlds import results, scenario, seen


def test_a_score_stands_in_one_sample_and_timeouts_are_errors(tmp_path: Path):
    found = results(300)
    found["code"][:2] = slot_code(Outcome.TIMEOUT)
    found["code"][2:5] = slot_code(Outcome.ERROR)
    snapshot = seen(found)
    journal = Journal(RunDirectory(tmp_path), scenario())
    for at_s, samples in ((1.0, 5), (2.0, 5), (3.0, 6)):
        recall = Recall(k=10, samples=samples, mean=0.9, first=0.9, last=0.8)
        journal.sample(replace(snapshot, elapsed_s=at_s, recall=recall))
    journal.close()

    columns = journal.columns()

    assert [5.0] * 3 == columns["errors_total"].tolist()
    assert [0.8, np.nan, 0.8] == pytest.approx(columns["recall"].tolist(), nan_ok=True)
