"""Where does memory go, and is it a leak? Everything about size on one page."""

from grafanalib.core import Dashboard

from dashboards.board import Row, board
from dashboards.panels import curve, dashed, table, tile
from dashboards.queries import now, per_s, summed


def memory() -> Dashboard:
    return board(
        "memory",
        "Soak / Memory and leaks",
        "Where does memory go, and is it a leak?",
        [estimates(), sizes(), densities(), pieces()],
    )


def estimates() -> Row:
    """What the leak detector measured, with the bounds of its interval."""
    trend = "predict_linear(soak_target_anonymous_bytes{%s}[30m], 4 * 3600)"
    ahead = trend % 'scenario=~"$scenario", target=~"$target"'
    return (
        "Leak",
        8,
        [
            (
                9,
                curve(
                    "Growth that live records do not explain",
                    "Per hour, with the bounds of its interval; a leak is above zero for good.",
                    "bytes",
                    (f"3600 * ({now('soak_leak_bytes_per_second')})", "{{resource}}"),
                    (f"3600 * ({now('soak_leak_bytes_per_second_low')})", "{{resource}} at least"),
                    (f"3600 * ({now('soak_leak_bytes_per_second_high')})", "{{resource}} at most"),
                    from_zero=False,
                ),
            ),
            (
                9,
                curve(
                    "Where it goes",
                    "Anonymous memory now and in four hours, going on as in the last half hour.",
                    "bytes",
                    (now("soak_target_anonymous_bytes"), "now"),
                    (ahead, "in four hours"),
                    overrides=[dashed("in four hours", "orange")],
                ),
            ),
            (
                6,
                table(
                    "Estimates",
                    "The newest estimate per check.",
                    (
                        "per hour",
                        "bytes",
                        f"3600 * max by (resource) ({now('soak_leak_bytes_per_second')})",
                    ),
                    (
                        "per operation",
                        "bytes",
                        f"max by (resource) ({now('soak_leak_bytes_per_operation')})",
                    ),
                    by=("resource",),
                ),
            ),
        ],
    )


def sizes() -> Row:
    return (
        "Sizes",
        8,
        [
            (
                12,
                curve(
                    "Memory by kind",
                    "Anonymous is what a leak grows; resident has the page cache of mapped files.",
                    "bytes",
                    (now("soak_target_anonymous_bytes"), "anonymous"),
                    (now("soak_target_resident_bytes"), "resident"),
                    (now("soak_target_proportional_bytes"), "proportional"),
                    (now("soak_target_swapped_bytes"), "swapped"),
                ),
            ),
            (
                12,
                curve(
                    "Disk",
                    "The target's files, the blocks they take, and what is left where they are.",
                    "bytes",
                    (now("soak_target_disk_bytes"), "files"),
                    (now("soak_target_disk_allocated_bytes"), "blocks"),
                ),
            ),
        ],
    )


def densities() -> Row:
    records = summed(now("soak_records"), "target")
    held = summed(now("soak_target_anonymous_bytes"), "target")
    disk = summed(now("soak_target_disk_bytes"), "target")
    return (
        "Per live record",
        8,
        [
            (
                8,
                curve(
                    "Memory per record",
                    "All of the process, so it falls at first.",
                    "bytes",
                    (f"{held} / {records}", "{{target}}"),
                ),
            ),
            (
                8,
                curve(
                    "Disk per record",
                    "Rises between compactions.",
                    "bytes",
                    (f"{disk} / {records}", "{{target}}"),
                ),
            ),
            (
                8,
                curve(
                    "Page faults",
                    "Minor ones grow with what is allocated and given back.",
                    "suffix:faults/s",
                    (summed(per_s("soak_target_minor_faults_total")), "minor"),
                    (summed(per_s("soak_target_major_faults_total")), "major"),
                ),
            ),
        ],
    )


def pieces() -> Row:
    return (
        "Other things that leak",
        7,
        [
            (
                8,
                curve(
                    "Open files",
                    "File descriptors of the target.",
                    "short",
                    (now("soak_target_open_fds"), "{{target}}"),
                ),
            ),
            (
                8,
                curve(
                    "Threads",
                    "Threads of the target.",
                    "short",
                    (now("soak_target_threads"), "{{target}}"),
                ),
            ),
            (
                8,
                tile(
                    "Live records",
                    "What memory may grow with.",
                    "short",
                    f"sum({now('soak_records')})",
                ),
            ),
        ],
    )
