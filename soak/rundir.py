"""Where does a run live? One directory: the interface of two processes, the record, the evidence.

    scenario.yaml      resolved; running it again repeats the run
    environment.json   machine, versions, command
    ring.bin           schedule and results in flight              (controller and worker, mapped)
    population.bin     the oracle's state per key                  (worker, mapped)
    worker.jsonl       what the worker and the target said         (worker appends)
    events.jsonl       what happened when                          (controller appends)
    windows.csv        a row per window and operation              (controller appends)
    samples.csv        a row per sample                            (controller appends)
    verdicts.jsonl     every change of a check's status            (controller appends)
    histograms.npz     the run's latency, service and lateness counts
    checkpoint.json    how far the run is
    report.json        the last snapshot;  report.html the same for people
    data/              the target's own files

Each file has one writer. Whole files are replaced atomically, logs are appended line by line, so
the worst a crash leaves is one torn last line.
"""

import csv
import errno
import io
import json
import math
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from soak.clock import iso_utc
from soak.verdict import Mistake


class RunDirError(Mistake):
    """The run directory cannot be made or written; the message says which path and why."""


class RunDirectory:
    """The paths of one run, and atomic writing into them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scenario = path / "scenario.yaml"
        self.environment = path / "environment.json"
        self.ring = path / "ring.bin"
        self.population = path / "population.bin"
        self.worker_log = path / "worker.jsonl"
        self.events = path / "events.jsonl"
        self.windows = path / "windows.csv"
        self.samples = path / "samples.csv"
        self.verdicts = path / "verdicts.jsonl"
        self.histograms = path / "histograms.npz"
        self.checkpoint = path / "checkpoint.json"
        self.report = path / "report.json"
        self.report_html = path / "report.html"
        self.data = path / "data"

    @staticmethod
    def named(out: Path, scenario: str, wall_s: float) -> "RunDirectory":
        """A new name `<UTC time>-<scenario>-<id>` below out; nothing is made yet."""
        stamp = iso_utc(wall_s)[:19].replace(":", "").replace("-", "")
        return RunDirectory(out / f"{stamp}Z-{scenario}-{secrets.token_hex(3)}")

    def make(self) -> None:
        """Make the directory; raises RunDirError when it cannot be."""
        try:
            self.data.mkdir(parents=True)
        except OSError as error:
            raise RunDirError(
                f"{self.path}: cannot make the run directory: {error.strerror}; pass --out DIR"
            ) from error

    @property
    def run_id(self) -> str:
        return self.path.name

    def replace(self, path: Path, content: bytes) -> None:
        """Write a whole file so that a reader sees the old one or the new one, never a part."""
        partial = path.with_name(path.name + ".partial")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise RunDirError(f"{path}: cannot be written: {error.strerror}") from error

    def replace_json(self, path: Path, document: Mapping[str, object]) -> None:
        text = json.dumps(finite(document), indent=1, allow_nan=False)
        self.replace(path, text.encode() + b"\n")


class LineLog:
    """A file that grows by whole lines. When the disk is full it stops, and says since when."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._path = path
        self.trouble = ""

    def append(self, line: str) -> None:
        if self.trouble:
            return
        content = line.encode() + b"\n"
        try:
            written = self._file.write(content)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
                raise RunDirError(f"{self._path}: cannot be written: {error.strerror}") from error
            self.trouble = f"{self._path.name}: {error.strerror}"
            return
        if written != len(content):
            self.trouble = f"{self._path.name}: only part of a line could be written"

    def append_json(self, document: Mapping[str, object]) -> None:
        self.append(json.dumps(finite(document), allow_nan=False))

    def append_row(self, row: Sequence[object]) -> None:
        """One CSV row; a float that is not finite becomes an empty field."""
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow([_field(value) for value in row])
        self.append(buffer.getvalue())

    def close(self) -> None:
        self._file.close()


def finite(value: object) -> object:
    """The same with every nan and infinity as None, which is what JSON can say."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value


def _field(value: object) -> object:
    if not isinstance(value, float):
        return value
    return f"{value:.9g}" if math.isfinite(value) else ""
