"""Which sampled column becomes which metric? The table, and nothing else."""

# Column of the series, metric, type, help. What a target says of itself has names that nobody
# knows beforehand; those columns become labels of soak_target_reported.
RESOURCES = (
    ("resident_bytes", "soak_target_resident_bytes", "gauge", "Resident memory."),
    (
        "anonymous_bytes",
        "soak_target_anonymous_bytes",
        "gauge",
        "Anonymous memory: what a leak grows; the page cache is not in it.",
    ),
    ("uss_bytes", "soak_target_unique_bytes", "gauge", "Memory that no other process shares."),
    (
        "accounted_bytes",
        "soak_target_accounted_bytes",
        "gauge",
        "Memory that the target itself accounts for.",
    ),
    ("disk_bytes", "soak_target_disk_bytes", "gauge", "Size of all files of the target."),
    (
        "disk_allocated_bytes",
        "soak_target_disk_allocated_bytes",
        "gauge",
        "Disk blocks the target's files take.",
    ),
    ("disk_files", "soak_target_disk_files", "gauge", "Files of the target."),
    ("open_fds", "soak_target_open_fds", "gauge", "Open file descriptors."),
    ("threads", "soak_target_threads", "gauge", "Threads of the target's processes."),
    ("cpu_s", "soak_target_cpu_seconds_total", "counter", "Processor time of the target."),
    (
        "faults_major",
        "soak_target_major_faults_total",
        "counter",
        "Page faults that had to read from disk.",
    ),
    ("read_bytes", "soak_target_read_bytes_total", "counter", "Bytes read from storage."),
    ("written_bytes", "soak_target_written_bytes_total", "counter", "Bytes sent to storage."),
    ("tester_resident_bytes", "soak_tester_resident_bytes", "gauge", "The tester's own memory."),
    (
        "tester_cpu_s",
        "soak_tester_cpu_seconds_total",
        "counter",
        "The tester's own processor time.",
    ),
)
REPORTED = "reported_"
