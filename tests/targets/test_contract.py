"""Does every target keep what it promises? The same questions to each, by its capabilities.

Asked of the targets whose packages are here; SOAK_CONTRACT=chroma asks that one alone, in its own
environment (`make test-targets`). SOAK_CONTRACT_PARAMS is JSON with further parameters of it.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from soak import plugins
from soak.clock import SystemClock
from soak.conformance.claims import CLAIMS, Claim
from soak.conformance.interview import why_not
from soak.conformance.scene import Scene, promised_by
from soak.result import TargetUnavailable
from soak.scenario import Target, load
from soak.seams import Record
from tests.mixed_load import DIMENSIONS, small_content
from tests.source_tree import ROOT

CONTENT = small_content()
PARAMS = {"dimensions": DIMENSIONS}
MAPPED = {"http"}  # needs somebody's server


def record(key: int, *, version: int = 0, agent: int = 1) -> Record:
    return Record(
        key=key,
        agent=agent,
        text=CONTENT.text(key, version),
        vector=CONTENT.vector(key, version),
        importance=0.5,
    )


def asked() -> list[str]:
    """The targets under test: those that can be built here, or the one that was named."""
    named = os.environ.get("SOAK_CONTRACT")
    if named:
        return [named]
    return [name for name in plugins.shipped("targets") if is_here(name)]


def is_here(name: str) -> bool:
    """Whether it can be built from what is installed, without a server or a checkout."""
    if name in MAPPED or "checkout" in plugins.params_model("targets", name).model_fields:
        return False
    return all(map(find_spec, getattr(plugins.load("targets", name), "NEEDS", ())))


def chosen(name: str) -> Target:
    """For vectors as wide as those of this suite; http is mapped as in its example."""
    if name == "http":
        return load(str(ROOT / "configs" / "http.yaml")).target
    fields = plugins.params_model("targets", name).model_fields
    mapping = {field: value for field, value in PARAMS.items() if field in fields}
    mapping |= json.loads(os.environ.get("SOAK_CONTRACT_PARAMS", "{}"))
    return Target(name=name, params=mapping)


def begun(target: Target, claim: Claim, home: Path) -> Scene:
    """A new target for that claim. Skips where it cannot be started here, but never in CI."""
    try:
        return Scene(target, claim.changes, content=CONTENT, home=home, clock=SystemClock())
    except TargetUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"cannot start here: {error}")


@pytest.mark.parametrize("name", asked())
@pytest.mark.parametrize("claim", CLAIMS, ids=[claim.name.replace(" ", "-") for claim in CLAIMS])
def test_a_target_keeps_what_its_capabilities_promise(name: str, claim: Claim, tmp_path: Path):
    target = chosen(name)
    reason = why_not(claim, promised_by(target), vars(plugins.load("targets", name)))
    if reason:
        pytest.skip(reason)
    scene = begun(target, claim, tmp_path)

    try:
        claim.ask(scene)  # raises Broken
    finally:
        scene.target.close()
