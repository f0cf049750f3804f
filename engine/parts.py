"""Of which parts does an open engine consist, and which of them know each other?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import access, allocator, manifest, recovery
from engine.ballast import Ballast
from engine.clock import Clock, SteadyClock
from engine.commit import Commit
from engine.disk import Disk
from engine.history import History
from engine.live import Live
from engine.log import Log
from engine.maintenance import Maintenance
from engine.options import Options
from engine.pulse import Pulse
from engine.recovery import Recovery
from engine.search import Search
from engine.stats import Stats
from engine.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What Engine talks to."""

    clock: SteadyClock
    live: Live
    writer: Writer
    search: Search
    maintenance: Maintenance
    history: History
    pulse: Pulse
    stats: Stats


def assemble(directory: Path, options: Options, clock: Clock, disk: Disk) -> Parts:
    """Recover what the directory holds and wire everything up; the caller holds the lock file.

    Raises what `engine.open` raises.
    """
    if options.tune_allocator:
        allocator.keep_flat()
    manifest.agree(disk, directory, options.dimensions)
    log = Log(disk, directory, options.dimensions, options.segment_bytes, options.step_bytes())
    live = Live(options, log)
    start_ns = clock.monotonic_ns()
    found = recovery.recover(disk, log, live)
    times = access.restore(directory, live)
    found.duration_s = (clock.monotonic_ns() - start_ns) / 1e9
    steady = _clock_after(clock, live, times)
    history = History(options.events_kept)
    if log.segments:
        _declare(found, live, history, steady)
    commit = Commit(log, live, steady, options)
    writer = Writer(log, live, commit, options, steady)
    search = Search(live)
    ballast = Ballast(disk, directory, options.ballast_size())
    maintenance = Maintenance(
        log=log,
        live=live,
        commit=commit,
        writer=writer,
        search=search,
        ballast=ballast,
        options=options,
        clock=steady,
        history=history,
    )
    writer.relieve = maintenance.relieve
    pulse = Pulse()
    stats = Stats(
        log=log,
        live=live,
        writer=writer,
        commit=commit,
        search=search,
        maintenance=maintenance,
        history=history,
        pulse=pulse,
        recovery=found,
        options=options,
    )
    _bury_what_is_lost(found, writer)
    return Parts(
        clock=steady,
        live=live,
        writer=writer,
        search=search,
        maintenance=maintenance,
        history=history,
        pulse=pulse,
        stats=stats,
    )


def _bury_what_is_lost(found: Recovery, writer: Writer) -> None:
    """For good: what told of it may be forgotten by the next opening."""
    if found.damaged:
        writer.bury_damaged(found.damaged)
    if found.unlinked:
        writer.bury_edges(found.unlinked)


def _clock_after(source: Clock, live: Live, times: access.Times) -> SteadyClock:
    """Engine time, which goes on from what is in the files; nothing in them is later than it."""
    columns = live.columns
    written_s = (columns.created[: columns.n], columns.accessed[: columns.n])
    steady = SteadyClock(source, written_s, times.now_s, times.lead_s)
    now_s = steady.now_s()
    for column in written_s:
        np.minimum(column, now_s, out=column)
    return steady


def _declare(found: Recovery, live: Live, history: History, clock: Clock) -> None:
    """Opening was a recovery, and cost so much."""
    history.add(
        "recover",
        start_s=clock.now_s() - found.duration_s,
        duration_s=found.duration_s,
        records=live.columns.n,
        bytes_reclaimed=found.cut_bytes,
        longest_pause_s=0.0,
        explicit=False,
    )


def release(live: Live) -> None:
    """Give back what a closed engine holds, memory and descriptors, whoever still has a reference.

    Its parts know each other, so without it they would wait for the garbage collector.
    """
    live.log.release()
    del live.columns, live.rows, live.graph, live.tiers
