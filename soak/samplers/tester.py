"""What does the tester itself take? Memory, CPU, files and threads of the controller process."""

from collections.abc import Callable, Mapping
from pathlib import Path

from soak.clock import NS_PER_S, process_cpu_ns
from soak.samplers.process import PROC, parse_fields
from soak.seams import SampleError, Sampler, Subject


class TesterSampler:
    """Reads the process it runs in, and not its children: the worker is the target's cost."""

    def __init__(self, proc: Path, cpu_ns: Callable[[], int]) -> None:
        self._home = proc / "self"
        self._cpu_ns = cpu_ns

    def sample(self) -> Mapping[str, float]:
        try:
            memory = parse_fields((self._home / "smaps_rollup").read_text())
            status = parse_fields((self._home / "status").read_text())
            open_fds = sum(1 for _ in (self._home / "fd").iterdir())
        except OSError as error:
            raise SampleError(f"{self._home} cannot be read: {error}") from error
        return {
            "tester_resident_bytes": float(memory["Rss"]),
            "tester_anonymous_bytes": float(memory["Anonymous"]),
            "tester_threads": float(status["Threads"]),
            "tester_open_fds": float(open_fds),
            "tester_cpu_s": self._cpu_ns() / NS_PER_S,
        }


def build(
    subject: Subject, proc: Path = PROC, cpu_ns: Callable[[], int] = process_cpu_ns
) -> Sampler:
    """The sampler of this very process. proc: where /proc is; cpu_ns: this process's CPU time."""
    return TesterSampler(proc, cpu_ns)
