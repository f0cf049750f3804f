"""Does an edge bring back a record that was deleted? Asked in the environment of agenticraft."""

from pathlib import Path

import numpy as np
import pytest

from soak.clock import SystemClock
from soak.result import RecordMissing
from soak.seams import Edge, Record
from soak.targets import agenticraft
from soak.targets._packages import ENVIRONMENTS

CHECKOUT = ENVIRONMENTS.parent / "checkouts" / "agenticraft"
pytest.importorskip("chromadb")


@pytest.mark.slow
@pytest.mark.parametrize("edge", [Edge(source=1, target=2), Edge(source=2, target=1)])
def test_a_deleted_record_cannot_be_linked(edge: Edge, tmp_path: Path):
    if not CHECKOUT.is_dir():
        pytest.skip(f"git clone https://github.com/{agenticraft.REPOSITORY} {CHECKOUT}")
    params = agenticraft.Params(dimensions=2, checkout=str(CHECKOUT))
    target = agenticraft.build(params, tmp_path, SystemClock())
    vector = np.array([1.0, 0.0], dtype=np.float32)
    for key in (1, 2):
        target.store(Record(key=key, agent=1, text=f"text {key}", vector=vector, importance=0.5))
    target.delete(2)

    with pytest.raises(RecordMissing, match="no document m2"):
        target.link(edge)
    assert ([], []) == (target.traverse(1, 1), target.traverse(2, 1))
    target.close()
