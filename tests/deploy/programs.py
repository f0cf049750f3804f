"""Programs from Python packages that only these tests use: kubectl and hadolint."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def deploy_program(name: str) -> str:
    """Its path in build/deploy. Without it the test is skipped, or fails in CI."""
    path = ROOT / "build" / "deploy" / "bin" / name
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"{name} is missing: make build/deploy/.ready")
    assert path.exists(), "make build/deploy/.ready"
    return str(path)
