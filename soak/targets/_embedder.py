"""Where does a text-only system get its vectors? It is handed them, by text, for the call at hand.

Systems that embed by themselves are given this instead of a model: no download, no cost, and the
same vectors that the oracle knows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from threading import Lock

from soak.seams import Query, Record, Vector


class HandedOver:
    """Vectors by text; holds only those of calls under way. Unknown text is a KeyError: a bug."""

    def __init__(self) -> None:
        self._vectors: dict[str, Vector] = {}
        self._calls: Counter[str] = Counter()  # under way, by text
        self._lock = Lock()
        self._queries = count()

    @contextmanager
    def knows(self, records: Sequence[Record]) -> Iterator[None]:
        """Within it, the texts of these records have vectors."""
        texts = {record.text: record.vector for record in records}
        with self._lock:
            self._vectors |= texts
            self._calls.update(texts.keys())
        try:
            yield
        finally:
            with self._lock:
                self._calls.subtract(texts.keys())
                # Two updates of one record at the same time may be about the same text.
                for text in [text for text in texts if not self._calls[text]]:
                    del self._calls[text], self._vectors[text]

    @contextmanager
    def asks(self, query: Query) -> Iterator[str]:
        """A text of its own for this query, which has the query's vector within."""
        text = f"query {next(self._queries)}"
        self._vectors[text] = query.vector
        try:
            yield text
        finally:
            del self._vectors[text]

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """The form that LangGraph's stores take."""
        return [self.embed(text) for text in texts]

    def embed(self, text: str, *_: object) -> list[float]:
        """The form that mem0 and Agno take; what else they hand over does not matter."""
        vector: list[float] = self._vectors[text].tolist()
        return vector
