"""Where does a run live? One directory: the interface of two processes, the record, the evidence.

    scenario.yaml      resolved; running it again repeats the run
    environment.json   machine, versions, command
    ring.bin           schedule and results in flight              (controller and worker, mapped)
    ring.bin.new       the ring of a run that goes on, until it takes the old one's place
    population.bin     the oracle's state per key                  (worker, mapped)
    worker.jsonl       what the worker and the target said         (worker appends)
    worker.stderr      what the target and its libraries printed   (worker)
    events.jsonl       what happened when                          (controller appends)
    windows.csv        a row per window and operation              (controller appends)
    operations.csv     the slowest operations, and failed ones     (controller appends)
    samples.csv        a row per sample                            (controller appends)
    verdicts.jsonl     every change of a check's status            (controller appends)
    histograms.npz     the run's latency, service and lateness counts
    checkpoint.bin     what the controller knows, every ten seconds: see soak/watch/checkpoint.py
    checkpoint.json    how far the run came
    gate.json          what --baseline and --threshold asked, for who goes on
    profile.request.json  how long the worker is to sample itself     (soak profile)
    profile.txt        folded stacks of the worker, profile.svg drawn of them
    comparison.json    against the baseline of --baseline;  comparison.md the same for people
    benchmark.json     what a benchmark found                       (soak bench)
    backlog/           what the receiver of remote write has not taken yet
    report.json        the last snapshot;  report.html the same for people
    data/              the target's own files

Each file has one writer. Whole files are replaced atomically, logs are appended line by line, so
the worst a crash leaves is one torn last line.
"""

import csv
import errno
import fcntl
import io
import json
import math
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from soak.clock import iso_utc
from soak.verdict import Mistake

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
ROOM = "make room there, or pass --out DIR on another disk"


class RunDirError(Mistake):
    """The run directory cannot be made or written; the message says which path and why."""


class RunDirectory:
    """The paths of one run, and atomic writing into them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scenario = path / "scenario.yaml"
        self.environment = path / "environment.json"
        self.ring = path / "ring.bin"
        self.ring_to_be = path / "ring.bin.new"
        self.population = path / "population.bin"
        self.worker_log = path / "worker.jsonl"
        self.events = path / "events.jsonl"
        self.windows = path / "windows.csv"
        self.operations = path / "operations.csv"
        self.samples = path / "samples.csv"
        self.verdicts = path / "verdicts.jsonl"
        self.histograms = path / "histograms.npz"
        self.checkpoint = path / "checkpoint.json"
        self.resumable = path / "checkpoint.bin"
        self.gate = path / "gate.json"
        self.comparison = path / "comparison.json"
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

    def discard(self) -> None:
        """Remove what `make` made and everything in it: a run that never began is none."""
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def run_id(self) -> str:
        return self.path.name

    def claim(self, path: Path) -> int | None:
        """Hold that directory of the run until this process ends; None where another one does.

        The number is that of a descriptor, which holds it while it is open. Raises RunDirError.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise RunDirError(
                f"{path}: cannot be opened: {error.strerror}; a run directory has it"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def release(self, held: int) -> None:
        os.close(held)

    def replace(self, path: Path, *pieces: bytes | memoryview, is_synced: bool = True) -> None:
        """Write a whole file so that a reader sees the old one or the new one, never a part.

        pieces: its content, one after another. is_synced: so that it survives a power failure, too.
        """
        partial = path.with_name(path.name + ".partial")
        try:
            with partial.open("wb") as file:
                file.writelines(pieces)
                file.flush()
                if is_synced:
                    os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise unwritable(path, error) from error

    def replace_json(self, path: Path, document: Mapping[str, object]) -> None:
        text = json.dumps(finite(document), indent=1, allow_nan=False)
        self.replace(path, text.encode() + b"\n")


def unwritable(path: Path, error: OSError) -> RunDirError:
    """What to raise where a file of the run directory cannot be written, with the remedy."""
    remedy = f"; {ROOM}" if error.errno in FULL else ""
    return RunDirError(f"{path}: cannot be written: {error.strerror}{remedy}")


class LineLog:
    """A file that grows by whole lines. What a full disk refuses is lost, and counted.

    Every line is tried again, so the log goes on when there is room. trouble: why a line was lost
    first, empty while none was; lost_count: how many were.
    """

    def __init__(self, path: Path) -> None:
        """Raises RunDirError."""
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise unwritable(path, error) from error
        self._path = path
        self.name = path.name
        self._head = b""
        self.trouble = ""
        self.lost_count = 0

    @property
    def offset(self) -> int:
        """How many bytes the file has."""
        return os.fstat(self._file.fileno()).st_size

    def begin(self, head: str) -> None:
        """Let this line come first: before the first one that finds room, in an empty file."""
        self._head = head.encode() + b"\n" if not self.offset else b""

    def append(self, line: str) -> None:
        """Raises RunDirError for anything but a disk that is full or failing."""
        content = self._head + line.encode() + b"\n"
        try:
            written = self._file.write(content)
        except OSError as error:
            if error.errno not in FULL:
                raise unwritable(self._path, error) from error
            self._lose(error.errno)
            return
        if written != len(content):
            # Half a line would spoil the next one.
            self._file.truncate(self._file.tell() - written)
            self._lose(errno.ENOSPC)
            return
        self._head = b""

    def _lose(self, number: int) -> None:
        self.lost_count += 1
        self.trouble = self.trouble or f"{self._path.name}: {os.strerror(number)}"

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
