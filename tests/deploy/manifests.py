"""What does kustomize make of deploy/? Objects, and what is inside the pods they describe."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy.kubernetes import chart
from tests.deploy.programs import deploy_program

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
FORMS = chart.FORMS
QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|[kMGT]|[KMGT]i)?")
FACTORS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
FACTORS |= {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}

Object = dict[str, Any]


@cache
def rendered(form: str) -> str:
    return chart.rendered(deploy_program("kubectl"), form)


def objects(form: str) -> list[Object]:
    return [found for found in yaml.safe_load_all(rendered(form)) if found]


def of_kind(form: str, kind: str) -> list[Object]:
    return [found for found in objects(form) if found["kind"] == kind]


def workload(form: str) -> Object:
    (found,) = [each for each in objects(form) if each["kind"] in {"Job", "CronJob", "Deployment"}]
    return found


def job_spec(form: str) -> Object:
    spec: Object = workload(form)["spec"]
    return spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec


def pod(form: str) -> Object:
    """The pod's template: metadata and spec."""
    template: Object = job_spec(form)["template"]
    return template


def containers(form: str) -> list[Object]:
    spec = pod(form)["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def soak(form: str) -> Object:
    (found,) = [each for each in containers(form) if each["name"] == "soak"]
    return found


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def amount(quantity: object) -> float:
    """A quantity of Kubernetes as a number; an AssertionError for what is none."""
    match = QUANTITY.fullmatch(str(quantity))
    assert match, f"{quantity!r} is no quantity"
    return float(match[1]) * FACTORS.get(match[2], 1.0)


def walked(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf with its path, as spec.containers[].image."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walked(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from walked(inner, f"{path}[]")
    else:
        yield path, value
