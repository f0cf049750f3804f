from collections import Counter, deque

import numpy as np
import pytest

from soak.histogram import Histogram
from soak.snapshot import Gap, Quantiles
from soak.state import Damaged, packed, put_back, taken, unpacked


class Owner:
    def __init__(self) -> None:
        self.count = 0
        self.latest: deque[float] = deque(maxlen=2)
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.counts = np.zeros(3, dtype=np.int64)


def test_what_is_packed_comes_back_as_it_was() -> None:
    tree = {
        "plain": [1, 2.5, None, True, "text", float("inf")],
        "large": 1 << 120,
        "pairs": {("evict", "declared"): 3, 7: "seven"},
        "array": np.arange(6, dtype=np.float64).reshape(2, 3),
        "none": np.zeros(0, dtype=np.uint8),
        "records": (Gap(at_s=1.0, absent_s=2.0, in_doubt_count=3), Quantiles(p50=0.5, max=1.0)),
        "counted": np.int64(4),
    }

    back = unpacked(*packed(tree))

    arrays = {name: back.pop(name) for name in ("array", "none")}
    assert [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]] == arrays["array"].tolist()
    assert (0, np.uint8) == (arrays["none"].size, arrays["none"].dtype)
    assert (0.5, 1.0) == (back["records"][1].p50, back["records"][1].max)
    assert tree["records"][0] == back.pop("records")[0]
    assert {name: tree[name] for name in ("plain", "large", "pairs", "counted")} == back


def test_a_histogram_comes_back_with_its_counts_sum_and_maximum() -> None:
    histogram = Histogram()
    histogram.add(np.array([5, 5, 1_000_000, 10**12]))

    back = unpacked(*packed({"it": histogram}))["it"]

    assert histogram.counts.tolist() == back.counts.tolist()
    assert (histogram.sum_ns, histogram.max_ns) == (back.sum_ns, back.max_ns)


def test_what_is_put_back_keeps_its_kind_and_its_bound() -> None:
    old, new = Owner(), Owner()
    old.count, old.counts = 4, np.array([1, 2, 3])
    old.latest.extend([1.0, 2.0, 3.0])
    old.kinds["evict", "declared"] += 2
    new.latest.append(9.0)

    names = ("count", "latest", "kinds", "counts")
    put_back(new, unpacked(*packed(taken(old, names))))
    new.latest.append(4.0)
    new.kinds["other", "declared"] += 1

    assert (4, [1, 2, 3], [3.0, 4.0]) == (new.count, new.counts.tolist(), list(new.latest))
    assert {("evict", "declared"): 2, ("other", "declared"): 1} == dict(new.kinds)


@pytest.mark.parametrize("cut", [0, 10, 30, -1])
def test_what_is_cut_short_is_damaged(cut: int) -> None:
    content = b"".join(packed({"array": np.arange(10)}))

    with pytest.raises(Damaged):
        unpacked(content[:cut])


def test_one_changed_byte_is_damage() -> None:
    content = bytearray(b"".join(packed({"array": np.arange(10)})))
    content[-3] ^= 1

    with pytest.raises(Damaged, match="checksum"):
        unpacked(bytes(content))
