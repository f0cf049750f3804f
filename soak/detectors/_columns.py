"""Which columns of a run's series can a check name?

What the samplers read, what soak/watch adds to it, and, as reported_NAME, whatever a target says of
itself besides: of those nobody knows the names. tests/detectors/test_columns.py holds the list
against a run's own.
"""

from typing import Annotated

from pydantic import AfterValidator

from soak.plugins import nearest
from soak.result import OPERATIONS

REPORTED = "reported_"
_OF_PROCESSES = (
    *("processes", "threads", "open_fds", "cpu_s", "cpu_wait_s", "faults_minor", "faults_major"),
    *("resident_bytes", "proportional_bytes", "uss_bytes", "anonymous_bytes", "swapped_bytes"),
    *("resident_counted_bytes", "anonymous_counted_bytes", "bare_bytes"),
    *("read_bytes", "written_bytes", "tcp_sent_bytes", "tcp_received_bytes"),
)
_OF_DISK = ("disk_bytes", "disk_allocated_bytes", "disk_files", "disk_free_bytes")
_OF_HOST = (
    *("host_busy_s", "host_cpus", "host_steal_ratio", "host_load_1m", "host_throttled_s"),
    *("host_available_bytes", "host_limit_bytes", "host_limit_cpus", "host_clock_step_s_max"),
    *(f"host_{kind}_pressure_ratio" for kind in ("cpu", "memory", "io")),
    *("host_loopback_bytes", "host_received_bytes", "host_sent_bytes"),
)
_OF_TESTER = (
    *("tester_resident_bytes", "tester_anonymous_bytes", "tester_threads", "tester_open_fds"),
    "tester_cpu_s",
)
# The same for every target that says them (soak/samplers/reported.py).
_OF_TARGET = ("accounted_bytes", "used_heap_bytes", "tombstones", "tombstone_bytes", "health_ratio")
_OF_RUN = (
    *("t_s", "offered_per_s", "achieved_per_s", "stall_s_max", "control_s", "recall", "score"),
    *("live_records", "operations_total", "errors_total", "violations_total"),
    *("stored_total", "deleted_total", "evicted_total"),
    *(
        f"{operation}_{measure}{quantile}_s"
        for operation in OPERATIONS
        for measure in ("", "service_")
        for quantile in ("p50", "p99")
    ),
)
COLUMNS = frozenset((*_OF_PROCESSES, *_OF_DISK, *_OF_HOST, *_OF_TESTER, *_OF_TARGET, *_OF_RUN))


def known_column(name: str) -> str:
    """The name, if runs may have such a column; raises ValueError with the nearest one."""
    if name not in COLUMNS and not name.startswith(REPORTED):
        example = "anonymous_bytes, disk_allocated_bytes, open_fds, live_records"
        own = f"{REPORTED}NAME of what the target says of itself"
        near = nearest(name, COLUMNS)
        raise ValueError(f"{name!r} is no column; there are {example}, ... and {own}{near}")
    return name


Column = Annotated[str, AfterValidator(known_column)]
