"""What do engine tests need again and again? A clock set by hand, memories, small engines."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import engine
from engine import Memory, Options

DIMENSIONS = 16
SMALL = Options(
    dimensions=DIMENSIONS,
    capacity_records=500,
    capacity_edges=2_000,
    segment_bytes=64 << 10,
    short_term_records=64,
    intermediate_bytes=8 << 10,
    maintenance=False,
)


@dataclass(slots=True)
class HandClock:
    """Time moves only when told to, or by sleeping."""

    wall_s: float = 1_700_000_000.0
    elapsed_s: float = 0.0

    def now_s(self) -> float:
        return self.wall_s + self.elapsed_s

    def monotonic_ns(self) -> int:
        return int(self.elapsed_s * 1e9)

    def aging_ns(self) -> int:
        return self.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        self.elapsed_s += seconds


def clustered(
    rng: np.random.Generator, n: int, dimensions: int, clusters: int = 50
) -> NDArray[np.float32]:
    """n vectors around cluster centres, as embeddings of real texts are."""
    centres = rng.standard_normal((clusters, dimensions))
    noise = 0.5 * rng.standard_normal((n, dimensions))
    return (centres[rng.integers(0, clusters, n)] + noise).astype(np.float32)


def memory(
    record_id: int,
    *,
    agent: int = 0,
    importance: float = 0.5,
    pinned: bool = False,
    text: str | None = None,
    tags: tuple[str, ...] = (),
    dimensions: int = DIMENSIONS,
    created_s: float | None = None,
) -> Memory:
    """A memory whose vector derives from its id."""
    vector = np.random.default_rng(record_id).standard_normal(dimensions).astype(np.float32)
    return Memory(
        id=record_id,
        agent=agent,
        text=f"memory {record_id}" if text is None else text,
        vector=vector,
        importance=importance,
        pinned=pinned,
        tags=tags,
        created_s=created_s,
    )


@contextmanager
def memory_backed_directory() -> Iterator[Path]:
    """A directory on tmpfs where there is one: crash tests sync thousands of times."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        yield Path(name) / "store"


def open_small(directory: Path, clock: HandClock | None = None) -> engine.Engine:
    return engine.open(directory, SMALL, clock or HandClock())


def abandon(store: engine.Engine) -> None:
    """Let go of the directory as a killed process would: nothing synced, nothing written."""
    os.close(store._lock_fd)
    store._is_open = False
