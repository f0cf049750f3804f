"""Who imports whom? The rows of ARCHITECTURE.md, and one home for each dependency.

A new module needs a place in ROWS, a new dependency a home in HOMES.
"""

import sys
from graphlib import TopologicalSorter

from tests.source_tree import local_imports, sources

# Imports go to the same row or further down.
ROWS = (
    "api cli commands session listing outlets pytest_plugin cluster",
    "controller worker daemon",  # never each other: they meet in the run directory
    "watch judge show alerts push bench comparison scorecard conformance",
    "report",
    "arrivals content operations targets samplers detectors",  # seams: none imports another
    "load oracle logs",
    "rundir series apart",
    "scenario",
    "seams plugins sentences",
    "result histogram verdict clock snapshot streams state",
)
ROW_OF = {name: number for number, row in enumerate(ROWS, start=1) for name in row.split()}
ROWS_KEPT_APART = {2, 5}
ROWS_THAT_LOG = {1, 2}
SEAMS = ROWS[4].split()

# What reads a scenario, and the parameters of each plug-in.
MODELS = (
    *("soak/plugins.py", "soak/outlets.py", "soak/scenario/", "soak/daemon/config.py"),
    *(f"soak/{seam}/" for seam in SEAMS),
)
# Which files may import a package; a target's package is an extra and that target's own matter.
HOMES = {
    "attr": ("dashboards/",),  # grafanalib's panels are classes of attrs
    "apscheduler": ("soak/watch/jobs.py", "soak/daemon/times.py"),
    "grafanalib": ("dashboards/",),
    "matplotlib": ("soak/report/plots.py", "soak/report/ranges.py"),
    "msgspec": ("engine/",),
    "numkong": ("engine/",),
    "numpy": ("soak/", "engine/"),
    "prometheus_client": ("soak/show/exporter.py",),
    "psutil": ("soak/samplers/",),
    "pydantic": MODELS,
    "pydantic_core": MODELS,
    "_pytest": ("soak/pytest_plugin.py",),
    "pytest": ("soak/pytest_plugin.py",),
    "ray": ("soak/cluster/nodes.py",),
    "rich": ("soak/show/live.py", "soak/scorecard/table.py", "soak/scorecard/writing.py"),
    "structlog": ("soak/logs.py",),
    "typer": ("soak/cli.py", "soak/commands/"),
    "yaml": ("soak/scenario/yaml_source.py",),
    "zstandard": ("engine/",),
}
LOGGING = {"logging", "structlog"}


def place(module: str) -> str:
    """The name that ROWS uses: soak.targets.engine is in targets; "" outside the tester."""
    return module.split(".")[1] if module.startswith("soak.") else ""


def crossings() -> list[tuple[str, str]]:
    """Every import within the repository: (importer, imported)."""
    return [(module, other) for module, others in local_imports().items() for other in others]


def test_every_module_has_a_row() -> None:
    places = {place(source.module) for source in sources()} - {""}
    unplaced = sorted(places - ROW_OF.keys())

    assert [] == unplaced, f"add to ROWS: {' '.join(unplaced)}"


def test_imports_point_down() -> None:
    steps = {(place(upper), place(lower)) for upper, lower in crossings()}
    inside = [(u, l) for u, l in steps if u != l and {u, l} <= ROW_OF.keys()]
    upward = [(u, l) for u, l in inside if ROW_OF[l] < ROW_OF[u]]
    across = [(u, l) for u, l in inside if ROW_OF[l] == ROW_OF[u] and ROW_OF[u] in ROWS_KEPT_APART]

    assert [] == upward + across


def test_imports_form_no_cycle() -> None:
    TopologicalSorter(local_imports()).prepare()  # raises CycleError


def test_engine_and_dashboards_stand_alone() -> None:
    bridges = {("soak.targets._embedded", "engine"), ("soak.cli", "dashboards")}
    product = {"soak", "engine", "dashboards"}
    astray = [
        (importer, imported)
        for importer, imported in crossings()
        if importer.partition(".")[0] in product
        and importer.partition(".")[0] != imported.partition(".")[0]
        and (importer, imported.partition(".")[0]) not in bridges
    ]
    assert [] == astray


def test_every_module_is_used() -> None:
    used = {imported for importer, imported in crossings() if not importer.startswith("tests")}
    unused = [
        source.path
        for source in sources()
        if source.is_product
        and source.module not in used
        and place(source.module) not in {"api", "cli", "pytest_plugin", *SEAMS}
        and not source.path.endswith(("__init__.py", "__main__.py"))
        and '__name__ == "__main__"' not in source.text
    ]
    assert [] == unused, "\n".join(unused)


def test_every_dependency_has_one_home() -> None:
    everywhere = {"soak", "engine", "dashboards"} | sys.stdlib_module_names
    astray = [
        (source.path, name)
        for source in sources()
        for name in source.imports()
        if source.is_product
        and (package := name.partition(".")[0]) not in everywhere
        and not source.path.startswith(("soak/targets/", *HOMES.get(package, ())))
    ]
    assert [] == astray


def test_only_the_first_rows_log() -> None:
    direct = [
        (source.path, name)
        for source in sources()
        for name in source.imports()
        if source.is_product and source.path != "soak/logs.py" and name.partition(".")[0] in LOGGING
    ]
    through = [
        (importer, imported)
        for importer, imported in crossings()
        if imported == "soak.logs"
        and place(importer)
        and ROW_OF.get(place(importer)) not in ROWS_THAT_LOG
    ]
    assert [] == direct + through
