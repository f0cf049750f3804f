"""Programs from Python packages that only these tests use: kubectl, helm, hadolint."""

from tests.programs import required
from tests.source_tree import ROOT


def deploy_program(name: str) -> str:
    """Its path in build/deploy."""
    path = ROOT / "build" / "deploy" / "bin" / name
    advice = f"{name} is missing: make build/deploy/.ready"
    return required(path if path.exists() else None, advice)
