"""What did a soak of a target show? A run directory as the table of a page in docs/targets/.

python -m tests.targets.figures RUN
"""

import csv
import json
import sys
from pathlib import Path

from soak.scenario.quantities import format_duration
from soak.sentences import figure

MIB = 1 << 20


def main(run: Path) -> None:
    report = json.loads((run / "report.json").read_text())
    verdict, resources, records = report["verdict"], report["resources"], report["records"]
    busy = report["certificate"]["host_pressure_ratio"]
    print(f"{report['scenario']}, {format_duration(round(report['duration_s']))}:", end=" ")
    print(f"**{verdict['status']}** (exit code {verdict['exit_code']}): {verdict['reason']}.")
    print(f"Somebody waited for a CPU {busy:.0%} of the time.\n")
    print("| operation | count | failed | p50 | p99 | p50 of the first window, of the last |")
    print("| --- | --- | --- | --- | --- | --- |")
    windows = list(csv.DictReader((run / "windows.csv").open()))
    for name, figures in report["operations"].items():
        outcomes, times = figures["outcomes"], figures["service_s"]
        failed = sum(outcomes[kind] for kind in ("wrong", "error", "timeout"))
        own = [row for row in windows if row["operation"] == name and row["phase"] != "warm-up"]
        medians = [said(float(row["service_p50_s"])) for row in own if int(row["ok"])]
        ends = f"{medians[0]}, {medians[-1]}" if medians else "-"
        print(f"| {name} | {figures['count']:,} | {failed:,} | ", end="")
        print(f"{said(times['p50'])} | {said(times['p99'])} | {ends} |")
    print(f"\n- records: {records['live']:,.0f} live at the end, {records['stored']:,.0f} stored")
    for column, name in (("anonymous_bytes", "memory"), ("disk_allocated_bytes", "disk")):
        seen = resources.get(column)
        if seen and seen["first"] is not None:
            print(f"- {name}: {seen['first'] / MIB:.1f} to {seen['last'] / MIB:.1f} MiB", end=", ")
            kib_each = seen["last"] / max(1, records["live"]) / 1024
            print(f"{kib_each:.1f} KiB for each live record, all in all")
    recall = report["recall"]
    if recall.get("mean") is not None:
        print(f"- recall@{recall['k']}: {recall['mean']:.3f}, last {recall['last']:.3f}")
    for check in report["checks"]:
        print(f"- {check['name']}: {check['status']}, {check['reason']}")


def said(seconds: float | None) -> str:
    return "-" if seconds is None else figure(seconds, "s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
