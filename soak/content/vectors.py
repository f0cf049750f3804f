"""Your own embeddings: the rows of a .npy file, with texts of everyday words."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from soak.content._corpus import Corpus
from soak.oracle.wording import Wording, check_sizes, everyday_sentences
from soak.scenario.quantities import Size

NEEDED = "a .npy file with an array of floats, shape (rows, dimensions), is needed"
ROWS_MAX = 1 << 18
DIMENSIONS_MAX = 4096
ROWS_AT_ONCE = 4096


class Params(BaseModel):
    """path: from the working directory. Rows beyond the first 262,144 are not used."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    path: str
    query_noise_ratio: float = Field(0.35, ge=0, le=10)
    text_bytes: Size = 300
    text_bytes_max: Size | None = None

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        check_sizes(self.text_bytes, self.text_bytes_max or self.text_bytes)
        check_rows(load(Path(self.path)), self.path)
        return self


def load(path: Path) -> NDArray[np.floating]:
    """The file's rows, mapped. Raises ValueError that says what is wrong and what is needed."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: {error}; {NEEDED}") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        shape = getattr(array, "shape", "of an archive")
        raise ValueError(f"{path}: shape {shape}; {NEEDED}")
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{path}: an array of {array.dtype}; {NEEDED}")
    if not len(array) or not 2 <= array.shape[1] <= DIMENSIONS_MAX:
        limits = f"at least 1 row and 2 to {DIMENSIONS_MAX} dimensions"
        raise ValueError(f"{path}: shape {array.shape}; {limits} are needed")
    return array[:ROWS_MAX]


def check_rows(rows: NDArray[np.floating], path: str) -> None:
    """Raises ValueError for the first row that is zero or not finite; reads them all, in pieces."""
    for first in range(0, len(rows), ROWS_AT_ONCE):
        piece = np.asarray(rows[first : first + ROWS_AT_ONCE], dtype=np.float64)
        lengths = np.linalg.norm(piece, axis=1)
        bad = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
        if bad.size:
            row = first + int(bad[0])
            raise ValueError(f"{path}: row {row} is zero or not finite; remove it")


def dimensions_of(params: object) -> int:
    """How long the vectors are, which the file decides."""
    assert isinstance(params, Params)
    return int(load(Path(params.path)).shape[1])


def build(params: object, seed: int, keys: int) -> Corpus:
    """float32 files stay mapped; others are copied once. Raises ValueError for a bad row."""
    assert isinstance(params, Params)
    rows = np.ascontiguousarray(load(Path(params.path)), dtype=np.float32)
    check_rows(rows, params.path)
    rng = np.random.default_rng([seed, len(rows)])
    wording = Wording(
        everyday_sentences(rng), params.text_bytes, params.text_bytes_max or params.text_bytes, rng
    )
    return Corpus(rows, wording, params.query_noise_ratio)
