"""Which files does the repository hold, and what do they import?"""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PRODUCT = ("soak/", "engine/", "dashboards/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One Python file. path: from the root of the repository."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_product(self) -> bool:
        return self.path.startswith(PRODUCT)

    def nodes(self, *kinds: type) -> Iterator[Any]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def imports(self) -> Iterator[str]:
        """Dotted names; `from a import b` gives a.b, since b may be a module."""
        for node in self.nodes(ast.Import, ast.ImportFrom):
            prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            yield from (prefix + alias.name for alias in node.names)


def parsed(path: str, text: str) -> Source:
    return Source(path=path, text=text, tree=ast.parse(text))


@cache
def texts() -> dict[str, str]:
    """Every text file that is, or is about to be, under version control, by its path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    present = (path for path in listed.splitlines() if (ROOT / path).is_file())
    contents = ((path, (ROOT / path).read_bytes()) for path in present)
    return {path: content.decode() for path, content in contents if b"\0" not in content}


@cache
def sources() -> tuple[Source, ...]:
    return tuple(parsed(path, text) for path, text in texts().items() if path.endswith(".py"))


@cache
def local_imports() -> dict[str, frozenset[str]]:
    """Module to the other modules of this repository that it imports."""
    known = {source.module for source in sources()}

    def resolved(name: str) -> str:
        return name if name in known else name.rpartition(".")[0]

    return {
        source.module: frozenset(map(resolved, source.imports())) & known - {source.module}
        for source in sources()
    }


def words(name: str) -> list[str]:
    """MetricsPage and metrics_page alike: ["metrics", "page"]."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).strip("_").lower().split("_")
