"""Which records are nearest to a vector? An exact scan in stages, over the rows as they are.

    sign sketch by Hamming distance -> int8 with one scale per row -> half precision at last

Below SKETCH_FROM rows, and for every filtered search, the first stage is left out: the int8 scan of
what is left is cheaper than the sketch would be. Where the k-th best does not stand out from what
int8 left behind, more candidates go to the last stage. No index, so nothing degrades with churn
(measured over 3 turnovers: recall 0.998, cost x1.01; graph indexes fell to 0.915).

Scans run without the lock. Rows written meanwhile are looked at again under it, and a row that has
come to hold another record is recognised by its LSN.
"""

from collections import deque
from dataclasses import dataclass

import numkong
import numpy as np
from numpy.typing import NDArray

from engine import sketch
from engine.answers import hit_of
from engine.errors import CorruptError
from engine.frame import Payload, decode_payload
from engine.live import Live, Where
from engine.memory import Hit
from engine.quantise import Rows as Quantised
from engine.quantise import cosines, quantise, unit_halves, widened
from engine.tiers import Tier

SKETCH_FROM = 32_768
_WIDTH_MIN = 512
# Sketch candidates for each that goes to the last stage, at least.
_SKETCHED_PER_KEPT = 16
_RESCORED_MIN = 24
_RESCORED_MOST = 1_024
_WIDER = 8
# Standard deviations of int8's error by which the k-th best must stand out.
_CERTAIN = 2.0
_ATTEMPTS = 4
_STEP = 64
_PROBE_K = 10
_PROBES_KEPT = 16
_RECALL_MIN = 0.97
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """All that are given must hold; times are of creation, [since_s, until_s).

    alive_since_s is the engine's own: what is older has expired, unless it is pinned.
    """

    agent: int | None = None
    tier: Tier | None = None
    since_s: float | None = None
    until_s: float | None = None
    tag: str | None = None
    tag_bits: int = 0
    alive_since_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether all that is alive is wanted."""
        return self == Filter(alive_since_s=self.alive_since_s)


class Search:
    """Scans of one live state. width_factor: how many sketch candidates per root of n; the recall
    probe widens it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._dimensions = live.options.dimensions
        self.width_factor = 3.0
        self.candidates_last = 0
        self._recalls: deque[float] = deque(maxlen=_PROBES_KEPT)
        self.skipped_corrupt = 0
        self.recall_ratio = 1.0
        self.query_last: NDArray[np.float32] | None = None

    def nearest(self, vector: NDArray[np.float32], k: int, wanted: Filter) -> list[Hit]:
        """At most k hits, best first; vector: (d,), finite and checked by the caller."""
        half = unit_halves(vector[None, :])
        query = quantise(half)
        unit = widened(half)[0]
        if wanted.is_open:
            self.query_last = unit
        keep = max(_RESCORED_MIN, 2 * k)
        while True:
            places, floor = self._candidates(query, keep, wanted)
            hits = self._rescored(places, unit, k, wanted)
            widest = max(_RESCORED_MOST, 2 * k)
            if keep >= widest or len(hits) < k or _stands_out(hits[-1].score, floor, query):
                return hits
            keep = min(_WIDER * keep, widest)

    def _candidates(self, query: Quantised, keep: int, wanted: Filter) -> tuple[list[Where], float]:
        """The `keep` best by int8, best first, and the cosine that those left out may have."""
        for _ in range(_ATTEMPTS):
            mark = self._live.columns.changes
            rows, scores = self._scan(query, keep, wanted)
            with self._live.lock:
                changed = self._live.columns.changes_since(mark)
                if changed is not None:
                    return self._places(rows, scores, changed, query, keep, wanted)
        # Writers outran four scans: this one holds them up.
        with self._live.lock:
            rows, scores = self._scan(query, keep, wanted)
            none = np.empty(0, dtype=np.intp)
            return self._places(rows, scores, none, query, keep, wanted)

    def probe(self) -> float | None:
        """Recall of the sketch for the last query, against the full int8 scan; None if unused.

        A low mean doubles the width. Once a twentieth of all records would be candidates, the full
        scan is as cheap, and `nearest` takes it.
        """
        n = self._live.columns.n
        if self.query_last is None or not _is_worth_it(self.width(n), n):
            self.recall_ratio = 1.0
            return None
        query = quantise(self.query_last[None, :].astype(np.float16))
        exact, _ = self._by_levels(np.arange(n), query, _PROBE_K, whole=n)
        rows = self._by_sketch(query, n, self.width(n))
        sketched, _ = self._by_levels(rows, query, _PROBE_K)
        recall = len(np.intersect1d(exact, sketched)) / _PROBE_K
        self._recalls.append(recall)
        self.recall_ratio = sum(self._recalls) / len(self._recalls)
        if self.recall_ratio < _RECALL_MIN:
            self.width_factor *= 2
            self._recalls.clear()
        return recall

    def _scan(
        self, query: Quantised, keep: int, wanted: Filter
    ) -> tuple[Rows, NDArray[np.float32]]:
        n = self._live.columns.n
        if wanted.is_open:
            rows, scores = self._scan_all(query, keep, n)
            # What has expired is gone within a second; until then it is in the way of few searches.
            if wanted.alive_since_s is None or self._mask(rows, wanted).all():
                return rows, scores
        rows = np.flatnonzero(self._mask(slice(0, n), wanted))
        return self._by_levels(rows, query, keep if wanted.tag is None else len(rows))

    def _scan_all(self, query: Quantised, keep: int, n: int) -> tuple[Rows, NDArray[np.float32]]:
        width = max(self.width(n), _SKETCHED_PER_KEPT * keep)
        if not _is_worth_it(width, n):
            return self._by_levels(np.arange(n), query, keep, whole=n)
        return self._by_levels(self._by_sketch(query, n, width), query, keep)

    def width(self, n: int) -> int:
        """Sketch candidates for n records: 3 sqrt(n) kept recall at 1.0 up to a million."""
        return max(_WIDTH_MIN, int(self.width_factor * n**0.5))

    def _by_sketch(self, query: Quantised, n: int, width: int) -> Rows:
        return sketch.nearest(query.sketches[0], self._live.columns.sketch[:n], width)

    def _by_levels(
        self, rows: Rows, query: Quantised, keep: int, whole: int = 0
    ) -> tuple[Rows, NDArray[np.float32]]:
        """The `keep` best of rows by int8 cosine, unordered; whole: rows are simply 0..whole."""
        columns = self._live.columns
        self.candidates_last = len(rows)
        if not len(rows):
            return rows, np.empty(0, dtype=np.float32)
        block = columns.levels[:whole] if whole else columns.levels[rows]
        scales = columns.scale[:whole] if whole else columns.scale[rows]
        products = np.asarray(numkong.cdist(query.levels, block, metric="dot"))
        scores = products[0] * (scales * query.scales[0])
        if len(scores) > keep:
            best = np.argpartition(scores, len(scores) - keep)[-keep:]
            return rows[best], scores[best]
        return rows, scores

    def _mask(self, rows: slice | Rows, wanted: Filter) -> NDArray[np.bool_]:
        """Which of these rows pass the filter, as far as columns can tell."""
        columns = self._live.columns
        mask = np.ones(len(columns.agent[rows]), dtype=np.bool_)
        if wanted.agent is not None:
            mask &= columns.agent[rows] == wanted.agent
        if wanted.tier is not None:
            mask &= columns.tier[rows] == wanted.tier
        if wanted.since_s is not None:
            mask &= columns.created[rows] >= wanted.since_s
        if wanted.until_s is not None:
            mask &= columns.created[rows] < wanted.until_s
        if wanted.alive_since_s is not None:
            mask &= (columns.created[rows] >= wanted.alive_since_s) | columns.pinned[rows]
        if wanted.tag is not None:
            bits = np.uint64(wanted.tag_bits)
            mask &= columns.tags[rows] & bits == bits
        return mask

    def _places(
        self,
        rows: Rows,
        scores: NDArray[np.float32],
        changed: Rows,
        query: Quantised,
        keep: int,
        wanted: Filter,
    ) -> tuple[list[Where], float]:
        """(lock) As `_candidates`; rows written during the scan judged as they are now."""
        n = self._live.columns.n
        if len(changed):
            steady = ~np.isin(rows, changed) & (rows < n)
            anew = changed[self._mask(changed, wanted)]
            again, fresh = self._by_levels(anew, query, len(anew))
            rows = np.concatenate([rows[steady], again])
            scores = np.concatenate([scores[steady], fresh])
        elif len(rows) and rows.max() >= n:
            steady = rows < n
            rows, scores = rows[steady], scores[steady]
        best = np.argsort(-scores)
        if wanted.tag is None:
            best = best[:keep]
        is_cut = len(best) == keep
        return self._live.where_all(rows[best]), float(scores[best[-1]]) if is_cut else -1.0

    def _rescored(
        self, places: list[Where], unit: NDArray[np.float32], k: int, wanted: Filter
    ) -> list[Hit]:
        """Read the candidates, score them at half precision; with a tag, until 2k carry it."""
        found: list[tuple[float, Where, bytes]] = []
        for first in range(0, len(places), _STEP):
            bodies = self._bodies(places[first : first + _STEP])
            if wanted.tag is not None:
                bodies = [pair for pair in bodies if wanted.tag in self._payload(pair[1]).tags]
            found += self._scored(bodies, unit)
            if wanted.tag is not None and len(found) >= max(_RESCORED_MIN, 2 * k):
                break
        found.sort(key=lambda item: (-item[0], item[1].id))
        return [hit_of(*item, self._dimensions) for item in found[:k]]

    def _scored(
        self, bodies: list[tuple[Where, bytes]], unit: NDArray[np.float32]
    ) -> list[tuple[float, Where, bytes]]:
        """Cosines, exact for the vectors as stored: those are of unit length to 3e-4 only."""
        if not bodies:
            return []
        halves = b"".join([body[: 2 * self._dimensions] for _, body in bodies])
        vectors = np.frombuffer(halves, dtype="<f2").reshape(len(bodies), -1)
        scores = cosines(widened(vectors), unit).tolist()
        return [(score, *pair) for score, pair in zip(scores, bodies, strict=True)]

    def _bodies(self, places: list[Where]) -> list[tuple[Where, bytes]]:
        """What could be read; a record deleted meanwhile is left out, a damaged one counted."""
        bodies = []
        for where in places:
            try:
                body = self._live.read_body(where)
            except CorruptError:
                self.skipped_corrupt += 1
                continue
            if body is not None:
                bodies.append((where, body))
        return bodies

    def _payload(self, body: bytes) -> Payload:
        return decode_payload(memoryview(body)[2 * self._dimensions :])


def _is_worth_it(width: int, n: int) -> bool:
    """Whether a sketch of so many candidates is cheaper than the int8 scan of all."""
    return n >= SKETCH_FROM and width * 20 <= n


def _stands_out(score: float, floor: float, query: Quantised) -> bool:
    """Whether a cosine is above what those left out at `floor` have, but for a few in a hundred.

    int8 rounds by up to half a step, a query as well as a row: an error of step / sqrt(12) each,
    and of that, since scales are exact along a vector, the part across it.
    """
    across = max(1.0 - score * score, 0.0) ** 0.5
    error = float(query.scales[0]) * across * (2 / 12) ** 0.5
    return bool(score > floor + _CERTAIN * error)
