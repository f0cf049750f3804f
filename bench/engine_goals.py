"""Which goals does the engine reach? Pure: from the figures of one run to rows with a verdict.

Each holds a ratio within the run, or a figure, against a bound; a figure may stand beside two of
them, one of them looser. A goal whose figures are missing is not reached.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_CHROMA = "chromadb"
_FLAT = "faiss_sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """measured None: not measured, for the reason in note. is_floor: at least, not at most."""

    name: str
    bound: float
    measured: float | None
    unit: str = ""
    is_floor: bool = False
    peers: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        is_met = self.measured >= self.bound if self.is_floor else self.measured <= self.bound
        return "pass" if is_met else "MISSED"


class Results:
    """Figures by dotted path: courses.SIZE.SYSTEM.PHASE.…, alone.QUESTION.…, large.DIMENSIONS.…"""

    def __init__(self, figures: dict[str, Any]) -> None:
        self._figures = figures

    def at(self, path: str) -> float | None:
        found: Any = self._figures
        for name in path.split("."):
            if not isinstance(found, dict) or name not in found:
                return None
            found = found[name]
        return float(found)

    def ratio(self, upper: str, lower: str) -> float | None:
        """None where either figure is missing or the lower one is zero."""
        above, below = self.at(upper), self.at(lower)
        return above / below if above is not None and below else None

    def sizes(self) -> list[int]:
        return sorted(int(size) for size in self._figures.get("courses", {}))

    def beside(self, size: int, path: str, per: str = "", scale: float = 1.0) -> str:
        """What peers of this size measured on this path (divided by another), as text."""
        parts = []
        for system in self._figures["courses"][str(size)]:
            stem = f"courses.{size}.{system}."
            value = self.ratio(stem + path, stem + per) if per else self.at(stem + path)
            if system != "engine" and value is not None:
                parts.append(f"{system} {value * scale:.3g}")
        return ", ".join(parts)


def goals(results: Results) -> list[Goal]:
    """All of them, by what the engine is asked for."""
    small, big = results.sizes()[0], results.sizes()[-1]
    return [
        *_stores(results, small),
        *_reads(results, small),
        *_searches(results, small),
        *_drifts(results, big),
        *_giving_back(results, big),
        *_accounting(results, big),
        *_alone(results),
        *_size(results, big),
    ]


def _stores(results: Results, n: int) -> Iterator[Goal]:
    one = results.at("alone.durable.store_1_ratio")
    spread = _text("store p99 {:.2f}, append p99 {:.2f} ms", results, "alone.durable.", 1)
    yield Goal(name="durable store of 1: wall / append+fdatasync", bound=1.5, measured=one,
               unit="x", note=spread)  # fmt: skip
    yield Goal(name="the same, looser bound", bound=2.0, measured=one, unit="x")
    many = results.at("alone.durable.store_100_ratio")
    yield Goal(name="durable batch of 100: wall / append+fdatasync", bound=3.0, measured=many,
               unit="x", note=_text("store p99 {:.2f}, append p99 {:.2f} ms", results,
                                    "alone.durable.", 100))  # fmt: skip
    path = "loaded.store_100.cpu_us"
    own = f"courses.{n}.engine.{path}"
    yield Goal(name=f"batch of 100, {n:,}: CPU", bound=1.5, measured=_scaled(results.at(own), 1e-3),
               unit="ms", peers=results.beside(n, path, scale=1e-3))  # fmt: skip
    yield Goal(name="batch of 100: CPU / chromadb", bound=1 / 40,
               measured=results.ratio(own, f"courses.{n}.{_CHROMA}.{path}"), unit="x")  # fmt: skip


def _reads(results: Results, n: int) -> Iterator[Goal]:
    path = "loaded.get.cpu_us"
    for size in results.sizes():
        yield Goal(name=f"get, {size:,}: CPU", bound=15.0, unit="µs",
                   measured=results.at(f"courses.{size}.engine.{path}"),
                   peers=results.beside(size, path))  # fmt: skip
    own, chroma = (f"courses.{n}.{system}.{path}" for system in ("engine", _CHROMA))
    yield Goal(name="get: CPU / chromadb", bound=1 / 60, unit="x",
               measured=results.ratio(own, chroma))  # fmt: skip
    yield Goal(name="get and batch: CPU / Redis", bound=1 / 5, measured=None,
               note="Redis is no peer of this bench")  # fmt: skip


def _searches(results: Results, n: int) -> Iterator[Goal]:
    for size, bound in ((10_000, 0.5), (100_000, 1.2)):
        is_there = size in results.sizes()
        beside = results.beside(size, "loaded.search.cpu_us", scale=1e-3) if is_there else ""
        missing = "" if is_there else "left out by --quick"
        stem = f"courses.{size}.engine"
        yield from _search(results, stem, f"{size:,}", bound, beside, missing)
    for dimensions in (384, 64):
        stem = f"large.{dimensions}"
        missing = "only with --large" if results.at(f"{stem}.loaded.records") is None else ""
        yield from _search(results, stem, f"1,000,000 of {dimensions}-d", 8.0, "", missing)
    flat = f"courses.100000.{_FLAT}.loaded.search.cpu_us"
    own = "courses.100000.engine.loaded.search.cpu_us"
    yield Goal(name="search, 100,000: CPU / faiss flat", bound=1 / 5, unit="x",
               measured=results.ratio(own, flat))  # fmt: skip
    path = "loaded.search_agent.cpu_us"
    own = f"courses.{n}.engine.{path}"
    yield Goal(name=f"search by agent, {n:,}: recall@10 (1 to three digits)", bound=0.999,
               measured=results.at(f"courses.{n}.engine.loaded.search_agent.recall"),
               is_floor=True)  # fmt: skip
    yield Goal(name=f"search by agent, {n:,}: CPU", bound=0.25,
               measured=_scaled(results.at(own), 1e-3), unit="ms",
               peers=results.beside(n, path, scale=1e-3))  # fmt: skip
    yield Goal(name="search by agent: CPU / chromadb", bound=1 / 20, unit="x",
               measured=results.ratio(own, f"courses.{n}.{_CHROMA}.{path}"))  # fmt: skip


def _search(
    results: Results, stem: str, size: str, bound: float, peers: str, missing: str
) -> Iterator[Goal]:
    yield Goal(name=f"search, {size}: CPU", bound=bound, unit="ms", peers=peers, note=missing,
               measured=_scaled(results.at(f"{stem}.loaded.search.cpu_us"), 1e-3))  # fmt: skip
    yield Goal(name=f"search, {size}: recall@10", bound=0.98, is_floor=True, note=missing,
               measured=results.at(f"{stem}.loaded.search.recall"))  # fmt: skip


def _drifts(results: Results, n: int) -> Iterator[Goal]:
    stem = f"courses.{n}.engine"
    turnovers = results.at(f"{stem}.churn.turnovers")
    # Not all peers are churned at more than the smallest size.
    small = results.sizes()[0]
    note = f"{turnovers:.3g} turnovers of {n:,}, peers {small:,}" if turnovers is not None else ""
    for kind in ("search", "search_agent", "get", "store_1", "store_100"):
        after, before = f"churned.{kind}.cpu_us", f"loaded.{kind}.cpu_us"
        yield Goal(name=f"drift of {kind}: CPU", bound=1.10, unit="x", note=note,
                   measured=results.ratio(f"{stem}.{after}", f"{stem}.{before}"),
                   peers=results.beside(small, after, before))  # fmt: skip
    before, after = (results.at(f"{stem}.{phase}.search.recall") for phase in ("loaded", "churned"))
    lost = None if before is None or after is None else before - after
    left = results.beside(small, "churned.search.recall")
    yield Goal(name="drift of recall@10: lost", bound=0.005, measured=lost, note=note,
               peers=f"left at peers: {left}" if left else "")  # fmt: skip
    after, before = "churned.private_bytes", "loaded.private_bytes"
    yield Goal(name="drift of memory", bound=1.25, unit="x", note=note,
               measured=results.ratio(f"{stem}.{after}", f"{stem}.{before}"),
               peers=results.beside(small, after, before))  # fmt: skip
    yield _disk(results, n, small, "churned", "after churn")


def _disk(results: Results, n: int, small: int, phase: str, when: str) -> Goal:
    stem = f"courses.{n}.engine.{phase}"
    disk, live = "disk_bytes", "live_bytes"
    log = results.ratio(f"{stem}.own.log_bytes", f"{stem}.{live}")
    return Goal(name=f"disk / live bytes, {when} (whole directory)", bound=1.5, unit="x",
                measured=results.ratio(f"{stem}.{disk}", f"{stem}.{live}"),
                note="" if log is None else f"log alone {log:.2f}",
                peers=results.beside(small, f"{phase}.{disk}", f"{phase}.{live}"))  # fmt: skip


def _giving_back(results: Results, n: int) -> Iterator[Goal]:
    stem = f"courses.{n}.engine"
    # Live bytes are proportional to live records.
    after = results.ratio(f"{stem}.halved.private_bytes", f"{stem}.halved.records")
    before = results.ratio(f"{stem}.churned.private_bytes", f"{stem}.churned.records")
    yield Goal(name="half deleted, idle: RAM per live record / before", bound=1.4, unit="x",
               measured=after / before if after is not None and before else None)  # fmt: skip
    yield _disk(results, n, results.sizes()[0], "halved", "half deleted, idle")


def _accounting(results: Results, n: int) -> Iterator[Goal]:
    for phase in ("loaded", "churned", "halved"):
        stem = f"courses.{n}.engine.{phase}"
        held, said = results.at(f"{stem}.private_bytes"), results.at(f"{stem}.own.accounted_bytes")
        trimmed = results.at(f"{stem}.trimmed_bytes")
        is_known = held is not None and said is not None
        note = f"{held / 1e6:.1f} / {said / 1e6:.1f} MB" if is_known else ""
        if trimmed is not None:
            note += f", {trimmed / 1e6:.1f} MB once the allocator is trimmed"
        yield Goal(name=f"accounting, {phase}: |private / accounted - 1|", bound=0.15, note=note,
                   measured=abs(held / said - 1) if is_known else None)  # fmt: skip


def _alone(results: Results) -> Iterator[Goal]:
    for kind, bounds in (("get", (1.5, 2.0)), ("search", (2.5, 2.0))):
        ratio = results.at(f"alone.in_flight.{kind}_p99_ratio")
        busy = results.at(f"alone.in_flight.busy_{kind}_ms_p99")
        note = "" if busy is None else f"{busy:.3f} ms while compacting"
        for bound in bounds:
            yield Goal(name=f"{kind} p99, maintenance in flight / without", bound=bound,
                       unit="x", measured=ratio, note=note)  # fmt: skip
    for name, bound in (("checkpoint", 0.3), ("replay", 3.0)):
        stem = f"alone.recovery.{name}"
        wall = results.at(f"{stem}_wall_s")
        yield Goal(name=f"recovery by {name}: CPU", bound=bound, unit="s",
                   measured=results.at(f"{stem}_cpu_s"),
                   note="" if wall is None else f"wall {wall:.2f} s")  # fmt: skip
        yield Goal(name=f"recovery by {name}: lost, revived or changed", bound=0,
                   measured=results.at(f"{stem}_wrong_count"))  # fmt: skip
    stem = "alone.emergency"
    served, longest = results.at(f"{stem}.reads_count"), results.at(f"{stem}.reads_get_ms_max")
    note = f"longest get {longest:.1f} ms" if longest is not None else ""
    yield Goal(name="emergency, from full to 0.80: wall", bound=1.0, unit="s",
               measured=results.at(f"{stem}.wall_s"), note=note)  # fmt: skip
    yield Goal(name="emergency: share of records left", bound=0.801,
               measured=results.at(f"{stem}.live_ratio"))  # fmt: skip
    yield Goal(name="emergency: reads served meanwhile", bound=1, is_floor=True, measured=served)
    yield Goal(name="graph traversal of depth 3: CPU", bound=1.0, unit="ms",
               measured=_scaled(results.at("alone.graph.traverse_cpu_us"), 1e-3))  # fmt: skip


def _size(results: Results, n: int) -> Iterator[Goal]:
    stem = f"courses.{n}.engine.loaded"
    yield Goal(name=f"RAM per record, {n:,}", bound=1.0, unit="kB",
               measured=_scaled(results.ratio(f"{stem}.private_bytes", f"{stem}.records"), 1e-3),
               peers=results.beside(n, "loaded.private_bytes", "loaded.records", 1e-3),
               )  # fmt: skip
    peak = results.ratio(f"courses.{n}.engine.load.private_bytes", f"{stem}.records")
    yield Goal(name=f"RAM per record, {n:,}, the moment the load ends", bound=1.0, unit="kB",
               measured=_scaled(peak, 1e-3))  # fmt: skip
    anonymous = _scaled(results.at("alone.process.private_bytes"), 1e-6)
    yield Goal(name="RAM of the process with an empty engine (RSS)", bound=45.0, unit="MB",
               measured=_scaled(results.at("alone.process.resident_bytes"), 1e-6),
               note="" if anonymous is None else f"private {anonymous:.1f} MB")  # fmt: skip


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _text(pattern: str, results: Results, stem: str, count: int) -> str:
    names = (f"store_{count}_wall_ms_p99", f"append_{count}_wall_ms_p99")
    values = [results.at(stem + name) for name in names]
    return "" if None in values else pattern.format(*values)
