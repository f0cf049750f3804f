"""soak: a long-running tester that finds out how an agent memory dies in week three.

Calls for programs and notebooks: `from soak import run, load_run, compare, interleave`.
"""

import importlib

__version__ = "0.1.0"
CALLS = ("run", "load_run", "compare", "interleave")


def __getattr__(name: str) -> object:
    """The calls of soak/api.py, read only when one is asked for: a worker imports soak too."""
    if name in CALLS:
        return getattr(importlib.import_module("soak.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
