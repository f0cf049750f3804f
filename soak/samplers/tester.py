"""What does the tester itself take? Memory, CPU, files and threads of the controller process."""

from collections.abc import Mapping
from pathlib import Path

import psutil

from soak.samplers.process import PROC, parse_fields
from soak.seams import SampleError, Sampler, Subject


class TesterSampler:
    """Reads the process it runs in, and not its children: the worker is the target's cost."""

    def __init__(self, proc: Path) -> None:
        self._rollup = proc / "self" / "smaps_rollup"
        self._process = psutil.Process()

    def sample(self) -> Mapping[str, float]:
        try:
            # psutil knows no anonymous bytes, which are what a leak of ours would be.
            memory = parse_fields(self._rollup.read_text())
            with self._process.oneshot():
                cpu = self._process.cpu_times()
                return {
                    "tester_resident_bytes": float(memory["Rss"]),
                    "tester_anonymous_bytes": float(memory["Anonymous"]),
                    "tester_threads": float(self._process.num_threads()),
                    "tester_open_fds": float(self._process.num_fds()),
                    "tester_cpu_s": cpu.user + cpu.system,
                }
        except (OSError, psutil.Error) as error:
            raise SampleError(f"the tester's own process cannot be read: {error}") from error


def build(subject: Subject, proc: Path = PROC) -> Sampler:
    """The sampler of this very process. proc: where /proc is."""
    return TesterSampler(proc)
