"""What does a leak cost, what does it follow, and when is memory full? Figures of one look."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from soak.detectors._blocks import Blocks
from soak.detectors._trend import TINY, Trend
from soak.seams import Floats
from soak.sentences import figure

# Shapes of growth: by time, from the start or from later on; after these come the counters'.
ONSETS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75)
TIME = "time"
# Columns that grow into what is free on the file system, not into a limit of memory.
DISK = ("disk_bytes", "disk_allocated_bytes")
DISK_FREE = "disk_free_bytes"
MEMORY, FREE = "memory limit", "free on its file system"
# One cause is named when it is this much likelier than any other.
CLEAR = 10.0
# Gain in standard errors from which on evidence is a hundred: sqrt(2 log 100), and the prior.
SEEN_ERRORS = 4.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One moment's view, in the way to cut that shows most.

    log_evidence: over all ways. causes: what each shape follows. refused: the first gate that
    did not hold, empty when all did.
    """

    at_s: float
    blocks: Blocks
    trend: Trend
    log_evidence: float
    causes: tuple[str, ...]
    refused: str

    @property
    def onset_s(self) -> float:
        """Where the best shape begins to rise."""
        is_timed = self.trend.best_shape < len(ONSETS)
        onset = ONSETS[self.trend.best_shape] if is_timed else 0.0
        return self.blocks.start_s + onset * self.blocks.span_s

    @property
    def bytes_per_s(self) -> float:
        return self.trend.speed / self.blocks.span_s

    @property
    def interval(self) -> tuple[float, float]:
        low, high = self.trend.interval
        return low / self.blocks.span_s, high / self.blocks.span_s


def account(
    columns: Mapping[str, Floats], last: Look, seen_bytes_per_s: float, column: str
) -> dict[str, float | str]:
    """Figures by name: what is known of them, and what the growth follows in a word or two.

    column: what grows.
    """
    evidence = math.exp(min(last.log_evidence, 700.0))
    found: dict[str, float | str] = {
        "evidence": evidence / (1 + evidence),
        "detectable_bytes_per_s": seen_bytes_per_s,
    }
    done = last.blocks.counters.get("operations_total")
    if done is not None and done[-1] > done[0]:
        found["bytes_per_operation"] = last.trend.gain / float(done[-1] - done[0])
    cause = _cause(last)
    if cause:
        found["follows"] = cause.removesuffix("_total").replace("_", " ")
        counter = last.blocks.counters.get(cause)
        if counter is not None:
            found["bytes_each"] = last.trend.gain / float(counter[-1] - counter[0])
    found |= _forecast(columns, last, column)
    return found


def _forecast(columns: Mapping[str, Floats], last: Look, column: str) -> dict[str, float | str]:
    """How long its own limit lasts: for files what is free where they are, else memory's."""
    held = float(last.blocks.held[-1])
    if column in DISK:
        limit, limit_bytes = FREE, _newest(columns, DISK_FREE)
        left_bytes = limit_bytes
    else:
        limit, limit_bytes = MEMORY, _newest(columns, "host_limit_bytes")
        left_bytes = limit_bytes - held
    if not left_bytes > 0 or last.bytes_per_s <= 0:
        return {}
    exhaustion_s = left_bytes / last.bytes_per_s
    return {"limit": limit, "limit_bytes": limit_bytes, "exhaustion_s": exhaustion_s}


def _newest(columns: Mapping[str, Floats], name: str) -> float:
    """The last figure that was read; nan without one."""
    read = columns.get(name, np.empty(0))
    read = read[np.isfinite(read)]
    return float(read[-1]) if read.size else math.nan


def said(found: Mapping[str, float | str]) -> str:
    """The same as the end of a sentence."""
    text = ""
    if "bytes_per_operation" in found:
        text += f", {figure(float(found['bytes_per_operation']), 'bytes')} per operation"
    if "bytes_each" in found:
        text += (
            f"; it follows {found['follows']}, {figure(float(found['bytes_each']), 'bytes')} each"
        )
    elif "follows" in found:
        text += f"; it follows {found['follows']}, whatever is done"
    if "exhaustion_s" in found:
        limit = figure(float(found["limit_bytes"]), "bytes")
        if found["limit"] == FREE:
            text += f"; the {limit} {FREE} are used up"
        else:
            text += f"; the {MEMORY} of {limit} is reached"
        text += f" in {figure(float(found['exhaustion_s']), 's')}"
    return text


def detectable_bytes_per_s(last: Look, smallest_bytes: float) -> float:
    """The slowest even leak that a look at these blocks would have found, about.

    It must stand out of the noise by what no cache resembles. In simulation nine of ten leaks that
    are faster were found (1 h 0.90 to 0.96, 8 h 0.92 to 0.98, 24 h 0.91; 25 to 62 leaks each).
    """
    blocks = last.blocks
    rise = even_rise(blocks)
    beside = (np.column_stack([blocks.covariates, fill]) for fill in blocks.fills.T)
    own = 1 - hidden_ratio(blocks.covariates, rise)
    told = min((1 - hidden_ratio(covariates, rise) for covariates in beside), default=own)
    error = SEEN_ERRORS * last.trend.speed_error * math.sqrt(own / max(told, TINY))
    return max(smallest_bytes, error) / blocks.span_s


def hidden_ratio(covariates: Floats, shape: Floats) -> float:
    """How much of a rise (n,) of that shape covariates (n, p) could take for theirs: R squared."""
    rise = shape - shape.mean()
    coefficients = np.linalg.lstsq(covariates, rise, rcond=None)[0]
    left = rise - covariates @ coefficients
    return 1 - float((left**2).sum() / (rise**2).sum())


def even_rise(blocks: Blocks) -> Floats:
    return np.linspace(0.0, 1.0, blocks.held.size)


def _cause(last: Look) -> str:
    """What the growth follows: time or a counter; empty where several fit alike."""
    likely: dict[str, float] = {}
    for cause, weight in zip(last.causes, last.trend.weights, strict=True):
        likely[cause] = max(likely.get(cause, 0.0), float(weight))
    best, *others = sorted(likely, key=likely.__getitem__, reverse=True)
    if others and likely[best] < CLEAR * likely[others[0]]:
        return ""
    return best
