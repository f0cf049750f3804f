"""Do objects keep to their schemas? Run by an interpreter that has them: `make kubernetes-check`.

    build/kubernetes/bin/python tests/deploy/schemas.py < objects.yaml

Prints one line per object, and ends with 1 if there is a complaint.
"""

import sys
import warnings
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

# The oldest has containers that stay beside a job, and states pod failure policies correctly.
VERSIONS = ("1.29", "1.31", "1.33", "1.35", "1.37")
OPERATOR = "monitoring.coreos.com/v1"


def complaints(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Schema and what it complains of, "" where it does not."""
    if found["apiVersion"] == OPERATOR:
        yield OPERATOR, of_operator(found)
        return
    for version in VERSIONS:
        try:
            with warnings.catch_warnings(action="ignore"):
                kubernetes_validate.validate(found, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield version, f"{'.'.join(map(str, error.path))}: {error.message}"
        else:
            yield version, ""


def of_operator(found: dict[str, Any]) -> str:
    """Types come from the model; what it does not know, it drops, and that is a complaint too."""
    model = getattr(operator, found["kind"])
    try:
        read = model.model_validate(found)
    except ValueError as error:
        return str(error).replace("\n", "; ")
    back = read.model_dump(mode="json", by_alias=True, exclude_none=True)
    lost = sorted(set(leaves(found)) - set(leaves(back)))
    return f"unknown: {', '.join(lost)}" if lost else ""


def leaves(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path


def main() -> int:
    failed = 0
    for found in filter(None, yaml.safe_load_all(sys.stdin)):
        verdicts = list(complaints(found))
        failed += any(words for _, words in verdicts)
        said = [f"{schema}: {words}" for schema, words in verdicts if words]
        asked = ", ".join(schema for schema, _ in verdicts)
        name = f"{found['kind']} {found['metadata']['name']}"
        sys.stdout.write(f"  {name}: {'; '.join(said) or 'ok'} ({asked})\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
