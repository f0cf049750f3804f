"""What of a board does Grafana know? Read by its own types and written again; run by build/deploy.

    build/deploy/bin/python tests/dashboards/known.py deploy/grafana/dashboards/*.json

Prints a line per field that did not come back as it was, with places in lists left open, and ends
with 1 if there are any.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where the second tree lacks what is in the first one, or says something else."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from lost(value, after[name], f"{path}.{name}")
            elif value is not None:
                yield f"{path}.{name}: unknown"
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{path}: {len(before)} became {len(after)}"
        for place, (inner, other) in enumerate(zip(before, after, strict=False)):
            yield from lost(inner, other, f"{path}[{place}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


def main() -> None:
    register_default_plugins()
    found = set()
    for name in sys.argv[1:]:
        board = json.loads(Path(name).read_text())
        again = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
        found |= {re.sub(r"\[\d+\]", "[]", line) for line in lost(board, again)}
    for line in sorted(found):
        sys.stdout.write(f"{line}\n")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
