"""How are lines of CSV read by the million? As a block where all are as usual, else one by one."""

import csv
import io
from array import array
from collections.abc import Sequence

import numpy as np

from soak.seams import Floats

BLOCK_LINES = 4_096

Texts = list[list[str]]


def fields(line: bytes) -> list[str]:
    """Of one line of CSV; none where it is not text."""
    try:
        return next(csv.reader([line.decode(errors="replace")]), [])
    except csv.Error:
        return []


def parsed(
    block: Sequence[bytes], header: Sequence[str], texts: Sequence[str]
) -> tuple[Texts, Floats, int]:
    """The columns named in texts, the others as figures of shape (n, others), nan where a field is
    empty; and how many lines could not be read, which are left out."""
    places = [header.index(name) for name in texts]
    others = [i for i in range(len(header)) if i not in places]
    return _at_once(block, places, others) or _one_by_one(block, places, others)


def _at_once(
    block: Sequence[bytes], places: Sequence[int], others: Sequence[int]
) -> tuple[Texts, Floats, int] | None:
    """None where a line is unusual. Twice as fast."""
    text = b"".join(block).decode(errors="replace")
    width = len(places) + len(others)
    if '"' in text or any(line.count(b",") != width - 1 for line in block):
        return None
    rows = [line.split(",", max(places) + 1) for line in text.split("\n")[:-1]] if places else []
    for _ in range(2):  # of two empty fields in a row, the second is found the second time
        text = text.replace(",,", ",nan,")
    text = text.replace(",\n", ",nan\n")
    try:
        figures = np.loadtxt(
            io.StringIO(text), delimiter=",", usecols=others, comments=None, ndmin=2
        )
    except ValueError:
        return None
    if len(figures) != len(block):  # an empty line
        return None
    return [[row[place] for row in rows] for place in places], figures, 0


def _one_by_one(
    block: Sequence[bytes], places: Sequence[int], others: Sequence[int]
) -> tuple[Texts, Floats, int]:
    texts: Texts = [[] for _ in places]
    values = array("d")
    bad_count = 0
    for line in block:
        row = fields(line)
        try:
            if len(row) != len(places) + len(others):
                raise ValueError("not as many fields as the header has")
            figures = [float(row[i] or "nan") for i in others]
        except ValueError:
            bad_count += 1
            continue
        values.extend(figures)
        for column, place in zip(texts, places, strict=True):
            column.append(row[place])
    return texts, np.frombuffer(values, dtype=np.float64).reshape(-1, len(others)), bad_count
