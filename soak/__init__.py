"""soak: a long-running tester that finds out how an agent memory dies in week three.

Calls for programs and notebooks: `from soak import run, load_run, compare, interleave`, and what
they return: `RunRecord`, `Comparison`. See docs/api.md.
"""

import importlib

__version__ = "0.1.0"
CALLS = ("run", "load_run", "compare", "interleave")
HOMES = {
    **dict.fromkeys(CALLS, "soak.api"),
    "RunRecord": "soak.report.record",
    "Comparison": "soak.comparison.judgement",
}


def __getattr__(name: str) -> object:
    """Read only when one is asked for: a worker imports soak too."""
    if name in HOMES:
        return getattr(importlib.import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
