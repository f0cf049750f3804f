"""What is due next? The seeded schedule: phases, cut into blocks of due times, operations, keys.

Everything is drawn in blocks whose cut depends on the scenario alone, from generators of their
own per phase and purpose, so the same scenario gives the same operations, bit for bit, however
fast they are asked for. A record stored in a block is used from the next block on, and a victim
of a block is not used in it: within a block the clients may run in any order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soak import plugins
from soak.load.block import Block
from soak.load.livekeys import LiveKeys
from soak.load.popularity import Draw, draw_of
from soak.load.turns import InTurns
from soak.result import OPERATIONS
from soak.scenario import Phase, Scenario
from soak.seams import Arrivals, Floats
from soak.state import Tree

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

LARGEST_BLOCK = 4096
SMALLEST_BLOCK = 16
CLOSED_BLOCK = 256
BLOCK_S = 0.25  # a block is about this long, so that new records are soon read

STORE, STORE_BATCH, GET, SEARCH, UPDATE, DELETE, SCAN, LINK, TRAVERSE, MAINTAIN = range(10)
# What is about a live record, and what can be without one.
KEYED = np.isin(np.arange(256), (GET, SEARCH, UPDATE, LINK, TRAVERSE))
NEEDS_RECORD = np.isin(np.arange(256), (GET, UPDATE, DELETE, LINK, TRAVERSE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A phase laid out in time; seconds since time zero."""

    index: int
    begin_s: float
    end_s: float
    rate_per_s: float
    arrivals: Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What a phase is drawn from."""

    when: np.random.Generator
    what: np.random.Generator
    which: np.random.Generator
    codes: Bytes
    shares: Floats  # cumulative, by position in codes
    draw: Draw
    is_latest: bool
    block: int


class Workload:
    """The operations of a scenario, block by block.

    phases: all of them, in time. In a closed phase blocks never end; `end_phase` ends it.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._live = LiveKeys(scenario.population.keys)
        self._live.store(scenario.population.preload, np.random.default_rng(scenario.seed))
        self.phases = _laid_out(scenario)
        self.total_s = self.phases[-1].end_s
        self._next_phase = 0
        self._drawn_s = 0.0  # since the phase began
        self._maintained_s = 0.0  # since time zero
        self._source = self._begin()

    def next_block(self) -> Block | None:
        """The next operations of this or, when it has no more, the next phase; None at the end."""
        while self._source is not None:
            stretch, source = self.phases[self._next_phase], self._source
            due_s = stretch.arrivals.due(self._drawn_s, source.block, source.when)
            code = self._codes(source, due_s.size)
            if stretch.arrivals.is_open:
                self._drawn_s = float(due_s[-1]) if due_s.size else stretch.end_s - stretch.begin_s
                due_s = stretch.begin_s + due_s
                due_s, code = self._with_maintenance(due_s, code, stretch.begin_s + self._drawn_s)
            if due_s.size:
                return self._block(stretch, source, due_s, code)
            self.end_phase()
        return None

    def end_phase(self) -> None:
        """Go on with the next phase."""
        self._next_phase += 1
        self._drawn_s = 0.0
        self._source = self._begin()

    def state(self) -> Tree:
        """Where in the schedule and in its streams of chance the next block begins."""
        source = self._source
        streams = () if source is None else (source.when, source.what, source.which)
        return {
            "live": self._live.state(),
            "next_phase": self._next_phase,
            "drawn_s": self._drawn_s,
            "maintained_s": self._maintained_s,
            "streams": [stream.bit_generator.state for stream in streams],
        }

    def restore(self, tree: Tree) -> None:
        """Go on there: the next block is the same, bit for bit."""
        self._live.restore(tree["live"])
        self._next_phase = tree["next_phase"]
        self._source = source = self._begin()
        self._drawn_s, self._maintained_s = tree["drawn_s"], tree["maintained_s"]
        streams = () if source is None else (source.when, source.what, source.which)
        for stream, state in zip(streams, tree["streams"], strict=True):
            stream.bit_generator.state = state

    def bounds(self, phase: int) -> tuple[bool, float, float]:
        """Whether that phase is open, when it begins and when it ends."""
        stretch = self.phases[phase]
        return stretch.arrivals.is_open, stretch.begin_s, stretch.end_s

    def phase_at(self, t_s: float) -> int:
        """The index of the phase at that time; before the first and after the last, the nearest."""
        ends_s = [stretch.end_s for stretch in self.phases]
        return min(int(np.searchsorted(ends_s, t_s, side="right")), len(ends_s) - 1)

    def offered_rate(self, at_s: float) -> float:
        """Operations per second asked for at that time; nan in a closed phase, 0 at the end."""
        if at_s >= self.total_s:
            return 0.0
        stretch = self.phases[self.phase_at(at_s)]
        return stretch.arrivals.expected_rate(max(0.0, at_s - stretch.begin_s))

    def _begin(self) -> _Source | None:
        if self._next_phase >= len(self.phases):
            return None
        stretch = self.phases[self._next_phase]
        self._maintained_s = max(self._maintained_s, stretch.begin_s)
        return _source(self._scenario, stretch)

    def _codes(self, source: _Source, count: int) -> Bytes:
        positions = np.searchsorted(source.shares, source.what.random(count), side="right")
        codes: Bytes = source.codes[positions]
        return codes

    def _with_maintenance(self, due_s: Floats, code: Bytes, until_s: float) -> tuple[Floats, Bytes]:
        """Put explicit maintenance in between, at whole multiples of the scenario's interval."""
        every_s = self._scenario.maintain_every
        if every_s is None:
            return due_s, code
        first = int(self._maintained_s // every_s) + 1
        last = int(until_s // every_s)
        self._maintained_s = until_s
        extra_s = np.arange(first, last + 1) * every_s
        merged_s = np.concatenate((due_s, extra_s))
        merged = np.concatenate((code, np.full(extra_s.size, MAINTAIN, dtype=np.uint8)))
        order = np.argsort(merged_s, kind="stable")
        return merged_s[order], merged[order]

    def _block(self, stretch: Stretch, source: _Source, due_s: Floats, code: Bytes) -> Block:
        code = self._feasible(source, code)
        return Block(
            phase=stretch.index,
            is_open=stretch.arrivals.is_open,
            begin_s=stretch.begin_s,
            end_s=stretch.end_s,
            due_s=due_s,
            operation=code,
            argument=self._arguments(source, code),
        )

    def _feasible(self, source: _Source, code: Bytes) -> Bytes:
        """Store instead where an operation needs a record and there is none, or too few."""
        storing = source.codes[source.codes <= STORE_BATCH]
        if not storing.size:
            return code
        if not self._live.count:
            return np.where(NEEDS_RECORD[code], storing[0], code)
        deletes = np.flatnonzero(code == DELETE)
        code[deletes[max(0, self._live.count - 1) :]] = storing[0]
        return code

    def _arguments(self, source: _Source, code: Bytes) -> Integers:
        """Victims first, then what is used, then what is new: see the top."""
        live, rng, draw = self._live, source.which, source.draw
        argument = np.zeros(code.size, dtype=np.int64)
        deletes = np.flatnonzero(code == DELETE)
        if deletes.size:
            victims = live.take_victims(deletes.size, draw, rng)
            argument[deletes] = max(0, live.next_key - 1)  # nothing left: a key that is gone
            argument[deletes[: victims.size]] = rng.permutation(victims)
        used = np.flatnonzero(KEYED[code])
        if used.size and live.count:
            choose = live.latest if source.is_latest else live.popular
            argument[used] = choose(used.size, draw, rng)
        stores = np.flatnonzero(code <= STORE_BATCH)
        if stores.size:
            batch = self._scenario.population.batch
            sizes = np.where(code[stores] == STORE_BATCH, batch, 1)
            ends = np.cumsum(sizes)
            argument[stores] = live.store(int(ends[-1]), rng) + ends - sizes
        return argument


def _laid_out(scenario: Scenario) -> tuple[Stretch, ...]:
    stretches: list[Stretch] = []
    turns = scenario.turns
    for index, phase in enumerate(scenario.phases):
        begin_s = stretches[-1].end_s if stretches else 0.0
        rate_per_s = phase.rate or scenario.rate
        build = plugins.load("arrivals", phase.arrivals.kind).build
        worked_s = phase.duration / 2 if turns else phase.duration
        drawn = build(phase.arrivals.params, rate_per_s, worked_s)
        stretches.append(
            Stretch(
                index=index,
                begin_s=begin_s,
                end_s=begin_s + phase.duration,
                rate_per_s=rate_per_s,
                arrivals=InTurns(drawn=drawn, every_s=turns.every) if turns else drawn,
            )
        )
    return tuple(stretches)


def _source(scenario: Scenario, stretch: Stretch) -> _Source:
    phase: Phase = scenario.phases[stretch.index]
    seeds = np.random.SeedSequence([scenario.seed, stretch.index]).spawn(3)
    when, what, which = (np.random.default_rng(seed) for seed in seeds)
    weights = np.array([phase.mix.get(name, 0.0) for name in OPERATIONS])
    codes = np.flatnonzero(weights).astype(np.uint8)
    shares = np.cumsum(weights[codes])
    return _Source(
        when=when,
        what=what,
        which=which,
        codes=codes,
        shares=shares[:-1] / shares[-1],  # above the last bound is the last operation
        draw=draw_of(phase.popularity, scenario.population.keys),
        is_latest=phase.popularity.kind == "latest",
        block=_block_size(stretch),
    )


def _block_size(stretch: Stretch) -> int:
    """A power of two near the operations of BLOCK_S, within bounds."""
    if not stretch.arrivals.is_open:
        return CLOSED_BLOCK
    wanted = max(1, round(stretch.rate_per_s * BLOCK_S))
    return min(LARGEST_BLOCK, max(SMALLEST_BLOCK, 1 << wanted.bit_length() - 1))
