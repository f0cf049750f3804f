"""What does a scrape cost? `python -m bench.scrape [--json FILE]`: rendering, and over HTTP.

Rendering: CPU time of one page with 51 histograms of 22 buckets, against as many Histogram objects
of prometheus_client in the same run, in turns, so that noise of the machine meets both. The page
is a whole one, with all the other families; the histograms' share of it is shown too.
Over HTTP: wall time of scrapes on a connection that stays open, of one snapshot and of one that is
new each time, alone and with ten others that scrape meanwhile.
"""

import argparse
import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from soak.clock import monotonic_ns, process_cpu_ns
from soak.histogram import BOUNDS_S
from soak.show.exporter import Exporter, page
from soak.show.web import Server, serve
from soak.snapshot import Snapshot
from tests.snapshots import six_hours

OPERATIONS = 17  # three histograms each
RENDERINGS = 20
TURNS = 9
SCRAPES = 300
OTHERS = 10


def crowded() -> Snapshot:
    """Half-way through a run with 17 kinds of operation."""
    snapshot = six_hours(20_000)
    totals = list(snapshot.operations.values())
    operations = {f"operation{i}": totals[i % len(totals)] for i in range(OPERATIONS)}
    return replace(snapshot, operations=operations)


def bare(snapshot: Snapshot) -> Snapshot:
    """The same without operations: what the other families cost."""
    return replace(snapshot, operations={})


def peer() -> CollectorRegistry:
    """As many histograms of prometheus_client, with the same buckets and labels."""
    registry = CollectorRegistry()
    rng = np.random.default_rng(1)
    for name in ("latency", "service", "lateness"):
        histogram = Histogram(
            f"soak_operation_{name}_seconds",
            "Durations.",
            ("scenario", "target", "operation"),
            registry=registry,
            buckets=BOUNDS_S,
        )
        for i in range(OPERATIONS):
            child = histogram.labels("steady", "engine", f"operation{i}")
            for value_s in rng.lognormal(-6, 1, 1_000):
                child.observe(value_s)
    return registry


def cpu_ms(render: Callable[[], object]) -> float:
    """CPU milliseconds of one rendering, the mean of a few."""
    before_ns = process_cpu_ns()
    for _ in range(RENDERINGS):
        render()
    return (process_cpu_ns() - before_ns) / RENDERINGS / 1e6


def renderings() -> dict[str, list[float]]:
    """CPU milliseconds by what was rendered, one figure per turn."""
    snapshot, registry, exporter = crowded(), peer(), Exporter()
    without = bare(snapshot)
    ways: dict[str, Callable[[], object]] = {
        "prometheus_client, 51 histograms": lambda: generate_latest(registry),
        "soak, whole page with 51 histograms": lambda: exporter.render(snapshot),
        "soak, the page without histograms": lambda: exporter.render(without),
    }
    for render in ways.values():
        render()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, render in ways.items():
            taken[name].append(cpu_ms(render))
    whole, rest = list(taken.values())[1:]
    taken["soak, 51 histograms (difference)"] = [a - b for a, b in zip(whole, rest, strict=True)]
    return taken


def scrape_ms(server: Server, count: int) -> list[float]:
    """Wall milliseconds of each of so many scrapes in a row."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    taken = []
    for _ in range(count):
        before_ns = monotonic_ns()
        connection.request("GET", "/metrics")
        connection.getresponse().read()
        taken.append((monotonic_ns() - before_ns) / 1e6)
    connection.close()
    return taken


def over_http() -> dict[str, list[float]]:
    """Wall milliseconds of scrapes by circumstance."""
    snapshot = crowded()

    def anew() -> Snapshot:
        return replace(snapshot)

    taken = {}
    for name, source, others in (
        ("same snapshot, alone", lambda: snapshot, 0),
        (f"same snapshot, {OTHERS} others scrape too", lambda: snapshot, OTHERS),
        ("a new snapshot each time, alone", anew, 0),
    ):
        server = serve("127.0.0.1:0", source, lambda: 0.0)
        threads = [
            threading.Thread(target=scrape_ms, args=(server, SCRAPES)) for _ in range(others)
        ]
        for thread in threads:
            thread.start()
        taken[name] = scrape_ms(server, SCRAPES)
        for thread in threads:
            thread.join()
        server.close()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    rendered, scraped = renderings(), over_http()
    shown = page(crowded())
    series = sum(len(family.samples) for family in shown.families)
    print(f"page: {series} series and 51 histograms, {len(Exporter().render(crowded())):,} bytes\n")
    print(f"{'CPU ms per rendering':44}{'min':>8}{'median':>8}{'max':>8}")
    for name, figures in rendered.items():
        low, middle, high = np.quantile(figures, [0, 0.5, 1])
        print(f"{name:44}{low:8.2f}{middle:8.2f}{high:8.2f}")
    print(f"\n{'wall ms per scrape':44}{'p50':>8}{'p99':>8}{'max':>8}")
    for name, figures in scraped.items():
        p50, p99, high = np.quantile(figures, [0.5, 0.99, 1])
        print(f"{name:44}{p50:8.2f}{p99:8.2f}{high:8.2f}")
    if arguments.json:
        figures = {"unit": "ms", "rendering_cpu": rendered, "scrape_wall": scraped}
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
