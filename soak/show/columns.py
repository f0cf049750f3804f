"""Which sampled column becomes which metric? The table, and nothing else."""

# Column of the series, metric, type, help. What a target says of itself has names that nobody
# knows beforehand; those columns become labels of soak_target_reported.
TARGET = (
    ("resident_bytes", "soak_target_resident_bytes", "gauge", "Resident memory."),
    (
        "anonymous_bytes",
        "soak_target_anonymous_bytes",
        "gauge",
        "Anonymous memory: what a leak grows; the page cache is not in it.",
    ),
    (
        "proportional_bytes",
        "soak_target_proportional_bytes",
        "gauge",
        "Memory, with shared pages divided among those who share them.",
    ),
    (
        "resident_counted_bytes",
        "soak_target_resident_counted_bytes",
        "gauge",
        "Resident memory as the kernel counts along; lags, but is there for foreign processes.",
    ),
    (
        "anonymous_counted_bytes",
        "soak_target_anonymous_counted_bytes",
        "gauge",
        "Anonymous memory as the kernel counts along; lags, but is there for foreign processes.",
    ),
    ("uss_bytes", "soak_target_unique_bytes", "gauge", "Memory that no other process shares."),
    ("swapped_bytes", "soak_target_swapped_bytes", "gauge", "Memory that was moved to swap."),
    (
        "accounted_bytes",
        "soak_target_accounted_bytes",
        "gauge",
        "Memory that the target itself accounts for.",
    ),
    ("used_heap_bytes", "soak_target_used_heap_bytes", "gauge", "Heap in use, by the target."),
    ("tombstones", "soak_target_tombstones", "gauge", "Deleted records not yet cleared away."),
    ("tombstone_bytes", "soak_target_tombstone_bytes", "gauge", "What those records take."),
    ("disk_bytes", "soak_target_disk_bytes", "gauge", "Size of all files of the target."),
    (
        "disk_allocated_bytes",
        "soak_target_disk_allocated_bytes",
        "gauge",
        "Disk blocks that the target's files take.",
    ),
    (
        "disk_free_bytes",
        "soak_target_disk_free_bytes",
        "gauge",
        "Room left where the target's files are.",
    ),
    ("disk_files", "soak_target_disk_files", "gauge", "Files of the target."),
    ("open_fds", "soak_target_open_fds", "gauge", "Open file descriptors."),
    ("threads", "soak_target_threads", "gauge", "Threads of the target's processes."),
    ("processes", "soak_target_processes", "gauge", "Processes of the target."),
    ("cpu_s", "soak_target_cpu_seconds_total", "counter", "Processor time of the target."),
    (
        "cpu_wait_s",
        "soak_target_cpu_wait_seconds_total",
        "counter",
        "Time for which the target's threads were ready to run and had to wait.",
    ),
    (
        "faults_major",
        "soak_target_major_faults_total",
        "counter",
        "Page faults that had to read from disk.",
    ),
    (
        "faults_minor",
        "soak_target_minor_faults_total",
        "counter",
        "Page faults that had not to read from disk.",
    ),
    ("read_bytes", "soak_target_read_bytes_total", "counter", "Bytes read from storage."),
    ("written_bytes", "soak_target_written_bytes_total", "counter", "Bytes sent to storage."),
    (
        "tcp_sent_bytes",
        "soak_target_tcp_sent_bytes_total",
        "counter",
        "Bytes that the target's TCP connections carried out, at least.",
    ),
    (
        "tcp_received_bytes",
        "soak_target_tcp_received_bytes_total",
        "counter",
        "Bytes that the target's TCP connections carried in, at least.",
    ),
)
TESTER = (
    ("tester_resident_bytes", "soak_tester_resident_bytes", "gauge", "The tester's own memory."),
    (
        "tester_anonymous_bytes",
        "soak_tester_anonymous_bytes",
        "gauge",
        "The tester's own memory without the page cache.",
    ),
    ("tester_open_fds", "soak_tester_open_fds", "gauge", "The tester's open file descriptors."),
    ("tester_threads", "soak_tester_threads", "gauge", "The tester's threads."),
    (
        "tester_cpu_s",
        "soak_tester_cpu_seconds_total",
        "counter",
        "The tester's own processor time.",
    ),
)
HOST = (
    ("host_load_1m", "soak_host_load1", "gauge", "Tasks running or waiting, over a minute."),
    ("host_cpus", "soak_host_cpus", "gauge", "Processors of the machine."),
    (
        "host_busy_s",
        "soak_host_busy_seconds_total",
        "counter",
        "Processor time spent by everybody since the machine started.",
    ),
    ("host_available_bytes", "soak_host_available_bytes", "gauge", "Memory left without swapping."),
    (
        "host_limit_bytes",
        "soak_host_limit_bytes",
        "gauge",
        "Memory that the control group, else the machine, allows.",
    ),
    (
        "host_limit_cpus",
        "soak_host_limit_cpus",
        "gauge",
        "Processors whose time the control group, else the machine, allows.",
    ),
    (
        "host_steal_ratio",
        "soak_host_steal_ratio",
        "gauge",
        "Share of processor time that the hypervisor took away.",
    ),
    (
        "host_cpu_pressure_ratio",
        "soak_host_cpu_pressure_ratio",
        "gauge",
        "Share of time in which a task waited for a processor.",
    ),
    (
        "host_memory_pressure_ratio",
        "soak_host_memory_pressure_ratio",
        "gauge",
        "Share of time in which a task waited for memory.",
    ),
    (
        "host_io_pressure_ratio",
        "soak_host_io_pressure_ratio",
        "gauge",
        "Share of time in which a task waited for storage.",
    ),
    (
        "host_throttled_s",
        "soak_host_throttled_seconds_total",
        "counter",
        "Time for which the control group held its tasks back.",
    ),
    (
        "host_clock_step_s_max",
        "soak_host_clock_step_seconds",
        "gauge",
        "How far wall time moved against monotonic time since the last sample.",
    ),
    (
        "host_loopback_bytes",
        "soak_host_loopback_bytes_total",
        "counter",
        "Bytes over loopback in this name space, by everybody.",
    ),
    (
        "host_sent_bytes",
        "soak_host_sent_bytes_total",
        "counter",
        "Bytes out of this name space's other devices, by everybody.",
    ),
    (
        "host_received_bytes",
        "soak_host_received_bytes_total",
        "counter",
        "Bytes into this name space's other devices, by everybody.",
    ),
)
RESOURCES = (*TARGET, *TESTER, *HOST)
REPORTED = "reported_"
