"""What does the engine say of itself? One flat dictionary; every name ends in its unit."""

from pathlib import Path

import numpy as np

from engine.commit import Commit
from engine.compaction import candidate, garbage_bytes
from engine.health import Health, Vitals, judge
from engine.history import History
from engine.live import Live
from engine.log import Log
from engine.maintenance import Maintenance
from engine.options import Options
from engine.pulse import Pulse
from engine.recovery import Recovery
from engine.search import Search
from engine.tiers import Tier
from engine.writer import Writer


class Stats:
    """Reads all parts, changes none."""

    def __init__(
        self,
        *,
        log: Log,
        live: Live,
        writer: Writer,
        commit: Commit,
        search: Search,
        maintenance: Maintenance,
        history: History,
        pulse: Pulse,
        recovery: Recovery,
        options: Options,
    ) -> None:
        self._log = log
        self._live = live
        self._writer = writer
        self._commit = commit
        self._search = search
        self._maintenance = maintenance
        self._history = history
        self._pulse = pulse
        self._recovery = recovery
        self._options = options

    def health(self) -> Health:
        """Judged now."""
        return judge(
            Vitals(
                fill_ratio=self._maintenance.pressure().fill_ratio,
                amplification_ratio=self.amplification_ratio(),
                backlog_segments=self._backlog(),
                slowdown_ratio=self._pulse.slowdown_ratio(),
                recall_ratio=self._search.recall_ratio,
                error_ratio=self._pulse.error_ratio(),
                can_write=self._commit.failure is None,
                is_maintained=not self._maintenance.has_died,
            )
        )

    def amplification_ratio(self) -> float:
        """Log bytes per live byte. Two segments of garbage are nobody's fault: they count not."""
        live = self._log.live_bytes
        slack = 2 * self._options.segment_bytes
        return max(self._log.total_bytes - slack, live) / max(live, 1)

    def _backlog(self) -> int:
        segments = list(self._log.segments.values())
        worst = self._options.garbage_ratio
        return sum(
            segment.is_sealed and garbage_bytes(self._log, segment) >= worst * segment.end
            for segment in segments
        )

    def as_dict(self) -> dict[str, float]:
        """Counts are since open unless they say live; bytes are exact, see docs/engine/stats.md."""
        health = self.health()
        figures: dict[str, float] = {"health_ratio": health.score}
        for name, value in health.components.items():
            figures[f"health_{name}_ratio"] = value
        figures |= self._records() | self._memory() | self._disk() | self._upkeep()
        return {name: float(value) for name, value in figures.items()}

    def _records(self) -> dict[str, float]:
        totals = self._live.totals
        with self._live.lock:
            n = self._live.columns.n
            tiers = np.bincount(self._live.columns.tier[:n], minlength=len(Tier))
            pinned = int(self._live.columns.pinned[:n].sum())
        figures: dict[str, float] = {
            "records_live_count": n,
            "records_pinned_count": pinned,
            "records_stored_count": totals.stored,
            "records_replaced_count": totals.replaced,
            "records_deleted_count": totals.deleted,
            "records_evicted_count": totals.evicted,
            "records_expired_count": totals.expired,
            "records_consolidated_count": totals.consolidated,
            "records_damaged_count": totals.damaged,
            "evictions_inline_count": self._writer.inline_eviction_count,
            "capacity_records_count": self._options.capacity_records,
            "edges_live_count": self._live.graph.n,
            "agents_live_count": len(self._live.by_agent),
        }
        for tier in Tier:
            figures[f"tier_{tier.name.lower()}_count"] = int(tiers[tier])
        return figures

    def _memory(self) -> dict[str, float]:
        with self._live.lock:
            parts = self._live.accounted_bytes()
        figures: dict[str, float] = {f"accounted_{k}_bytes": v for k, v in parts.items()}
        figures["accounted_bytes"] = sum(parts.values())
        return figures

    def _disk(self) -> dict[str, float]:
        log = self._log
        segments = list(log.segments.values())
        files = [path for path in log.directory.iterdir() if path.suffix != ".tmp"]
        sizes = {path.name: _allocated(path) for path in files}
        live = log.live_bytes
        return {
            "disk_live_bytes": live,
            "disk_dead_bytes": log.dead_bytes,
            "disk_total_bytes": sum(sizes.values()),
            "disk_checkpoint_bytes": sum(v for k, v in sizes.items() if k.endswith(".ckpt")),
            "disk_ballast_bytes": sizes.get("ballast", 0),
            "log_bytes": log.total_bytes,
            "log_appended_bytes": log.appended_bytes,
            "amplification_ratio": self.amplification_ratio(),
            "garbage_ratio": log.dead_bytes / max(log.total_bytes, 1),
            "segments_count": len(segments),
            "tombstones_count": sum(len(segment.tombstones) for segment in segments),
            "tombstones_bytes": sum(segment.tombstone_bytes for segment in segments),
            "fsync_count": log.syncs,
            "fsync_last_s": log.sync_s_last,
            "commit_groups_count": self._commit.groups,
        }

    def _upkeep(self) -> dict[str, float]:
        history = self._history
        figures: dict[str, float] = {
            "maintenance_busy_s": history.busy_s,
            "maintenance_reclaimed_bytes": history.reclaimed_bytes,
            "maintenance_backlog_count": self._backlog(),
            "maintenance_failed_count": self._maintenance.failed_count,
            "compaction_waiting_count": float(
                candidate(self._log, self._options.garbage_ratio) is not None
            ),
            "recall_probe_ratio": self._search.recall_ratio,
            "search_candidates_count": self._search.candidates_last,
            "search_corrupt_count": self._search.skipped_corrupt,
            "recovery_s": self._recovery.duration_s,
            "recovery_walked_count": self._recovery.walked_count,
            "recovery_lost_count": self._recovery.lost_count,
            "recovery_damaged_count": len(self._recovery.damaged),
            "recovery_cut_bytes": self._recovery.cut_bytes,
        }
        for kind, count in list(history.counts.items()):
            figures[f"events_{kind}_count"] = count
        return figures


def _allocated(path: Path) -> int:
    """Bytes the file takes on the disk; 0 if it has just been unlinked."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0
