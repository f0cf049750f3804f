"""What is kept of a record beside its vector, where a system takes any dictionary?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from soak.seams import Record


def beside(record: Record) -> dict[str, Any]:
    """For a system that has a place of its own for texts."""
    return {"agent": record.agent, "importance": record.importance}


def beside_with_text(record: Record) -> dict[str, Any]:
    """For one that has none."""
    return {**beside(record), "text": record.text}


def record_of(key: int, kept: Mapping[str, Any], text: str, vector: object = ()) -> Record:
    """The record again. vector: numbers; none from a system that hands out no vectors."""
    return Record(
        key=key,
        agent=kept["agent"],
        text=text,
        vector=np.array(vector, dtype=np.float32),
        importance=kept["importance"],
    )
